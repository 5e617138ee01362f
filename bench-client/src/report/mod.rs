//! Reports: everything a run leaves behind beside `run.json`, made from the record and from nothing else.
//!
//! ```text
//! RunRecord -> histogram -> summary, trust -+-> terminal  (stdout)
//!      |                                    +-> markdown  report.md ------+
//!      |                                    +-> chart -+-> svg  charts/*.svg
//!      |                                               +-> text_chart  report.md
//!      |                                               +-> plotly, html <-+  report.html, and the page of `serve`
//!      +-> differences, changes  two runs
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
pub mod differences;
pub mod file;
pub mod final_scores;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fixture;
pub mod floor;
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

/// A report in one file.
pub struct File {
    pub name: &'static str,
    /// For people.
    pub what: &'static str,
    pub make: fn(&RunRecord) -> Result<Vec<u8>>,
}

/// Every report that is one file; charts and histograms have a folder each.
pub const FILES: [File; 6] = [
    File {
        name: "report.html",
        what: "the report as one page that needs nothing else",
        make: |record| Ok(html::report(record)?.into()),
    },
    File {
        name: "report.md",
        what: "the report as text, to paste into a pull request",
        make: |record| Ok(markdown::report(record)?.into()),
    },
    File {
        name: "summary.csv",
        what: "a line per technique and repeat",
        make: csv::summary,
    },
    File {
        name: "series.csv",
        what: "the same second by second",
        make: csv::series,
    },
    File {
        name: "metrics.txt",
        what: "the figures as OpenMetrics gauges",
        make: |record| Ok(metrics::text(record)?.into()),
    },
    File {
        name: "run.schema.json",
        what: "the JSON Schema of run.json",
        make: |_| Ok(schema::json().into()),
    },
];

/// Writes every report of `record` into `dir`, over the ones that are there. `run.json` is not touched.
///
/// # Errors
/// Names the file that could not be written, or the row whose histogram cannot be read; what was written before stays.
pub fn write_all(record: &RunRecord, dir: &Path) -> Result<()> {
    for log in hlog::logs(record)? {
        file::write(&dir.join("histograms").join(log.name), &log.bytes)?;
    }
    for chart in chart::all(record)? {
        file::write(
            &dir.join("charts").join(chart.file_name()),
            svg::draw(&chart)?.as_bytes(),
        )?;
    }
    // The smallest first, the page last.
    for one in FILES.iter().rev() {
        file::write(&dir.join(one.name), &(one.make)(record)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
