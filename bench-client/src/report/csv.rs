//! summary.csv (one row per transport and repeat) and series.csv (one row per second of it).
//!
//! Columns are the fields of the record, in their order: names, units and meanings stand there. Unknown is an empty cell.

use anyhow::{Context, Result};
use serde::Serialize;

use crate::record::{RunRecord, SeriesPoint, SummaryRow};

/// summary.csv: the columns of [`SummaryRow`].
pub fn summary(record: &RunRecord) -> Result<Vec<u8>> {
    let rows = record.rows.iter().map(|row| &row.figures);
    table(&SummaryRow::default(), rows).context("could not make summary.csv")
}

/// series.csv: scenario, transport and repeat, then the columns of [`SeriesPoint`].
pub fn series(record: &RunRecord) -> Result<Vec<u8>> {
    let points = record
        .rows
        .iter()
        .flat_map(|row| row.series.iter().map(|point| SeriesRow::new(&row.figures, point)));
    table(SeriesRow::new(&SummaryRow::default(), &EMPTY_POINT), points).context("could not make series.csv")
}

#[derive(Serialize)]
struct SeriesRow<'a> {
    scenario: &'a str,
    transport: &'a str,
    repeat: u32,
    // The csv crate cannot flatten a struct, hence the second list of names; a test compares the two.
    second: u32,
    deliveries: u64,
    latency_p50_us: Option<u64>,
    latency_p99_us: Option<u64>,
    requests: u64,
    bytes_sent: u64,
    bytes_received: u64,
    server_cpu_s: Option<f64>,
    client_cpu_s: Option<f64>,
    variant: Option<&'a str>,
}

const EMPTY_POINT: SeriesPoint = SeriesPoint {
    second: 0,
    deliveries: 0,
    latency_p50_us: None,
    latency_p99_us: None,
    requests: 0,
    bytes_sent: 0,
    bytes_received: 0,
    server_cpu_s: None,
    client_cpu_s: None,
};

impl<'a> SeriesRow<'a> {
    fn new(figures: &'a SummaryRow, point: &SeriesPoint) -> Self {
        SeriesRow {
            scenario: &figures.scenario,
            transport: &figures.transport,
            repeat: figures.repeat,
            second: point.second,
            deliveries: point.deliveries,
            latency_p50_us: point.latency_p50_us,
            latency_p99_us: point.latency_p99_us,
            requests: point.requests,
            bytes_sent: point.bytes_sent,
            bytes_received: point.bytes_received,
            server_cpu_s: point.server_cpu_s,
            client_cpu_s: point.client_cpu_s,
            variant: figures.variant.as_deref(),
        }
    }
}

/// A header, and a line for each of `rows`. `example` gives the header its names when there are no rows.
fn table<T: Serialize>(example: T, rows: impl Iterator<Item = T>) -> Result<Vec<u8>> {
    let mut names = csv::Writer::from_writer(Vec::new());
    names.serialize(example)?;
    let names = names.into_inner()?;
    let mut lines = names.split_inclusive(|byte| *byte == b'\n');
    let header = lines.next().unwrap_or_default().to_vec();
    let mut out = csv::WriterBuilder::new().has_headers(false).from_writer(header);
    for row in rows {
        out.serialize(row)?;
    }
    Ok(out.into_inner()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_row_has_every_field_of_a_point() {
        let point = serde_json::to_value(&EMPTY_POINT).unwrap();
        let row = serde_json::to_value(SeriesRow::new(&SummaryRow::default(), &EMPTY_POINT)).unwrap();
        let missing: Vec<_> = point
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| row.get(key.as_str()).is_none())
            .collect();
        assert!(missing.is_empty(), "series.csv lacks {missing:?}");
    }
}
