//! Renews a run's table in other people's documents: what stands between two markers, and nothing else.
//!
//! ```text
//! file -> markers (where) ; RunRecord -> parts (what) -> the same file, with its regions made again
//! ```
//!
//! ```text
//! <!-- bench-client:table curated -->      the part, and a name where a file has several of that part
//! …                                        made again, whatever stood here
//! <!-- /bench-client:table -->
//! ```
//!
//! The same record makes the same region: twice is once. Markers stand alone in their lines; within code blocks they are examples.

mod markers;
mod parts;

use std::path::Path;

use anyhow::Result;

use crate::record::RunRecord;

pub use markers::MarkerError;
use markers::{Region, regions};

/// The file with its regions made again: all of them, or those of one name. `folder` is where the record lies, as a reader of the
/// document would name it.
///
/// # Errors
/// The inner one is about the markers, and nothing is to be written; the outer one names the row whose histogram cannot be read.
pub fn renew(
    text: &[u8],
    name: Option<&str>,
    record: &RunRecord,
    folder: &Path,
) -> Result<Result<Vec<u8>, MarkerError>> {
    let regions = match regions(text, name) {
        Ok(regions) => regions,
        Err(error) => return Ok(Err(error)),
    };
    let mut out = Vec::with_capacity(text.len());
    let mut kept = 0;
    for Region { part, inside, ending } in regions {
        out.extend_from_slice(&text[kept..inside.start]);
        kept = inside.end;
        let made = parts::make(part, record, folder)?;
        // No word of a record may look like a marker.
        for line in made.replace("<!--", "<! --").lines() {
            out.extend_from_slice(line.as_bytes());
            out.extend_from_slice(ending);
        }
    }
    out.extend_from_slice(&text[kept..]);
    Ok(Ok(out))
}

#[cfg(test)]
mod tests;
