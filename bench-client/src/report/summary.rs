//! One contender's figures over all its repeats (a transport's, or with variants those of a transport in one of them), for the terminal, report.md and the charts.
//!
//! ```text
//! rows of one contender -> counters summed, histograms merged -> Summary
//! ```
//!
//! Every row counts with whatever it knows, a failed or interrupted one too: leaving it out would flatter the transport. A
//! ratio divides sums by sums over the rows that know both; quantiles come from merged histograms. Nothing here is an average
//! of ratios or quantiles, and what no row knows is `None`.

mod bytes;

use anyhow::{Context, Result};

use crate::record::{Quantile, Quantiles, Row, RunRecord, SummaryRow};

pub use bytes::{Layers, PrintedLayers};

use super::histogram::Distribution;

/// A contender's figures over its repeats.
#[derive(Debug, Clone)]
pub struct Summary<'a> {
    /// What it sums up: the transport's id, with variants `<transport>/<variant>`.
    pub contender: &'a str,
    /// Transport id.
    pub transport: &'a str,
    /// Name of the variant, where the plan has some.
    pub variant: Option<&'a str>,
    /// Its name for people, the variant's included.
    pub label: &'a str,
    /// The transport's own.
    pub transport_label: &'a str,
    /// Position among all contenders.
    pub place: usize,
    /// The transport's position in the plan: charts give it its colour.
    pub position: usize,
    /// The variant's position in the plan: charts tell variants apart by it.
    pub variant_position: usize,
    /// Rows measured, in the order of the record; fewer than planned after an interrupt.
    pub rows: Vec<&'a Row>,
    pub latency: Option<Distribution>,
    pub connect: Option<Distribution>,
    pub catch_up: Option<Distribution>,
    /// From coming back to holding what was missed.
    pub resume: Option<Distribution>,
    /// From the kill of the server to the newest state again.
    pub restored: Option<Distribution>,
    /// What a byte waited in a client's socket, by the probes.
    pub client_lag: Option<Distribution>,
    /// The same in the server's runtime.
    pub server_lag: Option<Distribution>,
}

/// The summaries of every contender of the plan, those without a row too.
///
/// # Errors
/// Names the row whose histogram cannot be read.
pub fn summaries(record: &RunRecord) -> Result<Vec<Summary<'_>>> {
    let contenders = contenders(record).into_iter();
    contenders
        .enumerate()
        .map(|(place, contender)| summary(record, place, contender))
        .collect()
}

/// A contender's name for people, its id where the record has none.
pub fn label<'a>(record: &'a RunRecord, contender: &'a str) -> &'a str {
    record.label(contender)
}

/// The name of what a row is a row of.
pub fn row_label<'a>(record: &'a RunRecord, row: &'a Row) -> &'a str {
    let figures = &row.figures;
    let varied = record.contenders.iter().find(|one| figures.is_of(&one.id));
    varied.map_or_else(|| label(record, &figures.transport), |one| &one.label)
}

/// What is summed up: its id, its transport, its variant.
type Contender<'a> = (&'a str, &'a str, Option<&'a str>);

/// The plan's contenders, and behind them any that has rows without being planned.
fn contenders(record: &RunRecord) -> Vec<Contender<'_>> {
    let varied = record.contenders.iter();
    let mut found: Vec<Contender> = varied
        .map(|one| (one.id.as_str(), one.transport.as_str(), Some(one.variant.as_str())))
        .collect();
    let measured = record.rows.iter().map(|row| &row.figures);
    let unvaried = measured
        .filter(|figures| figures.variant.is_none())
        .map(|figures| &figures.transport);
    let planned = record.plan.transports.iter().filter(|_| record.contenders.is_empty());
    for id in planned.chain(unvaried) {
        if !found.iter().any(|(known, ..)| known == id) {
            found.push((id, id, None));
        }
    }
    found
}

fn summary<'a>(
    record: &'a RunRecord,
    place: usize,
    (contender, transport, variant): Contender<'a>,
) -> Result<Summary<'a>> {
    let rows: Vec<&Row> = record.rows.iter().filter(|row| row.figures.is_of(contender)).collect();
    let plan = &record.plan;
    let position = plan.transports.iter().position(|id| id == transport);
    let variant_position = plan.variants.iter().position(|one| Some(one.name.as_str()) == variant);
    Ok(Summary {
        contender,
        transport,
        variant,
        label: label(record, contender),
        transport_label: label(record, transport),
        place,
        // One that was never planned has the place behind them.
        position: position.unwrap_or(plan.transports.len()),
        variant_position: variant_position.unwrap_or(0),
        latency: merged(&rows, "latency", |row| row.latency.as_ref())?,
        connect: merged(&rows, "connect", |row| row.connect.as_ref())?,
        catch_up: merged(&rows, "catch-up", |row| row.catch_up.as_ref())?,
        resume: merged(&rows, "resume", |row| row.resume.as_ref())?,
        restored: merged(&rows, "recovery", |row| Some(&row.recovery.as_ref()?.restored))?,
        client_lag: merged(&rows, "client lag", |row| row.health.client_lag.as_ref())?,
        server_lag: merged(&rows, "server lag", |row| row.health.server_lag.as_ref())?,
        rows,
    })
}

/// The histograms of all rows as one; `None` when no row has any.
fn merged(rows: &[&Row], what: &str, of: impl Fn(&Row) -> Option<&Quantiles>) -> Result<Option<Distribution>> {
    let mut all: Option<Distribution> = None;
    for row in rows {
        let Some(quantiles) = of(row) else { continue };
        let one = Distribution::decode(quantiles)
            .with_context(|| format!("{what} of {}, repeat {}", row.figures.contender(), row.figures.repeat))?;
        match &mut all {
            Some(all) => all.merge(&one),
            None => all = Some(one),
        }
    }
    Ok(all)
}

impl Summary<'_> {
    /// Latency over all expected updates of all repeats.
    pub fn latency(&self, q: f64) -> Option<Quantile> {
        self.latency.as_ref()?.quantile(q)
    }

    /// (received + superseded) / expected.
    pub fn reach(&self) -> Option<f64> {
        self.ratio(|row| Some((arrived(row)? as f64, row.updates_expected? as f64)))
    }

    /// Exact over all repeats: each row's mean weighs with the client time it covers.
    pub fn age_mean_us(&self) -> Option<f64> {
        self.ratio(|row| weighted(row.age_mean_us?, row))
    }

    pub fn stale_share(&self) -> Option<f64> {
        self.ratio(|row| weighted(row.stale_share?, row))
    }

    pub fn requests_per_s(&self) -> Option<f64> {
        self.ratio(|row| Some((row.requests? as f64, row.duration_s?)))
    }

    pub fn requests_per_update(&self) -> Option<f64> {
        self.ratio(|row| Some((row.requests? as f64, row.deliveries? as f64)))
    }

    pub fn bytes_per_update(&self) -> Option<f64> {
        self.ratio(|row| {
            Some((
                row.bytes_sent?.saturating_add(row.bytes_received?) as f64,
                row.deliveries? as f64,
            ))
        })
    }

    pub fn server_cpu_us_per_update(&self) -> Option<f64> {
        self.ratio(|row| Some((row.server_cpu_s? * 1e6, row.deliveries? as f64)))
    }

    pub fn client_cpu_us_per_update(&self) -> Option<f64> {
        self.ratio(|row| Some((row.client_cpu_s? * 1e6, row.deliveries? as f64)))
    }

    /// Median over the repeats: resident memory is a state, not a sum.
    pub fn server_rss_bytes_per_client(&self) -> Option<f64> {
        median(self.values(|row| row.server_rss_bytes_per_client).collect())
    }

    pub fn setup_bytes_per_client(&self) -> Option<f64> {
        self.ratio(|row| weighted_by(row.setup_bytes_per_client?, f64::from(row.clients)))
    }

    /// Each row's share weighs with its window.
    pub fn others_cpu_share(&self) -> Option<f64> {
        self.ratio(|row| weighted_by(row.others_cpu_share?, row.duration_s?))
    }

    pub fn steal_share(&self) -> Option<f64> {
        self.ratio(|row| weighted_by(row.steal_share?, row.duration_s?))
    }

    /// Lowest and highest of a figure over the repeats that know it: the spread a reader should keep in mind.
    pub fn range<T: PartialOrd + Copy>(&self, figure: impl Fn(&SummaryRow) -> Option<T>) -> Option<(T, T)> {
        self.values(figure).fold(None, |range, value| {
            let (low, high) = range.unwrap_or((value, value));
            Some((
                if value < low { value } else { low },
                if value > high { value } else { high },
            ))
        })
    }

    /// A counter over all repeats; `None` when no row knows it. A record may hold any number, and none may end the program.
    pub fn total(&self, counter: impl Fn(&SummaryRow) -> Option<u64>) -> Option<u64> {
        self.values(counter).fold(None, |total: Option<u64>, value| {
            Some(total.unwrap_or(0).saturating_add(value))
        })
    }

    fn values<T>(&self, figure: impl Fn(&SummaryRow) -> Option<T>) -> impl Iterator<Item = T> {
        self.rows.iter().filter_map(move |row| figure(&row.figures))
    }

    /// Sum over sum of the rows that know both; `None` for nothing over nothing.
    fn ratio(&self, parts: impl Fn(&SummaryRow) -> Option<(f64, f64)>) -> Option<f64> {
        let (above, below) = self
            .values(parts)
            .fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
        (below > 0.0).then(|| above / below)
    }
}

/// The middle value, or the mean of the two in the middle; None of nothing.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

/// Updates whose state reached the client: received, or in mode latest jumped over by a newer one.
pub fn arrived(row: &SummaryRow) -> Option<u64> {
    let superseded = if row.mode == "latest" {
        row.superseded?
    } else {
        row.superseded.unwrap_or(0)
    };
    Some(row.updates_received?.saturating_add(superseded))
}

/// (received + superseded) / expected of one row.
pub fn reach(row: &SummaryRow) -> Option<f64> {
    let expected = row.updates_expected.filter(|expected| *expected > 0)?;
    Some(arrived(row)? as f64 / expected as f64)
}

fn weighted(mean: f64, row: &SummaryRow) -> Option<(f64, f64)> {
    weighted_by(mean, row.duration_s? * f64::from(row.clients))
}

fn weighted_by(mean: f64, weight: f64) -> Option<(f64, f64)> {
    Some((mean * weight, weight))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn order_is_the_plans_and_unmeasured_transports_stay() {
        let mut record = fixture::record();
        record.rows.reverse();
        let planned: Vec<_> = record.plan.transports.clone();
        record.rows.retain(|row| row.figures.transport != "sse");
        let summaries = summaries(&record).unwrap();
        assert_eq!(
            summaries.iter().map(|summary| summary.transport).collect::<Vec<_>>(),
            planned
        );
        let sse = summaries.iter().find(|summary| summary.transport == "sse").unwrap();
        assert!(sse.rows.is_empty());
        assert_eq!(
            (sse.reach(), sse.latency(0.5), sse.bytes_per_update()),
            (None, None, None)
        );
    }

    #[test]
    fn ratios_are_sums_over_sums_and_unknown_rows_do_not_count_as_zero() {
        let mut record = fixture::record();
        let rows: Vec<_> = (0..record.rows.len())
            .filter(|i| record.rows[*i].figures.transport == "websocket")
            .collect();
        for (i, (bytes, deliveries)) in rows.iter().zip([(1_000, Some(10)), (9_000, Some(30))]) {
            let figures = &mut record.rows[*i].figures;
            (figures.bytes_sent, figures.bytes_received, figures.deliveries) = (Some(bytes), Some(0), deliveries);
        }
        let bytes_per_update = |record: &RunRecord| {
            let all = summaries(record).unwrap();
            all.iter()
                .find(|summary| summary.transport == "websocket")
                .unwrap()
                .bytes_per_update()
        };
        // Averaging the ratios 100 and 300 would say 200.
        assert_eq!(bytes_per_update(&record), Some(250.0));
        record.rows[rows[0]].figures.bytes_sent = None;
        assert_eq!(bytes_per_update(&record), Some(300.0));
        record.rows[rows[1]].figures.deliveries = Some(0);
        assert_eq!(bytes_per_update(&record), None);
    }

    #[test]
    fn superseded_updates_count_as_reached_in_mode_latest_only_when_known() {
        let mut row = SummaryRow {
            mode: "latest".to_owned(),
            updates_expected: Some(10),
            updates_received: Some(4),
            superseded: Some(6),
            ..SummaryRow::default()
        };
        assert_eq!(reach(&row), Some(1.0));
        row.superseded = None;
        assert_eq!(reach(&row), None);
        row.mode = "every".to_owned();
        assert_eq!(reach(&row), Some(0.4));
    }

    #[test]
    fn counters_of_any_size_are_summed() {
        let mut record = fixture::record();
        record
            .rows
            .iter_mut()
            .for_each(|row| row.figures.requests = Some(u64::MAX));
        let all = summaries(&record).unwrap();
        assert_eq!(all[0].total(|row| row.requests), Some(u64::MAX));
    }

    #[test]
    fn an_unreadable_histogram_names_its_row() {
        let mut record = fixture::record();
        record.rows[0].latency.as_mut().unwrap().histogram = "not base64!".to_owned();
        let error = format!("{:#}", summaries(&record).unwrap_err());
        assert!(error.contains("latency of short-poll, repeat 1"), "{error}");
    }
}
