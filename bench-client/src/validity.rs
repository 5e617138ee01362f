//! The verdict of a row on itself.

use crate::record::{Environment, Finding, Plan, Row, Tool};

/// Everything a row has to say against itself, worst first.
pub fn judge(_plan: &Plan, _tool: &Tool, _environment: &Environment, _row: &Row) -> Vec<Finding> {
    Vec::new()
}
