//! Two runs, transport by transport: what changed from the first to the second.
//!
//! ```text
//! RunRecord A, RunRecord B -> logs of the repeats of each -> Welch's t -> family (Holm) -> RunChanges -> report/changes.rs
//! ```
//!
//! Nothing pairs the repeats of one run with those of the other, so that what the machine did meanwhile is part of the change.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{ALPHA, Interval, Metric, Verdict, effect::Effect, family, metrics, steps::Steps};
use crate::record::{self, Outcome, Row, RunRecord, SummaryRow};

/// What changed from run A to run B.
#[derive(Debug, Serialize)]
pub struct RunChanges {
    /// A share: less is no change worth acting on.
    pub margin: f64,
    /// The chance that any change is claimed where there is none.
    pub alpha: f64,
    /// Every transport and metric with two repeats or more on both sides: the family.
    pub changes: Vec<Change>,
    /// Transports, each with the metrics that have fewer repeats than two on a side, in words.
    pub untested: Vec<String>,
    /// What must not happen and did, more than in A: failed rows, lost or repeated updates, figures that are gone.
    pub broken: Vec<String>,
    /// INVALID rows of B, in words: they say something of the machine or the bench, and nothing of the software.
    pub invalid: Vec<String>,
}

/// One transport, one metric.
#[derive(Debug, Serialize)]
pub struct Change {
    pub transport: String,
    /// Its name for people.
    pub label: String,
    /// A column of summary.csv.
    pub metric: &'static str,
    #[serde(skip)]
    pub described: &'static Metric,
    /// Geometric means over the repeats.
    pub a: f64,
    pub b: f64,
    /// b / a.
    pub ratio: f64,
    /// Of the ratio.
    pub interval: Interval,
    /// `lower` is better, `higher` is worse: of each metric less is better.
    pub verdict: Verdict,
    pub repeats_a: usize,
    pub repeats_b: usize,
    /// Worse, and the estimate is beyond the margin. The interval may reach into it.
    pub regression: bool,
}

impl RunChanges {
    /// Whether B is a measurement that can be compared: it has no INVALID row, and something could be said of it.
    pub fn is_measurement(&self) -> bool {
        self.invalid.is_empty() && !(self.changes.is_empty() && self.broken.is_empty())
    }

    /// Whether B must not be let through.
    pub fn is_regression(&self) -> bool {
        !self.broken.is_empty() || self.changes.iter().any(|change| change.regression)
    }
}

/// Compares run B with run A. `margin` is a share.
pub fn between_runs(a: &RunRecord, b: &RunRecord, margin: f64) -> RunChanges {
    let mut found = RunChanges {
        margin,
        alpha: ALPHA,
        changes: Vec::new(),
        untested: Vec::new(),
        broken: Vec::new(),
        invalid: Vec::new(),
    };
    let mut untested = Vec::new();
    // The floor is the machine's: what changed of it is no change of a technique.
    let ids = |record: &RunRecord| -> Vec<String> { record.plan.compared().iter().map(ToString::to_string).collect() };
    let (of_a, of_b) = (ids(a), ids(b));
    let shared: Vec<&String> = of_a.iter().filter(|id| of_b.contains(id)).collect();
    let mut effects = Vec::new();
    for metric in &metrics::ALL {
        let of = |record: &RunRecord, id: &str| metrics::logs(record, id, metric, u32::MAX);
        let both: Vec<_> = shared.iter().map(|id| (*id, of(a, id), of(b, id))).collect();
        let samples = both.iter().flat_map(|(_, a, b)| [a, b]);
        let samples: Vec<Vec<f64>> = samples.map(|logs| logs.values().copied().collect()).collect();
        let first = |logs: &BTreeMap<u32, f64>| logs.values().next().copied();
        let differences = both.iter().filter_map(|(_, a, b)| Some(vec![first(a)? - first(b)?]));
        let steps = Steps::of(&samples, differences.collect::<Vec<_>>().iter());
        for (id, a_logs, b_logs) in both {
            let (a_logs, b_logs): (Vec<f64>, Vec<f64>) =
                (a_logs.into_values().collect(), b_logs.into_values().collect());
            let (repeats_a, repeats_b) = (a_logs.len(), b_logs.len());
            let step = steps.unpaired(repeats_a.min(repeats_b));
            let too_small = metrics::too_small(a, id, metric, u32::MAX) || metrics::too_small(b, id, metric, u32::MAX);
            if too_small {
                untested.push((id, metric.label, "too small to measure".to_owned()));
            } else if let Some(effect) = Effect::unpaired(&a_logs, &b_logs, step) {
                let (a_mean, b_mean) = (mean(&a_logs).exp(), mean(&b_logs).exp());
                effects.push(effect);
                found.changes.push(Change {
                    transport: id.clone(),
                    label: label(a, id),
                    metric: metric.name,
                    described: metric,
                    a: a_mean,
                    b: b_mean,
                    ratio: b_mean / a_mean,
                    // Both are the family's to say, below.
                    interval: Interval {
                        low: 0.0,
                        high: f64::MAX,
                        level: 0.0,
                    },
                    verdict: Verdict::Inconclusive { repeats: None },
                    repeats_a,
                    repeats_b,
                    regression: false,
                });
            } else if repeats_a >= 2 && chances(b, id) >= 2 {
                found.broken.push(format!(
                    "{}: {}: {repeats_a} repeats with a figure in A, {repeats_b} in B",
                    label(a, id),
                    metric.label
                ));
            } else if repeats_a + repeats_b > 0 {
                let words = format!("{repeats_a} in A and {repeats_b} in B with a figure");
                untested.push((id, metric.label, words));
            }
        }
    }
    found.untested = by_transport(a, &shared, &untested);
    for (change, judged) in found.changes.iter_mut().zip(family::judge(&effects, ALPHA, margin)) {
        (change.interval, change.verdict) = (judged.interval, judged.verdict);
        change.regression = change.verdict == Verdict::Higher && change.ratio > 1.0 + margin;
    }
    for id in shared {
        found.broken.extend(broken(a, b, id));
        let count = rows_of(b, id).into_iter().filter(|row| is_invalid(row)).count();
        if count > 0 {
            found.invalid.push(format!("{}: rows INVALID: {count}", label(a, id)));
        }
    }
    found
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn label(record: &RunRecord, id: &str) -> String {
    record.label(id).to_owned()
}

fn is_invalid(row: &Row) -> bool {
    row.figures.validity == Some(record::Verdict::Invalid)
}

fn rows_of<'a>(record: &'a RunRecord, id: &str) -> Vec<&'a Row> {
    let rows = record.rows.iter();
    rows.filter(|row| row.figures.is_of(id)).collect()
}

/// Rows in which a transport could have shown its figures: neither cut short nor INVALID.
fn chances(record: &RunRecord, id: &str) -> usize {
    let rows = rows_of(record, id).into_iter();
    rows.filter(|row| row.outcome != Outcome::Interrupted && !is_invalid(row))
        .count()
}

/// A line per transport and reason, with its figures.
fn by_transport(record: &RunRecord, ids: &[&String], untested: &[(&String, &str, String)]) -> Vec<String> {
    let mut lines = Vec::new();
    for id in ids {
        let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
        for (_, metric, reason) in untested.iter().filter(|(one, _, _)| one == id) {
            match reasons.iter_mut().find(|(known, _)| known == reason) {
                Some((_, lacking)) => lacking.push(*metric),
                None => reasons.push((reason.as_str(), vec![*metric])),
            }
        }
        lines.extend(reasons.into_iter().map(|(reason, lacking)| {
            let what = if lacking.len() == metrics::ALL.len() {
                "every figure".to_owned()
            } else {
                lacking.join(", ")
            };
            format!("{}: {what} ({reason})", label(record, id))
        }));
    }
    lines
}

/// What must not happen, and happened to a transport in B more than in A.
fn broken(a: &RunRecord, b: &RunRecord, id: &str) -> Vec<String> {
    let (a_rows, b_rows) = (rows_of(a, id), rows_of(b, id));
    let name = label(a, id);
    let mut said = Vec::new();
    let failed = |rows: &[&Row]| {
        let failed = rows.iter().filter(|row| matches!(row.outcome, Outcome::Failed { .. }));
        failed.count()
    };
    let (before, now) = (failed(&a_rows), failed(&b_rows));
    if now > before {
        said.push(format!("{name}: rows failed: {} in A, {now} in B", none_or(before)));
    }
    let counters: [(&str, Counter); 4] = [
        ("missed", |row| row.missed),
        ("duplicates", |row| row.duplicates),
        ("out_of_order", |row| row.out_of_order),
        ("lagged", |row| row.lagged),
    ];
    for (words, counter) in counters {
        let (before, now) = (total(&a_rows, counter), total(&b_rows, counter));
        let expected: Counter = |row| row.updates_expected;
        let (of_a, of_b) = (total(&a_rows, expected), total(&b_rows, expected));
        if rises((before, of_a), (now, of_b)) {
            said.push(match (of_a, of_b) {
                (1.., 1..) if before > 0 => {
                    format!("{name}: {words}: {before} of {of_a} expected in A, {now} of {of_b} in B")
                }
                _ => format!("{name}: {words}: {before} in A, {now} in B"),
            });
        }
    }
    if !a_rows.is_empty() && b_rows.is_empty() {
        said.push(format!("{name}: measured in A, no row in B"));
    }
    said
}

type Counter = fn(&SummaryRow) -> Option<u64>;

/// A record is a file, and may say anything: sums stop at the largest number.
fn total(rows: &[&Row], of: Counter) -> u64 {
    let known = rows.iter().filter_map(|row| of(&row.figures));
    known.fold(0, u64::saturating_add)
}

/// Whether (count, expected) is a greater share in the second; where nothing tells what was expected, whether the count is.
fn rises(a: (u64, u64), b: (u64, u64)) -> bool {
    if a.1 == 0 || b.1 == 0 {
        return b.0 > a.0;
    }
    // Cross-multiplied: no rounding makes equal shares differ.
    u128::from(b.0) * u128::from(a.1) > u128::from(a.0) * u128::from(b.1)
}

fn none_or(count: usize) -> String {
    if count == 0 {
        "none".to_owned()
    } else {
        count.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_compared_and_counts_where_there_are_none() {
        assert!(rises((1, 100), (2, 100)) && !rises((1, 100), (2, 200)) && !rises((2, 100), (1, 100)));
        assert!(rises((1, 0), (2, 100)) && !rises((1, 0), (1, 0)));
        assert!(rises((0, 100), (1, u64::MAX)));
    }

    /// A gap in B that no number of repeats fills: neither compared nor broken.
    #[test]
    fn memory_of_zero_or_less_is_too_small_to_measure() {
        let a = crate::report::fixture::record();
        let mut b = a.clone();
        for row in &mut b.rows {
            row.figures.server_rss_bytes_per_client = Some(-1.0);
        }
        let found = between_runs(&a, &b, 0.1);
        let said = |words: &str| found.untested.iter().any(|line| line.contains(words));
        assert!(
            said("Short polling: server memory per client (too small to measure)"),
            "{found:#?}"
        );
        assert!(found.broken.iter().all(|line| !line.contains("memory")), "{found:#?}");
    }

    #[test]
    fn counters_that_a_file_makes_absurd_do_not_overflow() {
        let (a, mut b) = (crate::report::fixture::record(), crate::report::fixture::record());
        for row in &mut b.rows {
            (row.figures.missed, row.figures.updates_expected) = (Some(u64::MAX), Some(u64::MAX));
        }
        assert!(between_runs(&a, &b, 0.1).is_regression());
    }
}
