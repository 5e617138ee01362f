//! report.md: the run in sentences, tables and charts, for someone who was not there.
//!
//! ```text
//! RunRecord, Summary -> words (sentences, notes) + trust (verdicts) + comparisons (claims) + results, layers (tables)
//!                       + background (definitions, machine) -> report.md
//! ```
//!
//! Which technique is better is said in `comparisons` alone, in sentences that carry their interval. Words of the record are escaped;
//! the scenario's analysis alone is markdown and printed as such.

pub(super) mod background;
pub(super) mod calibration;
pub(super) mod comparisons;
pub(super) mod layers;
pub(super) mod model;
pub(super) mod results;
pub(super) mod table;
pub(super) mod trust;
pub(super) mod words;

use anyhow::Result;

use crate::record::{RunRecord, Verdict};
use crate::statistics::between_transports;

use super::chart;
use super::describe;
use super::summary::summaries;
use table::escape;

/// The whole report, with a line end. Charts are linked as `charts/<id>.svg`.
///
/// # Errors
/// Names the row whose histogram cannot be read.
pub fn report(record: &RunRecord) -> Result<String> {
    let summaries = summaries(record)?;
    let sections = [
        words::title(record),
        words::notes(&describe::notes(record, &summaries, Verdict::Valid)),
        words::run(record),
        trust::verdicts(record, &summaries),
        trust::thresholds(record, &summaries),
        words::measured(record, &summaries),
        comparisons::comparisons(record, &between_transports(record)),
        results::freshness(&summaries),
        calibration::share(record)?,
        results::cost(&summaries),
        layers::bytes(record, &summaries),
        charts(record)?,
        model::predictions(&summaries),
        analysis(record),
        results::completeness(record),
        background::faults(record),
        results::repeats(record),
        trust::health(record),
        results::traffic(record),
        results::connecting(&summaries),
        results::memory(record),
        background::techniques(record),
        background::final_scores(record),
        background::definitions(record),
        background::machine(record),
    ];
    Ok(sections
        .into_iter()
        .filter(|section| !section.is_empty())
        .collect::<Vec<_>>()
        .join("\n"))
}

fn charts(record: &RunRecord) -> Result<String> {
    let images = chart::all(record)?.into_iter().map(|chart| {
        format!(
            "![{}: {}](charts/{})\n",
            escape(&chart.title),
            escape(&chart.caption),
            chart.file_name()
        )
    });
    let images: Vec<String> = images.collect();
    Ok(if images.is_empty() {
        String::new()
    } else {
        format!("## Charts\n\n{}", images.join("\n"))
    })
}

pub(super) fn analysis(record: &RunRecord) -> String {
    let analysis = record.plan.analysis.trim();
    if analysis.is_empty() {
        String::new()
    } else {
        format!("## What to expect, and why\n\n{analysis}\n")
    }
}
