//! metrics.txt: the figures of every row as OpenMetrics text, for programs that read metrics and no CSV.
//!
//! ```text
//! rows -> SummaryRow as JSON (its numbers) + its JSON Schema (their meaning) -> gauges -> metrics.txt
//! ```
//!
//! The name is the one GitLab asks for in a job's metrics report, which shows in a merge request what has changed. Metrics are
//! named as the columns of summary.csv, with `bench_client_` before them: one name for a figure everywhere. All are gauges,
//! counters too, since nothing goes on counting. Unknown has no sample; a quantile among the lost updates is at +∞, as in the record.

use anyhow::{Context, Result};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, text::encode},
    metrics::{MetricType, gauge::ConstGauge},
    registry::{Registry, Unit},
};
use schemars::schema_for;
use serde_json::{Map, Value};

use crate::record::{RunRecord, SummaryRow, Verdict};

const PREFIX: &str = "bench_client";
/// The columns that tell rows apart, in this order; one that rows do not have is no label.
const LABELS: [&str; 4] = ["scenario", "transport", "variant", "repeat"];
/// Units that may stand last in a name, as OpenMetrics demands of a unit.
const UNITS: [&str; 4] = ["us", "s", "hz", "bytes"];
/// The verdict, which is no number in the record.
const VERDICT: &str = "validity";

type Labels = Vec<(&'static str, String)>;

/// One metric with a sample for every row that knows it, in the record's order: the same record gives the same file.
#[derive(Debug)]
struct Figures {
    name: String,
    unit: Option<Unit>,
    help: String,
    samples: Vec<(Labels, f64)>,
}

/// Hands the library what to write, in this order.
#[derive(Debug)]
struct All(Vec<Figures>);

impl Collector for All {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), std::fmt::Error> {
        for one in &self.0 {
            let mut metric = encoder.encode_descriptor(&one.name, &one.help, one.unit.as_ref(), MetricType::Gauge)?;
            for (labels, value) in &one.samples {
                ConstGauge::new(*value).encode(metric.encode_family(labels)?)?;
            }
        }
        Ok(())
    }
}

/// The file, `# EOF` and all.
///
/// # Errors
/// A row that cannot be encoded.
pub fn text(record: &RunRecord) -> Result<String> {
    let rows = record.rows.iter().map(|row| fields(&row.figures));
    let rows: Vec<Map<String, Value>> = rows.collect::<Result<_>>()?;
    let figures = meanings().into_iter().map(|(name, meaning)| {
        let sample = |row: &Map<String, Value>| Some((labels(row), number(&name, row.get(&name)?)?));
        figures(&name, &meaning, rows.iter().filter_map(sample).collect())
    });
    let figures = figures.filter(|one| !one.samples.is_empty()).collect();
    let mut registry = Registry::with_prefix(PREFIX);
    registry.register_collector(Box::new(All(figures)));
    let mut text = String::new();
    encode(&mut text, &registry).context("could not make metrics.txt")?;
    Ok(text)
}

/// Every column of summary.csv that is no label, with what it means.
fn meanings() -> Vec<(String, String)> {
    let schema = schema_for!(SummaryRow);
    let properties = schema.get("properties").and_then(Value::as_object);
    let columns = properties.into_iter().flatten();
    let columns = columns.filter(|(name, _)| !LABELS.contains(&name.as_str()));
    columns
        .map(|(name, property)| {
            let meaning = property.get("description").and_then(Value::as_str).unwrap_or_default();
            (name.clone(), meaning.to_owned())
        })
        .collect()
}

fn fields(row: &SummaryRow) -> Result<Map<String, Value>> {
    match serde_json::to_value(row).context("a row could not be encoded")? {
        Value::Object(fields) => Ok(fields),
        other => anyhow::bail!("a row was encoded as {other}"),
    }
}

fn labels(row: &Map<String, Value>) -> Labels {
    let value = |name: &'static str| match row.get(name)? {
        Value::String(text) => Some((name, text.clone())),
        Value::Number(number) => Some((name, number.to_string())),
        _ => None,
    };
    LABELS.into_iter().filter_map(value).collect()
}

/// A figure; None for what is unknown or no figure.
fn number(name: &str, value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) if text == "lost" => Some(f64::INFINITY),
        Value::String(text) if name == VERDICT => {
            let all = [Verdict::Valid, Verdict::Suspect, Verdict::Invalid];
            all.iter()
                .position(|verdict| verdict.name() == text)
                .map(|grade| grade as f64)
        }
        _ => None,
    }
}

fn figures(name: &str, meaning: &str, samples: Vec<(Labels, f64)>) -> Figures {
    let mut help = meaning.replace('\n', " ");
    if name == VERDICT {
        help += " 0: VALID, 1: SUSPECT, 2: INVALID.";
    }
    let (stem, unit) = match name.rsplit_once('_') {
        Some((stem, unit)) if UNITS.contains(&unit) => (stem, Some(Unit::Other(unit.to_owned()))),
        _ => (name, None),
    };
    Figures {
        name: stem.to_owned(),
        unit,
        // The library escapes values of labels, but not this.
        help: help.replace('\\', "\\\\").replace('"', "\\\""),
        samples,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn every_figure_has_a_meaning() {
        let without: Vec<_> = meanings()
            .into_iter()
            .filter(|(_, meaning)| meaning.len() < 5)
            .collect();
        assert!(without.is_empty(), "no words beside their fields: {without:?}");
    }

    #[test]
    fn the_file() {
        insta::assert_snapshot!(text(&fixture::record()).unwrap());
        assert_eq!(text(&fixture::empty()).unwrap(), "# EOF\n");
    }

    #[test]
    fn a_hostile_name_stays_within_its_label() {
        let mut record = fixture::record();
        record.rows.truncate(1);
        record.rows[0].figures.scenario = "a\"} 1\nb \\".to_owned();
        let text = text(&record).unwrap();
        assert!(
            text.contains("{scenario=\"a\\\"} 1\\nb \\\\\",transport=\"short-poll\",repeat=\"1\"}"),
            "{text}"
        );
    }
}
