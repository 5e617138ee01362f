//! Faults of a path in time: a delay, a stall of one transport, a slow accept.

use std::time::Duration;

use bench_client::record::{Quantile, Row};

use crate::{
    lab::{Done, Job, Lab, POLL_INTERVAL_MS, TRANSPORTS, alone, middle_us},
    origin::{GAP_US, Origin},
    relay::{Faults, Relay, Stall},
    table::{Expected, soon_hold},
};

/// The stall of every test that has one.
pub const STALL: Duration = Duration::from_millis(100);
/// Half a stall of 100 ms would be 50 off, twice the stall 100.
pub const STALL_TOLERANCE_MS: f64 = 20.0;
/// The stalls of one run begin so far apart: each is over before the next, and short polls have caught up.
const STALLS_APART_US: u64 = 500_000;

pub fn ms(quantile: Option<Quantile>) -> f64 {
    let us = quantile
        .and_then(Quantile::us)
        .expect("nothing is lost where time is the fault");
    us as f64 / 1_000.0
}

/// What a stall of `length` does to the updates of a client that is told of each at once: those due meanwhile wait for its end, and
/// there is one every 20 ms. In ms, longest first, when the first of them is late by all of it.
pub fn waits_ms(first: Duration) -> Vec<f64> {
    let gap_ms = GAP_US as f64 / 1_000.0;
    let first_ms = first.as_secs_f64() * 1_000.0;
    let waits = (0..).map(|k| first_ms - f64::from(k) * gap_ms);
    waits.take_while(|wait| *wait > 0.0).collect()
}

/// The wait at a quantile of so many updates: `waits` are the longest of them.
pub fn wait_at(quantile: f64, updates: f64, waits: &[f64]) -> f64 {
    let beyond = updates as usize - (quantile * updates).ceil() as usize;
    waits.get(beyond).copied().unwrap_or(0.0)
}

/// The longest latency of a short poll in ms when its answers stall: an update that came just after a poll waits for the next, and that
/// answer for the end of the stall. Polls are spread evenly, so the longest is short of it by half their distance on average.
pub fn longest_poll_ms(job: &Job) -> f64 {
    let interval_ms = POLL_INTERVAL_MS as f64;
    interval_ms + STALL.as_secs_f64() * 1_000.0 - interval_ms / f64::from(job.clients) / 2.0
}

/// The lines of one row that met a stall; `waits` as above, `without` is the same row without the fault.
pub fn stalled(fault: &'static str, job: &Job, row: &Row, without: &Row, waits: &[f64], poll_ms: f64) -> Vec<Expected> {
    let line = |figure, predicted, reported| Expected {
        fault,
        injected: format!("{} ms", STALL.as_millis()),
        transport: job.transport.into(),
        figure,
        unit: "ms",
        predicted,
        reported,
        tolerance: STALL_TOLERANCE_MS,
    };
    let (figures, base) = (&row.figures, &without.figures);
    let (p90, p99) = (ms(figures.latency_p90_us), ms(figures.latency_p99_us));
    let mut lines = vec![line("latency_p90_us", ms(base.latency_p90_us), p90)];
    let longest = ms(figures.latency_max_us);
    if job.transport == "short-poll" {
        lines.push(line("latency_max_us", poll_ms, longest));
    } else {
        let usual = ms(base.latency_p50_us);
        let wait_p99 = wait_at(0.99, job.updates(), waits);
        lines.push(line("latency_p99_us", usual + wait_p99, p99));
        lines.push(line("latency_max_us", usual + waits[0], longest));
    }
    lines
}

/// The stall's place: a program that starts slowly may have its window elsewhere, and then nothing else holds either.
pub fn within_window(fault: &'static str, job: &Job, done: &Done, from_us: Option<u64>) -> Expected {
    Expected {
        fault,
        injected: format!("{} ms", STALL.as_millis()),
        transport: job.transport.into(),
        figure: "the stall outside of the window",
        unit: "ms",
        predicted: 0.0,
        reported: from_us.map_or(f64::INFINITY, |from_us| done.outside_ms(from_us, STALL)),
        tolerance: 0.0,
    }
}

/// Sent − due at p99, which no fault behind the server touches.
fn publish_lag(fault: &'static str, transport: &str, row: &Row) -> Expected {
    Expected {
        fault,
        injected: format!("{} ms", STALL.as_millis()),
        transport: transport.into(),
        figure: "publish_lag_p99_us",
        unit: "ms",
        predicted: 0.0,
        reported: row.figures.publish_lag_p99_us.expect("it is ours") as f64 / 1_000.0,
        tolerance: STALL_TOLERANCE_MS,
    }
}

/// Every transport through a relay with this fault, and through one without, at the same time.
fn with_and_without(lab: &Lab, origin: &Origin, relay: &Relay, duration_s: f64) -> (Vec<Job>, Vec<Done>, Vec<Done>) {
    let straight = Relay::start(origin.address, origin.clock, Faults::default());
    let of = |url: &str| Job::all(url).into_iter().map(|job| job.lasting(duration_s));
    let jobs: Vec<_> = of(&relay.url).chain(of(&straight.url)).collect();
    let mut with = lab.run(&jobs);
    let without = with.split_off(TRANSPORTS.len());
    (jobs, with, without)
}

#[test]
fn a_stall_of_one_transport_shows_at_the_predicted_quantiles_of_that_transport_alone() {
    let _machine = alone();
    let (lab, fault) = (Lab::new(), "stall of one transport");
    soon_hold(|| {
        let origin = Origin::start();
        let duration_s = 4.0;
        // One after another, around the middle of the window.
        let first_us = origin.clock.now_us() + middle_us(duration_s) - 3 * STALLS_APART_US / 2;
        let stall = |(id, k)| Stall::new(id, first_us + k * STALLS_APART_US, STALL);
        let stalls = TRANSPORTS.into_iter().zip(0..).map(stall).collect();
        let faults = Faults {
            stalls,
            ..Faults::default()
        };
        let relay = Relay::start(origin.address, origin.clock, faults);
        let (jobs, with, without) = with_and_without(&lab, &origin, &relay, duration_s);
        let mut lines = Vec::new();
        for ((job, with), without) in jobs.iter().zip(&with).zip(&without) {
            lines.push(within_window(fault, job, with, relay.stalled_us(job.transport)));
            let (row, base) = (with.whole(), without.whole());
            // The stall begins with an update, so that one waits for all of it.
            lines.extend(stalled(fault, job, row, base, &waits_ms(STALL), longest_poll_ms(job)));
            lines.push(publish_lag(fault, job.transport, row));
        }
        lines
    });
}

#[test]
fn a_delay_of_5_ms_shows_as_5_ms() {
    const DELAY: Duration = Duration::from_millis(5);
    let _machine = alone();
    let lab = Lab::new();
    soon_hold(|| {
        let origin = Origin::start();
        let faults = Faults {
            delay: DELAY,
            ..Faults::default()
        };
        let relay = Relay::start(origin.address, origin.clock, faults);
        let (jobs, with, without) = with_and_without(&lab, &origin, &relay, 3.0);
        let both = jobs.iter().zip(&with).zip(&without);
        both.map(|((job, with), without)| Expected {
            fault: "everything later",
            injected: "5 ms".into(),
            transport: job.transport.into(),
            figure: "latency_p50_us, more than without",
            unit: "ms",
            predicted: 5.0,
            reported: ms(with.whole().figures.latency_p50_us) - ms(without.whole().figures.latency_p50_us),
            tolerance: 2.0,
        })
        .collect()
    });
}

#[test]
fn a_slow_accept_shows_in_the_time_to_connect_and_not_in_latency() {
    const SLOW: Duration = Duration::from_millis(200);
    let _machine = alone();
    let lab = Lab::new();
    soon_hold(|| {
        let origin = Origin::start();
        let faults = Faults {
            slow_accept: SLOW,
            ..Faults::default()
        };
        let relay = Relay::start(origin.address, origin.clock, faults);
        let (jobs, with, without) = with_and_without(&lab, &origin, &relay, 1.0);
        let mut lines = Vec::new();
        for ((job, with), without) in jobs.iter().zip(&with).zip(&without) {
            let (figures, base) = (&with.whole().figures, &without.whole().figures);
            let connect_ms = |us: Option<u64>| us.expect("all are connected") as f64 / 1_000.0;
            let line = |figure, predicted, reported, tolerance| Expected {
                fault: "slow accept",
                injected: "200 ms".into(),
                transport: job.transport.into(),
                figure,
                unit: "ms",
                predicted,
                reported,
                tolerance,
            };
            let connect = connect_ms(figures.connect_p50_us) - connect_ms(base.connect_p50_us);
            lines.push(line("connect_p50_us, more than without", 200.0, connect, 50.0));
            let latency = ms(figures.latency_p50_us) - ms(base.latency_p50_us);
            lines.push(line("latency_p50_us, more than without", 0.0, latency, 20.0));
        }
        lines
    });
}
