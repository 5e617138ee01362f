//! Records: any run.json is refused by name, or every report can be made from it.
//!
//! ```text
//! `{…`: a run.json as it is · else: first byte which made-up record, the rest what becomes of it (see `mutate`)
//! ```

use std::path::Path;

use serde_json::Value;

use super::mutate;
use crate::{
    plan::{Changes, differences, resolve_like},
    record::{self, RunRecord, RunStatus},
    report::{
        changes::{self, Compared},
        chart, csv, fixture, hlog, html, markdown, metrics,
        summary::summaries,
        svg, terminal,
    },
    statistics::between_runs,
    thresholds,
};

/// No report of a record of ordinary length is longer.
const REPORT_MAX_BYTES: usize = 64 << 20;

/// Making them up takes longer than a case.
struct MadeUp {
    all: Vec<Value>,
    /// What others are compared with.
    finished: RunRecord,
}

thread_local! {
    static MADE_UP: MadeUp = MadeUp {
        all: made_up(),
        finished: fixture::record(),
    };
}

/// Reads the record and makes everything that is made of one.
pub fn check(data: &[u8]) {
    let text = if data.first() == Some(&b'{') {
        data.to_vec()
    } else {
        let (&which, changes) = data.split_first().unwrap_or((&0, &[]));
        changed(which, changes)
    };
    if let Some(record) = read(&text) {
        MADE_UP.with(|made_up| every_report(&record, &made_up.finished));
    }
}

/// A record, or words that name the file.
fn read(text: &[u8]) -> Option<RunRecord> {
    match record::parse(text, Path::new("there/run.json")) {
        Ok(record) => Some(record),
        Err(error) => {
            let said = format!("{error:#}");
            assert!(said.starts_with("there/run.json"), "{said}");
            None
        }
    }
}

/// A made-up record with these changes.
fn changed(which: u8, changes: &[u8]) -> Vec<u8> {
    let mut value = one(which);
    mutate::all(&mut value, changes);
    value.to_string().into_bytes()
}

fn one(which: u8) -> Value {
    MADE_UP.with(|made_up| made_up.all[usize::from(which) % made_up.all.len()].clone())
}

/// A finished run, one that replays and was interrupted, one without rows, and one of six rounds, which are enough for a bootstrap.
fn made_up() -> Vec<Value> {
    let mut rounds = fixture::record();
    rounds.status = RunStatus::Finished;
    rounds.plan.transports.truncate(2);
    let first: Vec<_> = rounds.rows.iter().take(2).cloned().collect();
    rounds.rows.clear();
    for repeat in 1..=6 {
        for mut row in first.iter().cloned() {
            row.figures.repeat = repeat;
            row.series.truncate(2);
            // Rounds that are all alike have no spread.
            row.figures.bytes_sent = row.figures.bytes_sent.map(|bytes| bytes + u64::from(repeat * repeat));
            rounds.rows.push(row);
        }
    }
    let all = [
        fixture::record(),
        fixture::interrupted_replay(),
        fixture::empty(),
        rounds,
    ];
    all.iter()
        .map(|record| serde_json::to_value(record).expect("plain data"))
        .collect()
}

/// What cannot be made says why; nothing panics, and nothing goes on for ever.
fn every_report(record: &RunRecord, finished: &RunRecord) {
    let mut made: Vec<anyhow::Result<usize>> = vec![
        csv::summary(record).map(|bytes| bytes.len()),
        csv::series(record).map(|bytes| bytes.len()),
        hlog::logs(record).map(|logs| logs.iter().map(|log| log.bytes.len()).sum()),
        markdown::report(record).map(|text| text.len()),
        html::report(record).map(|text| text.len()),
        metrics::text(record).map(|text| text.len()),
        summaries(record).map(|all| thresholds::check(record, &all).len()),
    ];
    made.extend([100, 1].map(|width| terminal::table(record, width, width == 1).map(|text| text.len())));
    match chart::all(record) {
        Ok(charts) => made.extend(charts.iter().map(|chart| svg::draw(chart).map(|text| text.len()))),
        Err(error) => made.push(Err(error)),
    }
    let compared = Compared {
        a: &record.id,
        b: &record.id,
        warnings: differences(record, &finished.tool, &finished.environment),
        found: between_runs(finished, record, 0.1),
    };
    made.push(changes::json(&compared).map(|text| text.len()));
    made.push(Ok(
        changes::markdown(&compared).len() + changes::terminal(&compared, 100).len()
    ));
    for report in made {
        match report {
            Ok(bytes) => assert!(bytes < REPORT_MAX_BYTES, "a report of {bytes} bytes"),
            Err(error) => assert!(!format!("{error:#}").is_empty()),
        }
    }
    if let Ok(again) = resolve_like(record, &Changes::default(), None) {
        assert!(again.plan.repeats <= 1_000);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::properties::cases;

    #[test]
    fn every_made_up_record_is_one() {
        for which in 0..4 {
            check(&[which]);
        }
        let read = |which| record::parse(one(which).to_string().as_bytes(), Path::new("x"));
        assert!((0..4).all(|which| read(which).is_ok()));
    }

    proptest! {
        #![proptest_config(cases(10))]

        #[test]
        fn what_is_changed_anywhere_is_read_or_refused(which in 0..4u8, changes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = read(&changed(which, &changes));
        }
    }

    // Reading is the smaller part: a case makes every report there is.
    proptest! {
        #![proptest_config(cases(500))]

        #[test]
        fn changed_anywhere(data in prop::collection::vec(any::<u8>(), 1..40)) {
            check(&data);
        }

        #[test]
        fn cut_anywhere(which in 0..4u8, at: usize, byte: u8) {
            let mut text = one(which).to_string().into_bytes();
            let at = at % text.len();
            if byte < 64 {
                text.truncate(at);
            } else {
                text[at] = byte;
            }
            check(&text);
        }
    }
}
