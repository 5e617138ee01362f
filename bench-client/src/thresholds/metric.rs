//! What a threshold may be about: the numeric columns of summary.csv, over the merged repeats.
//!
//! Their names come from the record's own type. How the repeats of each make one figure stands here, and a test holds the two
//! together: sums of counters, ratios of sums, quantiles of merged histograms, as in the report.

use std::sync::LazyLock;

use serde_json::Value;

use crate::{
    record::{Quantile, SummaryRow},
    report::{
        histogram::Distribution,
        summary::{Summary, median},
    },
};

/// Received or superseded, over expected: in the report, and no column.
const REACH: &str = "reach";
/// The column that only numbers the row.
const REPEAT: &str = "repeat";

/// How many µs each unit of time is.
const UNITS: [(&str, f64); 3] = [("us", 1.0), ("ms", 1e3), ("s", 1e6)];

/// A figure in a unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    pub column: String,
    /// One of the column's unit in µs, and one of the unit asked for.
    from_us: f64,
    to_us: f64,
}

/// A transport's figure over its repeats.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measured {
    Value(f64),
    /// A quantile among the updates that never came.
    Lost,
    Unknown,
}

impl Metric {
    /// From the column's unit to the one asked for.
    pub fn converted(&self, value: f64) -> f64 {
        value * self.from_us / self.to_us
    }
}

/// Every metric by every name it may be written with. Made once: the names come from the record's schema.
static ALL: LazyLock<Vec<(String, Metric)>> =
    LazyLock::new(|| columns().iter().flat_map(|column| metrics(column)).collect());

/// The metric of this name, in the unit it is written with.
pub fn find(name: &str) -> Option<Metric> {
    let mut all = ALL.iter();
    let (_, metric) = all.find(|(spelling, _)| spelling == name)?;
    Some(metric.clone())
}

/// Every name a metric may be written with.
pub fn spellings() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|(spelling, _)| spelling.as_str())
}

/// Numeric columns of summary.csv, and reach.
fn columns() -> Vec<String> {
    let schema = schemars::schema_for!(SummaryRow);
    let numeric = |of: &Value| {
        let text = of.to_string();
        ["\"integer\"", "\"number\"", "/Quantile\""]
            .iter()
            .any(|kind| text.contains(kind))
    };
    let properties = schema.get("properties").and_then(Value::as_object);
    let columns = properties.into_iter().flatten();
    let columns = columns.filter(|(name, of)| numeric(of) && name.as_str() != REPEAT);
    columns
        .map(|(name, _)| name.clone())
        .chain([REACH.to_owned()])
        .collect()
}

/// A column in its own unit, and a time in the others too: the unit is the last word of the name, or the one before `per`.
fn metrics(column: &str) -> Vec<(String, Metric)> {
    let words: Vec<&str> = column.split('_').collect();
    let unit = words.iter().enumerate().find_map(|(at, word)| {
        let is_unit = at + 1 == words.len() || words[at + 1] == "per";
        let (_, us) = UNITS.iter().find(|(name, _)| is_unit && name == word)?;
        Some((at, *us))
    });
    let metric = |from_us, to_us| Metric {
        column: column.to_owned(),
        from_us,
        to_us,
    };
    let Some((at, from_us)) = unit else {
        return vec![(column.to_owned(), metric(1.0, 1.0))];
    };
    let in_unit = |(name, to_us): &(&'static str, f64)| {
        let mut words = words.clone();
        words[at] = name;
        (words.join("_"), metric(from_us, *to_us))
    };
    UNITS.iter().map(in_unit).collect()
}

/// A transport's figure over all its repeats, in the column's unit.
pub fn measured(summary: &Summary, column: &str) -> Measured {
    rule(summary, column).unwrap_or(Measured::Unknown)
}

/// `None` for a column that has no rule: a test keeps that from happening.
fn rule(summary: &Summary, column: &str) -> Option<Measured> {
    let latency = |q| quantile(summary.latency.as_ref(), q);
    Some(match column {
        REACH => value(summary.reach()),
        "latency_p50_us" => latency(0.5),
        "latency_p90_us" => latency(0.9),
        "latency_p99_us" => latency(0.99),
        "latency_p999_us" => latency(0.999),
        "latency_max_us" => latency(1.0),
        "connect_p50_us" => quantile(summary.connect.as_ref(), 0.5),
        "connect_p99_us" => quantile(summary.connect.as_ref(), 0.99),
        "catch_up_p50_us" => quantile(summary.catch_up.as_ref(), 0.5),
        "catch_up_p99_us" => quantile(summary.catch_up.as_ref(), 0.99),
        "resume_p50_us" => quantile(summary.resume.as_ref(), 0.5),
        "resume_p99_us" => quantile(summary.resume.as_ref(), 0.99),
        "restored_p50_us" => quantile(summary.restored.as_ref(), 0.5),
        "restored_max_us" => quantile(summary.restored.as_ref(), 1.0),
        "client_lag_p99_us" => quantile(summary.client_lag.as_ref(), 0.99),
        "server_lag_p99_us" => quantile(summary.server_lag.as_ref(), 0.99),
        "age_mean_us" => value(summary.age_mean_us()),
        "stale_share" => value(summary.stale_share()),
        "bytes_per_update" => value(summary.bytes_per_update()),
        "setup_bytes_per_client" => value(summary.setup_bytes_per_client()),
        "server_cpu_us_per_update" => value(summary.server_cpu_us_per_update()),
        "client_cpu_us_per_update" => value(summary.client_cpu_us_per_update()),
        "server_rss_bytes_per_client" => value(summary.server_rss_bytes_per_client()),
        "wire_bytes_per_update" => value(summary.wire_bytes_per_update()),
        "wire_bytes_per_update_at_1500" => value(summary.wire_bytes_per_update_at_1500()),
        "others_cpu_share" => value(summary.others_cpu_share()),
        "steal_share" => value(summary.steal_share()),
        // Counters.
        "updates_published"
        | "updates_expected"
        | "updates_received"
        | "deliveries"
        | "missed"
        | "superseded"
        | "duplicates"
        | "out_of_order"
        | "lagged"
        | "negative_latencies"
        | "connections"
        | "connections_total"
        | "reconnects"
        | "errors"
        | "requests"
        | "requests_total"
        | "empty_responses"
        | "polls_skipped"
        | "payload_bytes"
        | "bytes_sent"
        | "bytes_received"
        | "server_cpu_s"
        | "client_cpu_s"
        | "wire_bytes_sent"
        | "wire_bytes_received"
        | "segments_sent"
        | "segments_received"
        | "retransmitted_segments"
        | "leaves"
        | "catch_up_updates" => {
            let cells = cells(summary, column);
            if cells.is_empty() {
                Measured::Unknown
            } else {
                Measured::Value(cells.iter().sum())
            }
        }
        // Quantiles whose histograms the record does not keep: none can be merged, so the longest repeat speaks for all.
        // A peak of one repeat is one of all.
        "age_p99_us" | "spread_p99_us" | "publish_lag_p99_us" | "peak_requests_per_s" => {
            value(cells(summary, column).into_iter().reduce(f64::max))
        }
        // Each repeat stands by itself: its floor's, and its ticks.
        "server_cpu_kernel_share"
        | "client_cpu_kernel_share"
        | "server_cpu_x_floor"
        | "client_cpu_x_floor"
        | "spread_x_floor" => value(median(cells(summary, column))),
        // What the plan says, and the window: one value, or they are not of one plan.
        "clients" | "topics" | "rate_hz" | "update_bytes" | "poll_interval_ms" | "seed" | "duration_s"
        | "stalled_clients" => {
            let cells = cells(summary, column);
            value(
                cells
                    .first()
                    .copied()
                    .filter(|first| cells.iter().all(|cell| cell == first)),
            )
        }
        _ => return None,
    })
}

fn value(value: Option<f64>) -> Measured {
    value.map_or(Measured::Unknown, Measured::Value)
}

fn quantile(of: Option<&Distribution>, q: f64) -> Measured {
    match of.and_then(|of| of.quantile(q)) {
        Some(Quantile::Us(us)) => Measured::Value(us as f64),
        Some(Quantile::Lost(_)) => Measured::Lost,
        None => Measured::Unknown,
    }
}

/// The known cells of a column.
fn cells(summary: &Summary, column: &str) -> Vec<f64> {
    let cell = |row: &&crate::record::Row| {
        let figures = serde_json::to_value(&row.figures).expect("figures are plain JSON");
        figures.get(column).and_then(Value::as_f64)
    };
    summary.rows.iter().filter_map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{fixture, summary::summaries};

    #[test]
    fn every_numeric_column_has_a_rule_and_words_have_none() {
        let record = fixture::record();
        let summaries = summaries(&record).unwrap();
        let columns = columns();
        assert!(columns.len() > 50, "{columns:?}");
        for column in &columns {
            assert!(
                rule(&summaries[3], column).is_some(),
                "{column}: say in rule() how its repeats make one figure"
            );
        }
        for words in ["scenario", "transport", "validity", "mode", "request_headers"] {
            assert!(!columns.iter().any(|column| column == words), "{words}");
        }
    }

    #[test]
    fn one_repeat_alone_is_its_own_figure() {
        // Each rule reads the column it stands for: with one row, the merged figure is that row's cell, to the histograms' three digits.
        let mut record = fixture::record();
        record.rows.retain(|row| row.figures.repeat == 1);
        let row = serde_json::to_value(&record.rows[3].figures).unwrap();
        for column in columns().iter().filter(|column| *column != REACH) {
            let Some(cell) = row[column.as_str()].as_f64() else {
                continue;
            };
            let Measured::Value(merged) = measured(&summaries(&record).unwrap()[3], column) else {
                panic!("{column} is {cell} in the row and unknown over all")
            };
            assert!(
                (merged - cell).abs() <= cell.abs() * 5e-3,
                "{column}: {merged}, not {cell}"
            );
        }
    }

    #[test]
    fn times_have_three_spellings_and_sizes_one() {
        let of = |column: &str| metrics(column).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(of("server_cpu_s"), ["server_cpu_us", "server_cpu_ms", "server_cpu_s"]);
        assert_eq!(
            of("client_cpu_us_per_update"),
            [
                "client_cpu_us_per_update",
                "client_cpu_ms_per_update",
                "client_cpu_s_per_update"
            ]
        );
        assert_eq!(of("bytes_sent"), ["bytes_sent"]);
        let mut all: Vec<_> = spellings().collect();
        let n = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), n, "no name means two things");
    }
}
