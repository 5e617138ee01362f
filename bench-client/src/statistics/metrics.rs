//! The figures that techniques and runs are compared by: of each, less is better.

use std::collections::BTreeMap;

use crate::record::{Outcome, Quantile, RunRecord, SummaryRow, Verdict};

/// A figure of a row that claims are made about.
#[derive(Debug)]
pub struct Metric {
    /// Its column in summary.csv.
    pub name: &'static str,
    /// For people, in the middle of a sentence.
    pub label: &'static str,
    /// Whether the label is a plural: "bytes are", "latency is".
    pub plural: bool,
    /// None where the row does not know it, or the quantile is lost.
    pub of: fn(&SummaryRow) -> Option<f64>,
}

/// Every headline metric, in the order of reports.
pub const ALL: [Metric; 6] = [
    Metric {
        name: "latency_p50_us",
        label: "latency p50",
        plural: false,
        of: |row| micros(row.latency_p50_us),
    },
    Metric {
        name: "latency_p99_us",
        label: "latency p99",
        plural: false,
        of: |row| micros(row.latency_p99_us),
    },
    Metric {
        name: "age_mean_us",
        label: "mean age",
        plural: false,
        of: |row| row.age_mean_us,
    },
    Metric {
        name: "bytes_per_update",
        label: "bytes per update",
        plural: true,
        of: |row| row.bytes_per_update,
    },
    Metric {
        name: "server_cpu_us_per_update",
        label: "server CPU per update",
        plural: false,
        of: |row| row.server_cpu_us_per_update,
    },
    Metric {
        name: "server_rss_bytes_per_client",
        label: "server memory per client",
        plural: false,
        of: |row| row.server_rss_bytes_per_client,
    },
];

fn micros(quantile: Option<Quantile>) -> Option<f64> {
    quantile?.us().map(|us| us as f64)
}

/// The logarithms of a transport's figure by repeat, up to `last_repeat`. Rows that failed, were interrupted or are INVALID do
/// not enter, nor does a figure without a logarithm: unknown, lost, zero or negative.
pub fn logs(record: &RunRecord, transport: &str, metric: &Metric, last_repeat: u32) -> BTreeMap<u32, f64> {
    let rows = record.rows.iter().filter(|row| {
        row.figures.transport == transport
            && row.figures.repeat <= last_repeat
            && row.outcome == Outcome::Ok
            && row.figures.validity != Some(Verdict::Invalid)
    });
    rows.filter_map(|row| {
        let value = (metric.of)(&row.figures)?.ln();
        value.is_finite().then_some((row.figures.repeat, value))
    })
    .collect()
}
