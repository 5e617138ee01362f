//! The figures that techniques and runs are compared by: of each, less is better.

use std::collections::BTreeMap;

use crate::record::{Outcome, Quantile, Row, RunRecord, SummaryRow, Verdict};

/// A figure of a row that claims are made about.
#[derive(Debug)]
pub struct Metric {
    /// Its column in summary.csv.
    pub name: &'static str,
    /// For people, in the middle of a sentence.
    pub label: &'static str,
    /// Whether the label is a plural: "bytes are", "latency is".
    pub plural: bool,
    /// Whether it is the difference of two clocks' times: what they may disagree by is in it.
    pub between_clocks: bool,
    /// None where the row does not know it, or the quantile is lost.
    pub of: fn(&SummaryRow) -> Option<f64>,
}

/// Every headline metric, in the order of reports.
pub const ALL: [Metric; 6] = [
    Metric {
        name: "latency_p50_us",
        label: "latency p50",
        plural: false,
        between_clocks: true,
        of: |row| micros(row.latency_p50_us),
    },
    Metric {
        name: "latency_p99_us",
        label: "latency p99",
        plural: false,
        between_clocks: true,
        of: |row| micros(row.latency_p99_us),
    },
    Metric {
        name: "age_mean_us",
        label: "mean age",
        plural: false,
        between_clocks: true,
        of: |row| row.age_mean_us,
    },
    Metric {
        name: "bytes_per_update",
        label: "bytes per update",
        plural: true,
        between_clocks: false,
        of: |row| row.bytes_per_update,
    },
    Metric {
        name: "server_cpu_us_per_update",
        label: "server CPU per update",
        plural: false,
        between_clocks: false,
        of: |row| row.server_cpu_us_per_update,
    },
    Metric {
        name: "server_rss_bytes_per_client",
        label: "server memory per client",
        plural: false,
        between_clocks: false,
        of: |row| row.server_rss_bytes_per_client,
    },
];

fn micros(quantile: Option<Quantile>) -> Option<f64> {
    quantile?.us().map(|us| us as f64)
}

/// Rows of a contender that enter comparisons, up to `last_repeat`: those that failed, were interrupted or are INVALID do not.
fn entering<'a>(record: &'a RunRecord, contender: &'a str, last_repeat: u32) -> impl Iterator<Item = &'a Row> {
    record.rows.iter().filter(move |row| {
        row.figures.is_of(contender)
            && row.figures.repeat <= last_repeat
            && row.outcome == Outcome::Ok
            && row.figures.validity != Some(Verdict::Invalid)
    })
}

/// Whether a figure is zero or less in any repeat, as memory per client, a difference, can be. To leave out such repeats alone would
/// keep those that happened to come out high.
pub fn too_small(record: &RunRecord, contender: &str, metric: &Metric, last_repeat: u32) -> bool {
    let mut figures = entering(record, contender, last_repeat).filter_map(|row| (metric.of)(&row.figures));
    figures.any(|figure| figure <= 0.0)
}

/// Whether any figure that enters is of a SUSPECT row.
pub fn suspect(record: &RunRecord, contender: &str, metric: &Metric, last_repeat: u32) -> bool {
    let mut rows = entering(record, contender, last_repeat);
    rows.any(|row| row.figures.validity == Some(Verdict::Suspect) && (metric.of)(&row.figures).is_some())
}

/// The logarithms of a contender's figure by repeat. A figure without a logarithm does not enter: unknown, lost, zero or negative; nor
/// does a time between two clocks that may disagree by more than the margin of it: below that bound nothing can be claimed.
pub fn logs(record: &RunRecord, contender: &str, metric: &Metric, last_repeat: u32) -> BTreeMap<u32, f64> {
    entering(record, contender, last_repeat)
        .filter_map(|row| {
            let figure = (metric.of)(&row.figures)?;
            let hidden = metric.between_clocks && row.clock_bound_us as f64 > record.plan.margin * figure;
            let value = figure.ln();
            (value.is_finite() && !hidden).then_some((row.figures.repeat, value))
        })
        .collect()
}
