//! placeholder, replaced in the next commits
pub mod record;
pub mod report;
