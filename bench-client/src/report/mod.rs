//! Reports: everything a run leaves behind beside `run.json`, made from the record and from nothing else.
//!
//! ```text
//! RunRecord -> histogram -> summary, trust -+-> terminal  (stdout)
//!      |                                    +-> markdown  report.md ------+
//!      |                                    +-> chart -+-> svg  charts/*.svg
//!      |                                               +-> text_chart  report.md
//!      |                                               +-> plotly, html <-+  report.html
//!      +-> splice  a table in other people's documents
//!      +-> csv     summary.csv, series.csv
//!      +-> metrics metrics.txt
//!      +-> hlog    histograms/*.hlog
//!      +-> schema  run.schema.json
//! ```
//!
//! Absent on purpose: network, live state and clocks, so that any report can be made again from `run.json`; and judging: verdicts and
//! their reasons come with the record, [`trust`] puts them into words. Which technique is better is said by [`comparisons`] alone, with
//! intervals: everything else is figures.

pub mod behaviour;
pub mod changes;
pub mod chart;
pub mod comparisons;
pub mod csv;
pub mod describe;
pub mod file;
pub mod final_scores;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fixture;
pub mod format;
pub mod histogram;
pub mod hlog;
pub mod html;
pub mod markdown;
pub mod metrics;
pub mod model;
pub mod notes;
pub mod plotly;
pub mod schema;
pub mod splice;
pub mod summary;
pub mod svg;
pub mod terminal;
pub mod text_chart;
pub mod trust;

use std::path::Path;

use anyhow::Result;

use crate::record::RunRecord;

/// Writes every report of `record` into `dir`, over the ones that are there. `run.json` is not touched.
///
/// # Errors
/// Names the file that could not be written, or the row whose histogram cannot be read; what was written before stays.
pub fn write_all(record: &RunRecord, dir: &Path) -> Result<()> {
    file::write(&dir.join("run.schema.json"), schema::json().as_bytes())?;
    file::write(&dir.join("summary.csv"), &csv::summary(record)?)?;
    file::write(&dir.join("series.csv"), &csv::series(record)?)?;
    file::write(&dir.join("metrics.txt"), metrics::text(record)?.as_bytes())?;
    for log in hlog::logs(record)? {
        file::write(&dir.join("histograms").join(log.name), &log.bytes)?;
    }
    for chart in chart::all(record)? {
        file::write(
            &dir.join("charts").join(chart.file_name()),
            svg::draw(&chart)?.as_bytes(),
        )?;
    }
    file::write(&dir.join("report.md"), markdown::report(record)?.as_bytes())?;
    file::write(&dir.join("report.html"), html::report(record)?.as_bytes())
}

#[cfg(test)]
mod tests;
