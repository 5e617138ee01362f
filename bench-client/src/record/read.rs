//! A record from anywhere: run.json may be old, edited or broken, and no report made from it may end the program or never end.
//!
//! ```text
//! run.json (bounded) -> version -> shape -> lengths and numbers that reports count with -> RunRecord
//! ```

use std::{
    collections::HashSet,
    fs::File,
    io::{self, Read},
    ops::RangeInclusive,
    path::Path,
};

use anyhow::{Context, Result, ensure};

use super::{RunRecord, SCHEMA_VERSION};

/// A thousand times a usual one.
pub const RECORD_MAX_BYTES: u64 = 256 << 20;
/// Techniques are compared in pairs.
const TECHNIQUES_MAX: usize = 64;
/// Repeats are numbered as a plan counts them.
const REPEAT: RangeInclusive<u32> = 1..=1_000;
/// A day's seconds, which is a plan's longest window, and what a window may run late.
const SERIES_MAX: usize = 90_000;
/// As many as a feed has topics.
const SCORES_MAX: usize = 10_000;
/// Of anything else that a row lists, and that a run does not make by the thousand.
const LISTED_MAX: usize = 1_000;

/// As much of a record as every version has.
#[derive(serde::Deserialize)]
struct Version {
    schema_version: u32,
}

/// The record in a file.
///
/// # Errors
/// Names the file, and what it would take.
pub fn read(path: &Path) -> Result<RunRecord> {
    let missing = || {
        format!(
            "{} could not be read: expected the folder of a run, such as results/<time>-<scenario>",
            path.display()
        )
    };
    let file = File::open(path).with_context(missing)?;
    parse(&bytes(file).with_context(missing)?, path)
}

/// What a record's file holds, and one byte more than a record may have where it has more.
///
/// # Errors
/// Those of reading.
pub fn bytes(file: File) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    // Bounded while reading: the size a file claims is no promise.
    file.take(RECORD_MAX_BYTES + 1).read_to_end(&mut text)?;
    Ok(text)
}

/// The record in these bytes of the file.
///
/// # Errors
/// As [`read`].
pub fn parse(text: &[u8], path: &Path) -> Result<RunRecord> {
    let unreadable = || format!("{} is not a run this version can read", path.display());
    ensure!(
        text.len() as u64 <= RECORD_MAX_BYTES,
        "{} has more than {RECORD_MAX_BYTES} bytes, which no run has",
        path.display()
    );
    // The version first: a newer shape may be one that does not read as this one.
    let Version { schema_version } = serde_json::from_slice(text).with_context(unreadable)?;
    ensure!(
        schema_version <= SCHEMA_VERSION,
        "{} has schema version {schema_version}, this program knows up to {SCHEMA_VERSION}: use a newer one",
        path.display(),
    );
    let record: RunRecord = serde_json::from_slice(text).with_context(unreadable)?;
    check(&record).with_context(unreadable)?;
    Ok(record)
}

/// Whether reports can be made of it in bounded time.
fn check(record: &RunRecord) -> Result<()> {
    let plan = &record.plan;
    at_most(plan.transports.len(), TECHNIQUES_MAX, "planned transports")?;
    at_most(plan.variants.len(), TECHNIQUES_MAX, "variants")?;
    at_most(record.contenders.len(), TECHNIQUES_MAX, "contenders")?;
    let measured = record.rows.iter().map(|row| row.figures.contender());
    let techniques: HashSet<String> = plan.contender_ids().into_iter().chain(measured).collect();
    at_most(techniques.len(), TECHNIQUES_MAX, "techniques")?;
    at_most(record.transports.len(), TECHNIQUES_MAX, "described transports")?;
    at_most(record.rows.len(), TECHNIQUES_MAX * *REPEAT.end() as usize, "rows")?;
    at_most(record.calibrations.len(), LISTED_MAX, "calibrations")?;
    at_most(plan.thresholds.len(), LISTED_MAX, "thresholds")?;
    let looks = plan.looks.as_ref().map_or(0, |looks| looks.after_repeats.len());
    at_most(looks, LISTED_MAX, "looks")?;
    for (index, row) in record.rows.iter().enumerate() {
        let of_row = || format!("rows[{index}]");
        let repeat = row.figures.repeat;
        let (least, most) = (REPEAT.start(), REPEAT.end());
        ensure!(
            REPEAT.contains(&repeat),
            "rows[{index}].figures.repeat is {repeat}: expected {least} to {most}"
        );
        at_most(row.series.len(), SERIES_MAX, "seconds").with_context(of_row)?;
        at_most(row.final_scores.len(), SCORES_MAX, "final scores").with_context(of_row)?;
        let listed = [
            (row.predictions.len(), "predictions"),
            (row.findings.len(), "findings"),
            (row.faults.len(), "faults"),
            (
                row.recovery.as_ref().map_or(0, |recovery| recovery.series.len()),
                "points of a recovery",
            ),
        ];
        for (count, what) in listed {
            at_most(count, LISTED_MAX, what).with_context(of_row)?;
        }
    }
    Ok(())
}

fn at_most(count: usize, most: usize, what: &str) -> Result<()> {
    ensure!(count <= most, "{count} {what}: {most} are the most");
    Ok(())
}
