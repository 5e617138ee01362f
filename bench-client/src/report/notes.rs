//! What a reader must know before believing the figures, in sentences for the terminal, report.md and report.html.
//!
//! ```text
//! RunRecord, Summary -> how it ended, clocks, rows that failed or are missing, losses, counters that should be zero -> sentences
//! ```

use crate::record::{Outcome, Quantile, RequestHeaders, Row, RunRecord, RunStatus, SummaryRow, Verdict};

use super::format::{self, count};
use super::summary::Summary;
use super::trust;

/// Share of the window that its counters may be read late before it is said.
const LATE_SHARE: f64 = 0.01;

/// What a reader must know before believing the figures: the run's end, rows that failed or are missing, losses, faults.
///
/// What a finding of at least `least` says is left to it: the report shows those beside the verdict.
pub fn notes(record: &RunRecord, summaries: &[Summary], least: Verdict) -> Vec<String> {
    let mut notes = Vec::new();
    let told = |code: &str| trust::tells(&record.rows, code, least);
    if record.tool.profile == "debug" && !told("debug-build") {
        notes.push("Measured with a DEBUG build: CPU and latency figures are not those of a release build.".to_owned());
    }
    match record.status {
        RunStatus::Running => notes.push("The run has not ended: it is under way, or was killed.".to_owned()),
        RunStatus::Interrupted => {
            notes.push("The run was interrupted: what was measured until then is here.".to_owned())
        }
        RunStatus::Finished | RunStatus::Failed => {}
    }
    let varied = record.plan.varies(|one| one.request_headers.is_some());
    if record.plan.request_headers == RequestHeaders::Minimal && !varied {
        notes
            .push("Requests carried minimal headers: fewer bytes than a browser's, which flatters polling.".to_owned());
    }
    notes.extend(foreign_clock(record).filter(|_| !told("clock")));
    notes.extend(late_samples(record).filter(|_| !told("sampled-late")));
    notes.extend(missing_rows(record, summaries));
    for summary in summaries {
        let told = |code: &str| trust::tells(summary.rows.iter().copied(), code, least);
        notes.extend(summary.rows.iter().filter_map(|row| ending(record, summary, row)));
        notes.extend(lost(summary).filter(|_| !["reach", "lagged", "missed"].iter().any(|code| told(code))));
        notes.extend(faults(summary, told));
    }
    notes
}

/// Counters that were read late belong to another window than the updates they are divided by.
fn late_samples(record: &RunRecord) -> Option<String> {
    let worst_us = record.rows.iter().filter_map(|row| row.phases.sampled_late_us).max()?;
    let window_us = record.plan.duration_s * 1e6;
    (worst_us as f64 > window_us * LATE_SHARE).then(|| {
        format!(
            "Bytes, requests and CPU were read up to {} late at a window's edge: figures per update are off by as much of the \
             window. The machine was too busy, or stopped.",
            format::time_us(worst_us as f64)
        )
    })
}

/// A clock that is estimated bounds what latency and age can say.
fn foreign_clock(record: &RunRecord) -> Option<String> {
    let bound_us = record
        .rows
        .iter()
        .map(|row| row.clock_bound_us)
        .max()
        .filter(|bound_us| *bound_us > 0)?;
    let bound = format::time_us(bound_us as f64);
    Some(format!(
        "The server's clock is estimated from round trips: every latency and age may be off by up to {bound} either way."
    ))
}

/// How a row ended, in a word or two.
pub fn outcome(row: &Row) -> String {
    match &row.outcome {
        Outcome::Ok => "ok".to_owned(),
        Outcome::Interrupted => "interrupted".to_owned(),
        Outcome::Failed { reason } => format!("failed: {reason}"),
    }
}

/// Which transports have fewer rows than planned: one sentence per number of rows.
fn missing_rows(record: &RunRecord, summaries: &[Summary]) -> Vec<String> {
    let planned = record.plan.repeats as usize;
    let labels = |measured: usize| -> Vec<&str> {
        summaries
            .iter()
            .filter(|summary| summary.rows.len() == measured)
            .map(|summary| summary.label)
            .collect()
    };
    let mut measured: Vec<usize> = summaries.iter().map(|summary| summary.rows.len()).collect();
    measured.retain(|rows| *rows < planned);
    measured.sort_unstable();
    measured.dedup();
    let sentence = |rows: usize| match rows {
        0 => format!("Not measured: {}.", labels(0).join(", ")),
        some => format!(
            "Only {some} of {planned} repeats measured: {}.",
            labels(some).join(", ")
        ),
    };
    measured.into_iter().map(sentence).collect()
}

/// Why a row is not like the others.
fn ending(record: &RunRecord, summary: &Summary, row: &Row) -> Option<String> {
    let name = format!("{}, repeat {}", summary.label, row.figures.repeat);
    let unknown = if row.latency.is_none() {
        " It adds nothing to the latency shown."
    } else {
        ""
    };
    match &row.outcome {
        Outcome::Failed { reason } => Some(format!("{name}: FAILED: {}.{unknown}", reason.trim_end_matches('.'))),
        Outcome::Interrupted => {
            let window = format::known(row.figures.duration_s, |s| format!("{} s", format::plain(s)));
            let planned = format::plain(record.plan.duration_s);
            Some(format!(
                "{name}: interrupted, window of {window} instead of {planned} s.{unknown}"
            ))
        }
        Outcome::Ok if row.latency.is_none() => Some(format!("{name}: the publish log could not be read.{unknown}")),
        Outcome::Ok => None,
    }
}

fn lost(summary: &Summary) -> Option<String> {
    let latency = summary.latency.as_ref()?;
    let shown = latency.max() == Some(Quantile::LOST);
    shown.then(|| {
        format!(
            "{}: {} of {} expected updates were not received; a quantile that falls there is printed as lost.",
            summary.label,
            count(latency.lost),
            count(latency.count()),
        )
    })
}

/// Counters that should be zero and are not, but for those a finding tells of.
fn faults(summary: &Summary, told: impl Fn(&str) -> bool) -> Option<String> {
    /// A counter, the finding that may tell of it, and its words.
    type Counter = (fn(&SummaryRow) -> Option<u64>, &'static str, &'static str);
    let counters: [Counter; 8] = [
        (|row| row.missed, "missed", "missed without a word"),
        (|row| row.lagged, "lagged", "lost with an explicit reset"),
        (|row| row.duplicates, "duplicates", "received twice"),
        (|row| row.out_of_order, "out-of-order", "out of order"),
        (
            |row| row.negative_latencies,
            "negative-latency",
            "received before they were due (clocks disagree)",
        ),
        (|row| row.errors, "errors", "failed connects, requests or sessions"),
        (|row| row.reconnects, "reconnects", "reconnects"),
        (
            |row| row.polls_skipped,
            "polls-skipped",
            "polls skipped because the one before was still under way",
        ),
    ];
    let words: Vec<String> = counters
        .into_iter()
        .filter(|(_, code, _)| !told(code))
        .filter_map(|(counter, _, words)| {
            let total = summary.total(counter).filter(|total| *total > 0)?;
            Some(format!("{} {words}", count(total)))
        })
        .collect();
    (!words.is_empty()).then(|| format!("{}: {}.", summary.label, words.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{fixture, summary::summaries};

    #[test]
    fn what_a_shown_finding_tells_is_not_told_again() {
        let mut record = fixture::interrupted_replay();
        let notes_of = |record: &RunRecord, least| notes(record, &summaries(record).unwrap(), least).join("\n");
        assert!(!notes_of(&record, Verdict::Suspect).contains("DEBUG"));
        for row in &mut record.rows {
            row.findings
                .iter_mut()
                .for_each(|finding| finding.verdict = Verdict::Valid);
        }
        // A remark is told in report.md, where it need not be told twice, and not in the terminal.
        assert!(!notes_of(&record, Verdict::Valid).contains("DEBUG"));
        assert!(notes_of(&record, Verdict::Suspect).contains("DEBUG"));
        record.rows.iter_mut().for_each(|row| row.findings.clear());
        assert!(notes_of(&record, Verdict::Valid).contains("DEBUG"));
    }

    #[test]
    fn a_finding_about_one_technique_leaves_the_others_their_notes() {
        let mut record = fixture::record();
        for row in &mut record.rows {
            row.figures.lagged = Some(3);
        }
        let notes = notes(&record, &summaries(&record).unwrap(), Verdict::Suspect);
        let lagged: Vec<_> = notes.iter().filter(|note| note.contains("explicit reset")).collect();
        assert_eq!(lagged.len(), 3, "{notes:?}");
        assert!(!lagged.iter().any(|note| note.starts_with("Long polling")), "{notes:?}");
    }
}
