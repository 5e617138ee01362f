//! What enters a comparison, and what is said where nothing does.

use super::*;
use crate::{
    record::{Looks, Quantile},
    report::fixture,
};

fn finished() -> RunRecord {
    let mut record = fixture::record();
    record.status = RunStatus::Finished;
    record
}

/// Long polling's second repeat is INVALID, SSE's failed: two of four have two rounds.
#[test]
fn rows_that_are_not_well_do_not_enter_and_their_pairs_are_named() {
    let found = between_transports(&finished());
    assert_eq!((found.all.len(), found.untested.len(), found.rounds), (6, 30, 2));
    for one in &found.all {
        assert_eq!(
            (one.first.as_str(), one.second.as_str(), one.blocks),
            ("websocket", "short-poll", 2)
        );
        assert!(
            one.ratio < 1.0 && one.interval.low <= one.ratio && one.ratio <= one.interval.high,
            "{one:?}"
        );
    }
    assert!(!found.settled(), "untested is open");
    let mut record = finished();
    let row = record.rows[0].clone();
    record.rows.push(Row {
        figures: crate::record::SummaryRow {
            repeat: 3,
            ..row.figures.clone()
        },
        ..row
    });
    let found = between_transports(&record);
    assert!(found.all.iter().all(|one| (one.blocks, one.left_out) == (2, 1)));
}

#[test]
fn figures_without_a_logarithm_leave_their_round_out() {
    let mut record = finished();
    record.rows[0].figures.server_rss_bytes_per_client = Some(0.0);
    record.rows[4].figures.server_rss_bytes_per_client = Some(-17.0);
    record.rows[0].figures.latency_p99_us = Some(Quantile::LOST);
    record.rows[0].figures.age_mean_us = Some(f64::NAN);
    let found = between_transports(&record);
    let tested: Vec<&str> = found.all.iter().map(|one| one.metric.name).collect();
    assert_eq!(
        tested,
        ["latency_p50_us", "bytes_per_update", "server_cpu_us_per_update"]
    );
    let of_both = |metric: &str| {
        found
            .untested
            .iter()
            .any(|one| one.metric == metric && one.first == "short-poll" && one.second == "websocket")
    };
    assert!(
        ["server_rss_bytes_per_client", "latency_p99_us"]
            .into_iter()
            .all(of_both)
    );
}

/// Memory per client is a difference: one repeat at zero makes the pair too small to measure, and more repeats don't help.
#[test]
fn memory_of_zero_or_less_is_too_small_to_measure_and_not_open() {
    let mut record = finished();
    record.plan.transports = vec!["short-poll".into(), "websocket".into()];
    let (first, second) = (record.rows[0].clone(), record.rows[4].clone());
    for repeat in 3..=4 {
        for row in [&first, &second] {
            let mut row = row.clone();
            row.figures.repeat = repeat;
            row.outcome = Outcome::Ok;
            record.rows.push(row);
        }
    }
    let of_memory = |record: &RunRecord| {
        let found = between_transports(record);
        let name = "server_rss_bytes_per_client";
        let too_small: Vec<bool> = found.untested.iter().map(|one| one.too_small).collect();
        (
            found.all.iter().any(|one| one.metric.name == name),
            too_small,
            found.open().any(|(metric, ..)| metric == name),
        )
    };
    let row = record.rows.iter().position(|row| row.figures.transport == "websocket");
    record.rows[row.expect("it has rows")]
        .figures
        .server_rss_bytes_per_client = Some(-1.0);
    assert_eq!(of_memory(&record), (false, vec![true], false));
}

#[test]
fn repeats_that_begin_at_0_do_not_underflow() {
    let mut record = finished();
    for row in &mut record.rows {
        row.figures.repeat -= 1;
    }
    let found = between_transports(&record);
    assert!(found.all.iter().all(|one| (one.blocks, one.left_out) == (2, 0)));
}

#[test]
fn what_a_server_elsewhere_does_not_tell_is_not_open() {
    let mut record = finished();
    for row in &mut record.rows {
        row.figures.server_cpu_us_per_update = None;
        row.outcome = Outcome::Ok;
    }
    let found = between_transports(&record);
    let metrics = found
        .untested
        .iter()
        .map(|one| one.metric)
        .chain(found.all.iter().map(|one| one.metric.name));
    assert!(metrics.clone().count() > 0 && metrics.clone().all(|name| name != "server_cpu_us_per_update"));
}

#[test]
fn why_nothing_is_claimed_is_said() {
    let silence = |change: fn(&mut RunRecord)| {
        let mut record = finished();
        change(&mut record);
        let found = between_transports(&record);
        assert!(found.all.is_empty());
        found.silence.expect("a reason")
    };
    assert!(silence(|record| record.status = RunStatus::Running).contains("has not ended"));
    assert!(silence(|record| record.plan.transports.truncate(1)).contains("one technique"));
    assert!(silence(|record| record.plan.transports.clear()).contains("names no technique"));
    assert!(silence(|record| record.rows.truncate(4)).contains("one repeat"));
    assert!(silence(|record| record.rows.clear()).contains("nothing was measured"));
    assert!(
        silence(|record| record.plan.looks = Some(Looks {
            after_repeats: vec![3, 4]
        }))
        .contains("first look")
    );
}

#[test]
fn looks_share_the_chance_of_being_wrong() {
    let mut record = finished();
    record.plan.looks = Some(Looks {
        after_repeats: vec![2, 3, 4],
    });
    let found = between_transports(&record);
    assert_eq!((found.looks, found.rounds), (3, 2));
    assert!((found.alpha - ALPHA / 3.0).abs() < 1e-12);
    assert!(found.all.iter().all(|one| one.interval.level >= 1.0 - ALPHA / 3.0));
}

#[test]
fn equal_figures_are_equivalent() {
    let mut record = finished();
    let first = record.rows[0].clone();
    for row in &mut record.rows {
        let (transport, repeat) = (row.figures.transport.clone(), row.figures.repeat);
        *row = first.clone();
        (row.figures.transport, row.figures.repeat) = (transport, repeat);
    }
    let found = between_transports(&record);
    assert_eq!(found.all.len(), 36);
    assert!(found.settled() && found.differences() == 0);
}

/// Short polling's times are half a second, WebSocket's under a millisecond: a clock known to a millisecond hides the latter alone.
#[test]
fn nothing_is_claimed_below_what_the_clocks_are_known_to() {
    let timed = |record: &RunRecord| {
        let found = between_transports(record);
        let names: Vec<_> = found.all.iter().map(|one| one.metric.name).collect();
        names
    };
    let mut record = finished();
    assert!(timed(&record).contains(&"latency_p50_us"));
    for row in &mut record.rows {
        row.clock_bound_us = 1_000;
    }
    let names = timed(&record);
    assert!(!names.contains(&"latency_p50_us"), "{names:?}");
    assert!(
        names.contains(&"age_mean_us"),
        "50 ms and more are known well enough: {names:?}"
    );
    assert!(names.contains(&"bytes_per_update"), "bytes need no clock: {names:?}");
}
