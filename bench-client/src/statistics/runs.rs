//! Two runs, transport by transport: what changed from the first to the second.
//!
//! ```text
//! RunRecord A, RunRecord B -> logs of the repeats of each -> Welch's t -> family (Holm) -> Changes -> report/changes.rs
//! ```
//!
//! Nothing pairs the repeats of one run with those of the other, so that what the machine did meanwhile is part of the change.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{ALPHA, Interval, Metric, Verdict, effect::Effect, family, metrics, steps::Steps};
use crate::record::{self, Outcome, Row, RunRecord, SummaryRow};

/// What changed from run A to run B.
#[derive(Debug, Serialize)]
pub struct Changes {
    /// A share: less is no change worth acting on.
    pub margin: f64,
    /// The chance that any verdict is wrong.
    pub alpha: f64,
    /// Every transport and metric with two repeats or more on both sides: the family.
    pub changes: Vec<Change>,
    /// Transports and metrics with fewer repeats than two on a side, in words.
    pub untested: Vec<String>,
    /// What must not happen and did: failed or INVALID rows, lost or repeated updates, where A had none.
    pub broken: Vec<String>,
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
    /// Worse, and by more than the margin.
    pub regression: bool,
}

impl Changes {
    /// Whether B must not be let through.
    pub fn is_regression(&self) -> bool {
        !self.broken.is_empty() || self.changes.iter().any(|change| change.regression)
    }
}

/// Compares run B with run A. `margin` is a share.
pub fn between_runs(a: &RunRecord, b: &RunRecord, margin: f64) -> Changes {
    let mut found = Changes {
        margin,
        alpha: ALPHA,
        changes: Vec::new(),
        untested: Vec::new(),
        broken: Vec::new(),
    };
    let shared: Vec<&String> = a
        .plan
        .transports
        .iter()
        .filter(|id| b.plan.transports.contains(id))
        .collect();
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
            if let Some(effect) = Effect::unpaired(&a_logs, &b_logs, step) {
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
            } else if repeats_a + repeats_b > 0 {
                found.untested.push(format!(
                    "{}, {}: {repeats_a} in A and {repeats_b} in B with a figure",
                    label(a, id),
                    metric.label
                ));
            }
        }
    }
    for (change, judged) in found.changes.iter_mut().zip(family::judge(&effects, ALPHA, margin)) {
        (change.interval, change.verdict) = (judged.interval, judged.verdict);
        change.regression = change.verdict == Verdict::Higher && change.ratio > 1.0 + margin;
    }
    for id in shared {
        found.broken.extend(broken(a, b, id));
    }
    found
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn label(record: &RunRecord, id: &str) -> String {
    let described = record.transports.iter().find(|one| one.id == id);
    described.map_or(id, |one| &one.label).to_owned()
}

/// What a transport did in B and never in A.
fn broken(a: &RunRecord, b: &RunRecord, id: &str) -> Vec<String> {
    let rows = |record: &RunRecord, is: fn(&Row) -> bool| {
        let of_it = record.rows.iter().filter(|row| row.figures.transport == id);
        of_it.filter(|row| is(row)).count()
    };
    let total = |record: &RunRecord, of: fn(&SummaryRow) -> Option<u64>| -> u64 {
        let of_it = record.rows.iter().filter(|row| row.figures.transport == id);
        of_it.filter_map(|row| of(&row.figures)).sum()
    };
    let failed: fn(&Row) -> bool = |row| matches!(row.outcome, Outcome::Failed { .. });
    let invalid: fn(&Row) -> bool = |row| row.figures.validity == Some(record::Verdict::Invalid);
    let name = label(a, id);
    let mut said = Vec::new();
    for (is, words) in [(failed, "failed"), (invalid, "INVALID")] {
        let (before, now) = (rows(a, is), rows(b, is));
        if before == 0 && now > 0 {
            said.push(format!("{name}: rows {words}: none in A, {now} in B"));
        }
    }
    type Counter = fn(&SummaryRow) -> Option<u64>;
    let counters: [(&str, Counter); 4] = [
        ("missed", |row| row.missed),
        ("duplicates", |row| row.duplicates),
        ("out_of_order", |row| row.out_of_order),
        ("lagged", |row| row.lagged),
    ];
    for (words, of) in counters {
        let (before, now) = (total(a, of), total(b, of));
        if before == 0 && now > 0 {
            said.push(format!("{name}: {words}: 0 in A, {now} in B"));
        }
    }
    let measured = |record| rows(record, |_| true);
    if measured(a) > 0 && measured(b) == 0 {
        said.push(format!("{name}: measured in A, no row in B"));
    }
    said
}
