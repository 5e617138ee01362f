//! report.md: the run in sentences, tables and charts, for someone who was not there.
//!
//! ```text
//! RunRecord, Summary -> words (sentences, notes) + trust (verdicts) + comparisons (claims) + results, layers (tables)
//!                       + charts (drawn in characters) + background (definitions, machine) -> fit (to its limit) -> report.md
//! ```
//!
//! It can be pasted into a pull request as it is: it has no links and no pictures, whose targets would not come along, and it is
//! no longer than such a text may be. Which technique is better is said in `comparisons` alone, in sentences that carry their
//! interval. Words of the record are escaped; the scenario's analysis alone is markdown and printed as such.

pub(super) mod background;
pub(super) mod calibration;
mod charts;
pub(super) mod comparisons;
pub(super) mod final_scores;
mod fit;
pub(super) mod layers;
pub(super) mod model;
pub(super) mod results;
pub(super) mod table;
pub(super) mod trust;
pub(super) mod words;

use anyhow::Result;

use crate::record::{RunRecord, Verdict};
use crate::statistics::between_transports;

use super::notes;
use super::summary::summaries;
use fit::{Part, fit};

/// The whole report, with a line end.
///
/// # Errors
/// Names the row whose histogram cannot be read.
pub fn report(record: &RunRecord) -> Result<String> {
    let summaries = summaries(record)?;
    let notes = notes::notes(record, &summaries, Verdict::Valid);
    Ok(fit(vec![
        Part::kept(words::title(record)),
        Part::kept(words::notes(&notes)),
        Part::kept(words::run(record)),
        Part::kept(trust::verdicts(record, &summaries)),
        Part::kept(trust::thresholds(record, &summaries)),
        Part::kept(words::measured(record, &summaries)),
        Part::giving_way(1, comparisons::comparisons(record, &between_transports(record))),
        Part::kept(results::freshness(&summaries)),
        Part::kept(results::behaviours(&summaries).join("\n")),
        Part::giving_way(4, calibration::share(record)?),
        Part::kept(results::cost(&summaries)),
        Part::kept(results::against_the_floor(&summaries)),
        Part::giving_way(2, layers::bytes(record, &summaries)),
        Part::giving_way(3, charts::charts(record)?),
        Part::giving_way(9, model::predictions(&summaries)).folded(),
        Part::giving_way(5, analysis(record)),
        Part::giving_way(7, results::completeness(record)).folded(),
        Part::giving_way(6, background::faults(record)),
        Part::giving_way(8, results::repeats(record)).folded(),
        Part::giving_way(11, trust::health(record)).folded(),
        Part::giving_way(12, results::traffic(record)).folded(),
        Part::giving_way(10, results::connecting(&summaries)).folded(),
        Part::giving_way(13, results::memory(record)).folded(),
        Part::giving_way(14, background::techniques(record)).folded(),
        Part::giving_way(15, final_scores::final_scores(record)),
        Part::giving_way(0, background::definitions(record)).folded(),
        Part::giving_way(0, background::machine(record)).folded(),
    ]))
}

pub(super) fn analysis(record: &RunRecord) -> String {
    let analysis = record.plan.analysis.trim();
    if analysis.is_empty() {
        String::new()
    } else {
        format!("## What to expect, and why\n\n{analysis}\n")
    }
}

#[cfg(test)]
mod tests;
