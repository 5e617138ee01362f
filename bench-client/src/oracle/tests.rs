//! The formulas beside a simulation that knows none of them: pollers with their phases, updates with their due times, one by one.

mod simulation;

use rand_pcg::{
    Pcg64Mcg,
    rand_core::{RngCore, SeedableRng},
};

use super::{age, feed::Feed, range::Range};
use crate::{
    record::{Arrivals, FeedPlan, Follow, Mode, Row},
    report::fixture,
};
use simulation::*;

#[track_caller]
fn close(what: &str, model: f64, seen: f64, share: f64) {
    let off = (model - seen).abs();
    assert!(
        off <= share * seen.abs().max(1e-9),
        "{what}: the model says {model}, the simulation {seen}"
    );
}

#[track_caller]
fn within(what: &str, range: Range, seen: f64) {
    assert!(
        range.low <= range.predicted && range.predicted <= range.high,
        "{what}: {range:?}"
    );
    assert!(range.holds(seen), "{what}: {range:?} does not hold {seen}");
}

/// Scenarios with even arrivals: polls more often and less often than updates, windows shorter than an interval, many topics, bursts,
/// intervals that divide nothing.
fn even_worlds() -> Vec<World> {
    let world = |feed, interval_s| World {
        feed,
        interval_s,
        seed: 7,
    };
    vec![
        world(even(500, 1, 5.0, 1, 5.0, 1.5), 1.0),
        world(even(500, 1, 1.0, 1, 20.0, 2.5), 0.3),
        world(even(500, 1, 0.5, 1, 40.0, 2.5), 1.0),
        world(even(500, 1, 7.0, 1, 3.0, 5.5), 5.0),
        world(even(600, 6, 2.0, 1, 10.0, 1.5), 1.0),
        world(even(600, 6, 0.4, 1, 50.0, 1.5), 0.7),
        world(even(500, 1, 20.0, 10, 10.0, 1.5), 1.0),
        world(even(500, 1, 5.0, 10, 40.0, 1.0), 0.5),
        world(even(501, 3, 6.0, 4, 11.0, 2.3), 1.7),
        world(
            Feed {
                all: true,
                ..even(200, 5, 0.6, 1, 30.0, 1.5)
            },
            1.0,
        ),
        world(
            Feed {
                latest: true,
                ..even(500, 1, 5.0, 1, 5.0, 1.5)
            },
            1.0,
        ),
        world(
            Feed {
                latest: true,
                ..even(500, 1, 0.7, 1, 30.0, 1.5)
            },
            1.0,
        ),
        world(
            Feed {
                latest: true,
                ..even(400, 4, 20.0, 10, 10.0, 1.5)
            },
            1.0,
        ),
        world(
            Feed {
                latest: true,
                all: true,
                ..even(200, 5, 3.0, 1, 10.0, 1.5)
            },
            1.0,
        ),
    ]
}

#[test]
fn even_feeds_are_exact() {
    for world in even_worlds() {
        let (feed, p) = (&world.feed, world.interval_s);
        let what = format!("{feed:?} every {p} s");
        let seen = play(&world);
        assert_eq!(feed.published().predicted, seen.published, "{what}");
        assert_eq!(feed.expected().predicted, seen.expected, "{what}");
        close(
            &format!("{what}: deliveries"),
            feed.received(0.0, p, 0.0),
            seen.deliveries,
            0.01,
        );
        close(
            &format!("{what}: carried"),
            feed.received(-p, p, 0.0),
            seen.carried,
            0.01,
        );
        close(
            &format!("{what}: polls"),
            f64::from(feed.clients) * feed.window_s / p,
            seen.polls,
            0.005,
        );
        let empty = feed.empty_share(p, 0.0).predicted;
        assert!(
            (empty - seen.empty / seen.polls).abs() < 0.01,
            "{what}: empty {empty}, {}",
            seen.empty / seen.polls
        );
        let age_s = age::mean_s(feed, p, 0.0).expect("not silent");
        close(&format!("{what}: age"), age_s.predicted, seen.age_s, 0.003);
        within(&format!("{what}: age"), age_s, seen.age_s);
        let stale = age::stale_share(feed, p, 0.0).expect("not silent");
        assert!(
            (stale.predicted - seen.stale).abs() < 0.01,
            "{what}: stale {stale:?}, {}",
            seen.stale
        );
        within(&format!("{what}: stale"), stale, seen.stale);
        for q in [0.5, 0.9, 0.99] {
            let latency_s = seen.latencies[(q * (seen.latencies.len() - 1) as f64) as usize];
            let slots_s = 2.0 * p * f64::from(feed.topics) / f64::from(feed.clients);
            assert!(
                (latency_s - q * p).abs() <= slots_s,
                "{what}: quantile {q} is {latency_s}"
            );
        }
        let mean_s = seen.latencies.iter().sum::<f64>() / seen.latencies.len() as f64;
        within(
            &format!("{what}: second method"),
            age::from_latency_s(feed, mean_s, 0.0).expect("even"),
            seen.age_s,
        );
    }
}

#[test]
fn the_well_known_forms_come_out() {
    let feed = even(2_000, 1, 5.0, 1, 5.0, 1.5);
    // N·R·(W − P/2), N·R·W²/(2P), P/2 + 1/(2R), 1 − G/(2P), 1 − R·P.
    close("deliveries", feed.received(0.0, 1.0, 0.0), 2_000.0 * 5.0 * 4.5, 1e-9);
    close(
        "P > W",
        feed.received(0.0, 10.0, 0.0),
        2_000.0 * 5.0 * 25.0 / 20.0,
        1e-9,
    );
    close("age", age::mean_s(&feed, 1.0, 0.0).unwrap().predicted, 0.6, 1e-9);
    close("push age", age::mean_s(&feed, 0.0, 0.0).unwrap().predicted, 0.1, 1e-9);
    close("stale", age::stale_share(&feed, 1.0, 0.0).unwrap().predicted, 0.9, 1e-9);
    close("empty", feed.empty_share(0.05, 0.0).predicted, 0.75, 1e-9);
    assert_eq!(feed.empty_share(1.0, 0.02), Range::ZERO, "every poll finds several");
    let poisson = random(2_000, 1, 5.0, 5.0, 1.5);
    close(
        "e^(−RP)",
        poisson.empty_share(0.1, 0.0).predicted,
        (-0.5f64).exp(),
        1e-9,
    );
    close(
        "random deliveries",
        poisson.received(0.0, 1.0, 0.0),
        2_000.0 * 5.0 * 4.5,
        1e-6,
    );
    // 1/R, but for the start of the feed, from which age counts at first.
    close(
        "random age",
        age::mean_s(&poisson, 0.0, 0.0).unwrap().predicted,
        0.2,
        1e-3,
    );
    let bursts = even(2_000, 1, 5.0, 10, 20.0, 1.5);
    close("B/(2R)", age::mean_s(&bursts, 0.0, 0.0).unwrap().predicted, 1.0, 1e-9);
    close("1 − P/gap", bursts.empty_share(0.5, 0.0).predicted, 0.75, 1e-9);
}

/// Random feeds are right on average, and a single row lies within its range.
#[test]
fn random_feeds_are_right_on_average_and_within_their_ranges() {
    const ROWS: u64 = 120;
    let feeds = [
        (random(60, 1, 5.0, 5.0, 1.5), 1.0),
        (random(60, 1, 2.0, 15.0, 1.5), 0.4),
        (random(60, 6, 0.5, 20.0, 5.0), 1.0),
        (
            Feed {
                all: true,
                ..random(30, 4, 1.0, 10.0, 2.0)
            },
            0.5,
        ),
        (
            Feed {
                latest: true,
                ..random(60, 1, 3.0, 10.0, 1.5)
            },
            1.0,
        ),
    ];
    for (feed, p) in feeds {
        let what = format!("{feed:?} every {p} s");
        let mut mean = Seen::default();
        for seed in 0..ROWS {
            let seen = play(&World {
                feed: feed.clone(),
                interval_s: p,
                seed,
            });
            let row = format!("{what}, seed {seed}");
            within(&row, feed.published(), seen.published);
            within(&row, feed.expected(), seen.expected);
            within(&row, feed.by_chance(feed.received(0.0, p, 0.0)), seen.deliveries);
            // Few clients: their phases add to what the range is made for.
            within(
                &row,
                feed.empty_share(p, 0.0).wider(1.0 / f64::from(feed.clients)),
                seen.empty / seen.polls,
            );
            within(&row, age::mean_s(&feed, p, 0.0).unwrap(), seen.age_s);
            within(&row, age::stale_share(&feed, p, 0.0).unwrap(), seen.stale);
            mean.published += seen.published / ROWS as f64;
            mean.deliveries += seen.deliveries / ROWS as f64;
            mean.carried += seen.carried / ROWS as f64;
            mean.empty += seen.empty / seen.polls / ROWS as f64;
            mean.age_s += seen.age_s / ROWS as f64;
            mean.stale += seen.stale / ROWS as f64;
        }
        close(
            &format!("{what}: published"),
            feed.published().predicted,
            mean.published,
            0.03,
        );
        close(
            &format!("{what}: deliveries"),
            feed.received(0.0, p, 0.0),
            mean.deliveries,
            0.03,
        );
        close(
            &format!("{what}: carried"),
            feed.received(-p, p, 0.0),
            mean.carried,
            0.03,
        );
        let empty = feed.empty_share(p, 0.0).predicted;
        assert!(
            (empty - mean.empty).abs() < 0.01,
            "{what}: empty {empty}, {}",
            mean.empty
        );
        close(
            &format!("{what}: age"),
            age::mean_s(&feed, p, 0.0).unwrap().predicted,
            mean.age_s,
            0.03,
        );
        let stale = age::stale_share(&feed, p, 0.0).unwrap().predicted;
        assert!(
            (stale - mean.stale).abs() < 0.02,
            "{what}: stale {stale}, {}",
            mean.stale
        );
    }
}

/// Delays of any kind, as a server that falls behind and catches up makes them: the second method holds all the same.
#[test]
fn age_follows_from_latency_whatever_made_it() {
    let feed = even(1, 1, 60.0, 1, 5.0, 1.5);
    let (t0, t1) = (feed.since_start_s, feed.since_start_s + feed.window_s);
    for seed in 0..200 {
        let mut dice = Dice(Pcg64Mcg::seed_from_u64(seed));
        let dues = schedule(
            &Feed {
                window_s: feed.window_s + 1.0,
                ..feed.clone()
            },
            &mut dice,
        )
        .remove(0);
        let mut delay_s: f64 = 0.05;
        let mut held = Vec::new();
        for due in &dues {
            // Wanders, and never hands out one before another.
            delay_s = (delay_s + (dice.unit() - 0.5) * 0.04).clamp(0.0, 0.09);
            held.push(held.last().copied().unwrap_or(0.0f64).max(due + delay_s));
        }
        let (age_s, _) = integrals(&dues, &held, t0, t1);
        let latencies: Vec<f64> = dues
            .iter()
            .zip(&held)
            .filter(|(due, _)| (t0..t1).contains(*due))
            .map(|(due, held)| held - due)
            .collect();
        let mean_s = latencies.iter().sum::<f64>() / latencies.len() as f64;
        let longest_s = latencies.iter().copied().fold(0.0, f64::max);
        let range = age::from_latency_s(&feed, mean_s, longest_s).expect("even");
        within(&format!("seed {seed}"), range, age_s / feed.window_s);
    }
}

/// Gaps and slots with a common measure: every update falls on the same place of a slot, so nothing averages out.
#[test]
fn updates_in_step_with_the_phases_stay_within_the_range_of_age() {
    let feed = even(100, 1, 1.0, 1, 20.0, 0.9);
    let half_a_slot_s = 0.4 / 200.0;
    let mut furthest: f64 = 0.0;
    for seed in 0..200 {
        let world = World {
            feed: feed.clone(),
            interval_s: 0.4,
            seed,
        };
        let (model, seen) = (age::mean_s(&feed, 0.4, 0.0).unwrap(), play(&world).age_s);
        within(&format!("seed {seed}"), model, seen);
        furthest = furthest.max((seen - model.predicted).abs());
    }
    assert!(furthest > half_a_slot_s, "half a slot would have done: {furthest}");
}

/// A long poll is held until an update comes or its wait is over, and asks again at once.
fn waits_in_vain(dues: &[f64], wait_s: f64, from_s: f64, to_s: f64) -> f64 {
    let (mut at, mut next, mut in_vain) = (0.0, 0, 0.0);
    while at < to_s {
        match dues.get(next) {
            Some(due) if *due <= at + wait_s => {
                at = due.max(at);
                next += 1;
            }
            _ => {
                at += wait_s;
                in_vain += f64::from(u8::from((from_s..to_s).contains(&at)));
            }
        }
    }
    in_vain
}

fn long_polls(overrides: impl FnOnce(&mut crate::record::Plan)) -> (crate::record::Plan, Row) {
    let mut record = fixture::record();
    overrides(&mut record.plan);
    let mut row = record.rows.swap_remove(1);
    row.figures.duration_s = Some(record.plan.duration_s);
    (record.plan, row)
}

#[test]
fn waits_that_end_without_an_update_are_counted() {
    for (rate_hz, wait_ms, random) in [
        (1.0, 300, false),
        (0.5, 700, false),
        (2.0, 3_000, false),
        (1.0, 700, true),
        (3.0, 500, true),
    ] {
        let (plan, row) = long_polls(|plan| {
            (plan.clients, plan.wait_ms, plan.duration_s) = (1, wait_ms, 400.0);
            let arrivals = if random { Arrivals::Poisson } else { Arrivals::Regular };
            plan.feed = simulated(1, rate_hz, arrivals);
        });
        let case = super::Case::of(&plan, &row).expect("a window");
        let feed = case.feed.as_ref().expect("a simulated feed");
        let range = super::traffic::timeouts(&case, feed).expect("a wait that is longer than service");
        let mut dice = Dice(Pcg64Mcg::seed_from_u64(3));
        let dues = schedule(feed, &mut dice).remove(0);
        let seen = waits_in_vain(
            &dues,
            wait_ms as f64 / 1e3,
            feed.since_start_s,
            feed.since_start_s + feed.window_s,
        );
        let what = format!("{rate_hz} Hz, {wait_ms} ms, random {random}");
        within(&what, range, seen);
        if range.predicted > 0.0 {
            close(&what, range.predicted, seen, 0.15);
        }
    }
}

fn simulated(topics: u32, rate_hz: f64, arrivals: Arrivals) -> FeedPlan {
    FeedPlan::Simulated {
        topics,
        rate_hz,
        update_bytes: Some(256),
        arrivals,
        burst_size: 10,
    }
}

fn metrics(plan: &crate::record::Plan, row: &Row) -> Vec<String> {
    super::predict(plan, row).into_iter().map(|one| one.metric).collect()
}

#[test]
fn every_prediction_is_a_column_finite_and_in_order() {
    let columns = serde_json::to_value(crate::record::SummaryRow::default()).expect("plain data");
    for arrivals in [Arrivals::Regular, Arrivals::Poisson, Arrivals::Burst] {
        for (rate_hz, topics, clients) in [(0.0, 1, 10), (0.1, 3, 1), (5.0, 1, 2_000), (1_000.0, 100, 7)] {
            for (keep_alive, mode, follow) in [(true, Mode::Every, Follow::One), (false, Mode::Latest, Follow::All)] {
                let mut record = fixture::record();
                record.plan.feed = simulated(topics, rate_hz, arrivals);
                (record.plan.clients, record.plan.keep_alive) = (clients, keep_alive);
                (record.plan.mode, record.plan.follow) = (mode, follow);
                for row in record.rows.iter().filter(|row| row.figures.duration_s.is_some()) {
                    for one in super::predict(&record.plan, row) {
                        assert!(columns.get(&one.metric).is_some(), "{one:?}");
                        assert!(one.low <= one.predicted && one.predicted <= one.high, "{one:?}");
                        assert!(
                            [one.low, one.predicted, one.high].iter().all(|one| one.is_finite()),
                            "{one:?}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn where_the_feed_is_unknown_only_what_holds_for_any_is_predicted() {
    let mut record = fixture::record();
    record.plan.feed = FeedPlan::Replay {
        file: "cup.json".into(),
        source: Default::default(),
        speed: 60.0,
        topics: 4,
        update_bytes: None,
        updates: None,
    };
    let replay = metrics(&record.plan, &record.rows[0]);
    for known in ["latency_p50_us", "requests", "connections", "setup_bytes_per_client"] {
        assert!(replay.iter().any(|metric| metric == known), "{known}: {replay:?}");
    }
    for unknown in [
        "age_mean_us",
        "updates_expected",
        "deliveries",
        "bytes_per_update",
        "empty_responses",
    ] {
        assert!(!replay.iter().any(|metric| metric == unknown), "{unknown}");
    }
    record.plan.feed = FeedPlan::Target {
        topics: 1,
        rate_hz: Some(5.0),
        update_bytes: Some(256),
    };
    record.plan.remote = true;
    let remote = metrics(&record.plan, &record.rows[0]);
    assert!(
        !remote.iter().any(|metric| metric.contains("bytes")),
        "its name is not known: {remote:?}"
    );
    let failed = &record.rows[6];
    assert_eq!(failed.figures.duration_s, None);
    assert_eq!(metrics(&record.plan, failed), [""; 0], "no window, nothing to say");
}

#[test]
fn a_figure_outside_names_a_cause_and_one_inside_does_not() {
    let mut record = fixture::record();
    let row = &mut record.rows[0];
    let of = |row: &Row, metric: &str| {
        let all = super::predict(&record.plan, row);
        all.into_iter().find(|one| one.metric == metric).expect("predicted")
    };
    let requests = of(row, "requests");
    row.figures.requests = Some(requests.predicted as u64);
    assert_eq!(of(row, "requests").likely_cause, None);
    row.figures.requests = Some((requests.low / 2.0) as u64);
    row.figures.polls_skipped = Some(77);
    let cause = of(row, "requests").likely_cause.expect("half of them are missing");
    assert!(cause.contains("77 polls were skipped"), "{cause}");
    row.phases.sampled_late_us = Some(47_000);
    let cause = of(row, "requests").likely_cause.expect("still");
    assert!(cause.contains("read 47.0 ms late"), "{cause}");
    row.figures.requests = None;
    assert_eq!(of(row, "requests").likely_cause, None, "not known is not outside");
}

#[test]
fn the_edges_of_what_can_be_planned() {
    // One client: its phase is anywhere, and the range knows.
    for seed in 0..50 {
        let world = World {
            feed: even(1, 1, 5.0, 1, 5.0, 1.5),
            interval_s: 1.0,
            seed,
        };
        let seen = play(&world);
        within("one client", age::mean_s(&world.feed, 1.0, 0.0).unwrap(), seen.age_s);
        within(
            "one client",
            age::stale_share(&world.feed, 1.0, 0.0).unwrap(),
            seen.stale,
        );
    }
    let silent = even(10, 1, 0.0, 1, 5.0, 1.5);
    let silent = Feed {
        since_start_s: 1.5,
        ..silent
    };
    assert_eq!(silent.published(), Range::ZERO);
    assert_eq!(silent.received(-1.0, 1.0, 0.0), 0.0);
    assert_eq!(silent.empty_share(1.0, 0.02), Range::exact(1.0));
    assert_eq!(age::mean_s(&silent, 1.0, 0.0), None);
    // More topics than clients: nobody is there for most of them.
    let lonely = World {
        feed: even(3, 10, 4.0, 1, 10.0, 1.5),
        interval_s: 0.5,
        seed: 1,
    };
    assert_eq!(lonely.feed.expected().predicted, play(&lonely).expected);
}
