//! The table at the top: the figures most people choose by, and each technique's verdict.

use anyhow::{Context, Result};
use askama::Template;

use crate::report::format::{UNKNOWN, bytes, known, number, quantile, share, time_us};
use crate::report::summary::Summary;
use crate::report::trust::{self, Standing};

use super::table::{Cell, Table};

const COLUMNS: [&str; 12] = [
    "technique",
    "latency p50",
    "latency p99",
    "age, mean",
    "stale",
    "reach",
    "requests per s",
    "bytes per update",
    "server CPU per update",
    "client CPU per update",
    "server memory per client",
    "verdict",
];

/// # Errors
/// Says that the template refused it.
pub fn table(summaries: &[Summary]) -> Result<String> {
    let rows: Vec<Vec<Cell>> = summaries.iter().map(row).collect();
    Table::of("The figures at a glance", &COLUMNS.map(str::to_owned), 1, rows)
        .render()
        .context("could not write the table of figures")
}

fn row(summary: &Summary) -> Vec<Cell> {
    let words = [
        summary.label.to_owned(),
        known(summary.latency(0.5), quantile),
        known(summary.latency(0.99), quantile),
        known(summary.age_mean_us(), time_us),
        known(summary.stale_share(), share),
        known(summary.reach(), share),
        known(summary.requests_per_s(), number),
        known(summary.bytes_per_update(), bytes),
        known(summary.server_cpu_us_per_update(), time_us),
        known(summary.client_cpu_us_per_update(), time_us),
        known(summary.server_rss_bytes_per_client(), bytes),
        trust::of_technique(summary).map_or(UNKNOWN, Standing::name).to_owned(),
    ];
    words.iter().map(|text| Cell::of(text)).collect()
}
