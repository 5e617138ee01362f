//! Thresholds: what must hold of a run's figures, for those who gate a change by it.
//!
//! ```text
//! `websocket.latency_p99_ms < 50` -> expression.rs (checked with the plan) -> metric.rs (measured) -> Checked -> exit code, reports
//! ```
//!
//! A threshold looks at the merged repeats, the very figures the report shows. What is not known, or lost, holds nothing.

mod expression;
mod metric;

use crate::{
    record::{RunRecord, RunStatus},
    report::summary::{Summary, summaries},
};

pub use expression::{Op, Subject, Threshold, ThresholdError};
pub use metric::Measured;

/// How a threshold stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Holds,
    Broken,
    /// The run is under way, or was cut short before a row that it is about: nothing is decided.
    Open,
}

impl Standing {
    pub fn name(self) -> &'static str {
        match self {
            Standing::Holds => "pass",
            Standing::Broken => "FAIL",
            Standing::Open => "open",
        }
    }
}

/// A threshold beside what was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// As it was written.
    pub text: String,
    pub standing: Standing,
    /// Measured values in the unit of the threshold, in words; or why there are none.
    pub found: String,
}

impl Checked {
    /// One line: the threshold, and what was measured.
    pub fn words(&self) -> String {
        format!("{}: {}", self.text, self.found)
    }
}

/// Every threshold of the plan, in its order.
pub fn check(record: &RunRecord, summaries: &[Summary]) -> Vec<Checked> {
    let plan = &record.plan;
    let ids = plan.contender_ids();
    let checked = |text: &String| match Threshold::parse(text, &ids) {
        Ok(threshold) => threshold.check(record.status, summaries),
        // Checked when the plan was made: by another version, then.
        Err(error) => Checked {
            text: text.clone(),
            standing: Standing::Broken,
            found: format!("cannot be checked by this version: {error}"),
        },
    };
    plan.thresholds.iter().map(checked).collect()
}

/// The thresholds of a run that do not hold.
///
/// # Errors
/// Names the row whose histogram cannot be read.
pub fn broken(record: &RunRecord) -> anyhow::Result<Vec<Checked>> {
    let mut all = check(record, &summaries(record)?);
    all.retain(|one| one.standing == Standing::Broken);
    Ok(all)
}

impl Threshold {
    fn check(&self, status: RunStatus, summaries: &[Summary]) -> Checked {
        let measured: Vec<(&str, Measured)> = match &self.subject {
            Subject::All(ids) => ids
                .iter()
                .map(|id| (id.as_str(), self.measured(id, summaries)))
                .collect(),
            Subject::One(id) => vec![(id.as_str(), self.measured(id, summaries))],
        };
        let holds = measured.iter().all(|(_, measured)| self.holds(*measured));
        // Of many, those that break it are what a reader looks for.
        let told = measured.iter().filter(|(_, one)| holds || !self.holds(*one));
        let words = told.map(|(id, one)| match &self.subject {
            Subject::All(_) => format!("{id} {}", self.words(*one)),
            Subject::One(_) => self.words(*one),
        });
        Checked {
            text: self.text.clone(),
            standing: self.standing(status, &measured, summaries),
            found: words.collect::<Vec<_>>().join(", "),
        }
    }

    fn standing(&self, status: RunStatus, measured: &[(&str, Measured)], summaries: &[Summary]) -> Standing {
        let has_rows = |id: &str| summaries.iter().any(|one| one.contender == id && !one.rows.is_empty());
        // A row that is still to come, or never came, breaks nothing; one that came and does not tell does.
        let breaks =
            |(id, one): &(&str, Measured)| !self.holds(*one) && (status == RunStatus::Finished || has_rows(id));
        if status == RunStatus::Running {
            Standing::Open
        } else if measured.iter().any(breaks) {
            Standing::Broken
        } else if measured.iter().all(|(_, one)| self.holds(*one)) {
            Standing::Holds
        } else {
            Standing::Open
        }
    }

    fn measured(&self, id: &str, summaries: &[Summary]) -> Measured {
        let summary = summaries.iter().find(|summary| summary.contender == id);
        let measured = summary.map_or(Measured::Unknown, |summary| {
            metric::measured(summary, &self.metric.column)
        });
        match measured {
            Measured::Value(value) => Measured::Value(self.metric.converted(value)),
            other => other,
        }
    }

    fn holds(&self, measured: Measured) -> bool {
        match measured {
            Measured::Value(value) => self.op.holds(value, self.bound),
            Measured::Lost | Measured::Unknown => false,
        }
    }

    /// As many digits as it takes to see on which side of the bound a value lies, and three at least.
    fn words(&self, measured: Measured) -> String {
        let value = match measured {
            Measured::Value(value) => value,
            Measured::Lost => return "lost: the quantile falls among updates that never came".to_owned(),
            Measured::Unknown => return "not known".to_owned(),
        };
        if value.fract() == 0.0 {
            return value.to_string();
        }
        let outcome = self.op.holds(value, self.bound);
        let rounded = (2..17).filter_map(|digits| format!("{value:.digits$e}").parse::<f64>().ok());
        let mut told = rounded.filter(|rounded| self.op.holds(*rounded, self.bound) == outcome);
        told.next().unwrap_or(value).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    /// The fixture with these thresholds: whether each holds, and its line.
    fn checked(thresholds: &[&str]) -> Vec<(bool, String)> {
        let mut record = fixture::record();
        record.plan.thresholds = thresholds.iter().map(|text| (*text).to_owned()).collect();
        let summaries = summaries(&record).unwrap();
        let lines = check(&record, &summaries);
        lines
            .into_iter()
            .map(|one| (one.standing == Standing::Holds, one.words()))
            .collect()
    }

    #[track_caller]
    fn is(threshold: &str, holds: bool, found: &str) {
        assert_eq!(checked(&[threshold]), [(holds, format!("{threshold}: {found}"))]);
    }

    #[test]
    fn figures_are_those_of_the_merged_repeats_in_any_unit() {
        // The report says 988 µs for both repeats together.
        is("websocket.latency_p99_us < 1000", true, "988");
        is("websocket.latency_p99_ms < 1", true, "0.988");
        is("websocket.latency_p99_s<0.0009", false, "0.000988");
        is("websocket.bytes_per_update == 204", true, "204");
        is("websocket.server_cpu_ms_per_update <= 0.0072", true, "0.00718");
        is("sse.reach >= 1", true, "1");
        // Counters are summed over the repeats.
        is("long-poll.lagged != 0", true, "2500");
        is("long-poll.errors == 0", true, "0");
    }

    #[test]
    fn all_must_hold_and_those_that_do_not_are_named() {
        is(
            "all.reach > 0.98",
            true,
            "short-poll 1, long-poll 0.988, sse 1, websocket 1",
        );
        is("all.lagged == 0", false, "long-poll 2500");
        is("all.age_mean_ms < 100", false, "short-poll 550");
    }

    #[test]
    fn what_is_lost_or_unknown_holds_nothing() {
        let lost = "lost: the quantile falls among updates that never came";
        is("long-poll.latency_p99_s < 100000", false, lost);
        is("long-poll.latency_p99_s > 1", false, lost);
        is("sse.empty_responses >= 0", false, "not known");
    }

    #[test]
    fn nothing_is_broken_by_a_row_that_is_still_to_come() {
        let standings = |status, has_rows: fn(&str) -> bool| {
            let mut record = fixture::record();
            record.status = status;
            record.rows.retain(|row| has_rows(&row.figures.transport));
            record.plan.thresholds = ["sse.reach == 1", "all.reach >= 0", "all.lagged == 0"]
                .map(str::to_owned)
                .into();
            let found = check(&record, &summaries(&record).unwrap());
            found.into_iter().map(|one| one.standing.name()).collect::<Vec<_>>()
        };
        assert_eq!(standings(RunStatus::Running, |_| true), ["open", "open", "open"]);
        assert_eq!(standings(RunStatus::Finished, |_| true), ["pass", "pass", "FAIL"]);
        // Cut short: what was measured decides where it can.
        let cut = RunStatus::Interrupted;
        assert_eq!(standings(cut, |id| id != "sse"), ["open", "open", "FAIL"]);
        assert_eq!(standings(cut, |id| id == "sse"), ["pass", "open", "open"]);
        // A run that says it is finished has no excuse.
        assert_eq!(
            standings(RunStatus::Finished, |id| id == "long-poll"),
            ["FAIL", "FAIL", "FAIL"]
        );
    }

    #[test]
    fn a_value_is_never_rounded_across_its_bound() {
        // 0.9875 is the share that came.
        is("long-poll.reach >= 0.9876", false, "0.9875");
        is("long-poll.reach < 0.988", true, "0.9875");
    }

    #[test]
    fn a_threshold_of_another_version_is_broken_and_says_why() {
        let (holds, line) = checked(&["websocket.goals > 3"]).remove(0);
        assert!(!holds && line.contains("cannot be checked by this version"), "{line}");
    }
}
