//! histograms/<transport>-<repeat>.hlog: each row's latency as an HdrHistogram interval log, for other people's tools.
//!
//! ```text
//! #[Histogram log format version 1.3]
//! "StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"
//! 0.000,10.000,2103.000,HISTFAAA…
//! ```
//!
//! One interval: the window. Times start at 0, as the record knows no clock time of a window. The format has no place for
//! updates that never came, so a comment counts them: quantiles of the log alone leave them out.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::IntervalLogWriterBuilder;

use crate::record::{Quantiles, Row, RunRecord};

use super::histogram::Distribution;

/// One file.
pub struct Log {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// The logs of all rows whose latency is known.
///
/// # Errors
/// Names the row whose histogram cannot be read, or whose transport id is no file name.
pub fn logs(record: &RunRecord) -> Result<Vec<Log>> {
    record
        .rows
        .iter()
        .filter_map(|row| row.latency.as_ref().map(|latency| log(record, row, latency)))
        .collect()
}

fn log(record: &RunRecord, row: &Row, latency: &Quantiles) -> Result<Log> {
    let figures = &row.figures;
    let parts = [Some(&figures.transport), figures.variant.as_ref()];
    let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    // The record may come from anywhere; its words must not choose where files go.
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    ensure!(
        parts.iter().all(|part| !part.is_empty() && part.chars().all(plain)),
        "transport id {:?} is not kebab-case, so it cannot name a histogram file",
        figures.contender()
    );
    let name = format!("{}-{}.hlog", parts.join("-"), figures.repeat);
    let bytes = interval_log(record, row, latency).with_context(|| format!("could not make {name}"))?;
    Ok(Log { name, bytes })
}

fn interval_log(record: &RunRecord, row: &Row, latency: &Quantiles) -> Result<Vec<u8>> {
    let latency = Distribution::decode(latency)?;
    let one_line = |text: &str| text.replace(['\n', '\r'], " ");
    let mut bytes = format!(
        "#[Delivery latency of {transport}, repeat {repeat}, run {id}]\n\
         #[Values and Interval_Max in microseconds: receive time minus due time]\n\
         #[Expected and never received: {lost}; received before due: {negative}; neither is in the histogram]\n\
         #[Histogram log format version 1.3]\n\
         \"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
        transport = one_line(&row.figures.contender()),
        repeat = row.figures.repeat,
        id = one_line(&record.id),
        lost = latency.lost,
        negative = latency.negative,
    )
    .into_bytes();
    let window = row.figures.duration_s.unwrap_or(record.plan.duration_s);
    let window = Duration::try_from_secs_f64(window).context("the length of the window")?;
    let mut serializer = V2DeflateSerializer::new();
    let mut writer = IntervalLogWriterBuilder::new().begin_log_with(&mut bytes, &mut serializer)?;
    // No tag: HistogramLogProcessor skips tagged lines unless asked for them.
    writer.write_histogram(&latency.histogram, Duration::ZERO, window, None)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;
    use crate::report::fixture;

    #[test]
    fn a_reader_of_the_format_gets_the_same_histogram() {
        let record = fixture::record();
        let logs = logs(&record).unwrap();
        assert_eq!(
            logs.len(),
            record.rows.iter().filter(|row| row.latency.is_some()).count()
        );
        assert_eq!(logs[0].name, "short-poll-1.hlog");
        let text = String::from_utf8(logs[0].bytes.clone()).unwrap();
        // The crate's own reader does not know the legend line that the Java and Python readers skip.
        let text: String = text
            .lines()
            .filter(|line| !line.starts_with('"'))
            .flat_map(|line| [line, "\n"])
            .collect();
        let intervals: Vec<Histogram<u64>> = IntervalLogIterator::new(text.as_bytes())
            .filter_map(|entry| match entry.unwrap() {
                LogEntry::Interval(interval) => Some(interval),
                _ => None,
            })
            .map(|interval| {
                let bytes =
                    base64::Engine::decode(&base64::engine::general_purpose::STANDARD, interval.encoded_histogram());
                Deserializer::new().deserialize(&mut bytes.unwrap().as_slice()).unwrap()
            })
            .collect();
        let expected = Distribution::decode(record.rows[0].latency.as_ref().unwrap()).unwrap();
        assert_eq!(intervals, [expected.histogram]);
    }

    #[test]
    fn a_transport_id_cannot_lead_out_of_the_folder() {
        let mut record = fixture::record();
        record.rows[0].figures.transport = "../../etc/cron".to_owned();
        assert!(logs(&record).is_err());
    }
}
