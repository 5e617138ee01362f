//! Stalls within the server: of the feed, before an update is stamped, and of the hub, after.
//!
//! ```text
//! feed (blocks 100 ms) -> stamp `sent` -> hub (held 100 ms) -> clients
//!      both make clients wait; only what comes before the stamp makes `sent` late
//! ```
//!
//! The first update behind a held hub is stamped and then waits; those after it wait for the first, and are stamped late.

use std::{thread, time::Duration};

use crate::{
    lab::{Done, Job, Lab, POLL_INTERVAL_MS, TRANSPORTS, alone, middle_us},
    origin::{GAP_US, Origin, RUNNING_SINCE_US, blocking},
    table::{Expected, soon_hold},
    timing::{STALL, STALL_TOLERANCE_MS, longest_poll_ms, stalled, wait_at, waits_ms, within_window},
};

const DURATION_S: f64 = 4.0;
/// Before an update is due, so that the hub is held when it comes.
const BEFORE_DUE_US: u64 = 2_000;

/// Every transport at this server, and at one without fault, at the same time; `meanwhile` goes on beside them.
fn with_and_without(lab: &Lab, faulty: &Origin, meanwhile: impl FnOnce()) -> (Vec<Job>, Vec<Done>, Vec<Done>) {
    let sound = Origin::start();
    let of = |url: &str| Job::all(url).into_iter().map(|job| job.lasting(DURATION_S));
    let jobs: Vec<_> = of(&faulty.url()).chain(of(&sound.url())).collect();
    let started: Vec<_> = jobs.iter().map(|job| lab.start(job)).collect();
    meanwhile();
    let mut with: Vec<_> = started.into_iter().map(|run| run.ended()).collect();
    let without = with.split_off(TRANSPORTS.len());
    (jobs, with, without)
}

/// The longest lateness of `sent` at the 99th percentile of the updates.
fn publish_lag(fault: &'static str, job: &Job, done: &Done, without: &Done, waits: &[f64]) -> Expected {
    let lag_ms = |done: &Done| {
        let us = done.row().figures.publish_lag_p99_us;
        us.expect("the publish log was read") as f64 / 1_000.0
    };
    Expected {
        fault,
        injected: format!("{} ms", STALL.as_millis()),
        transport: job.transport.into(),
        figure: "publish_lag_p99_us",
        unit: "ms",
        predicted: wait_at(0.99, job.updates(), waits) + lag_ms(without),
        reported: lag_ms(done),
        tolerance: STALL_TOLERANCE_MS,
    }
}

#[test]
fn a_stall_of_the_feed_shows_as_updates_sent_late() {
    let _machine = alone();
    let (lab, fault) = (Lab::new(), "stall of the feed");
    soon_hold(|| {
        let faulty = Origin::with(RUNNING_SINCE_US, |events, clock| {
            blocking(events, clock, clock.now_us() + middle_us(DURATION_S), STALL)
        });
        let (jobs, with, without) = with_and_without(&lab, &faulty, || {});
        // The feed blocks when it is asked for the next event, right after the one before: one gap of the stall does no harm.
        let waits = waits_ms(STALL - Duration::from_micros(GAP_US));
        // A short poll's next answer brings what was sent late: the poll just missed it at worst.
        let poll_ms = waits[0] + POLL_INTERVAL_MS as f64;
        let mut lines = Vec::new();
        for ((job, with), without) in jobs.iter().zip(&with).zip(&without) {
            let poll_ms = poll_ms - POLL_INTERVAL_MS as f64 / f64::from(job.clients) / 2.0;
            lines.extend(stalled(fault, job, with.whole(), without.whole(), &waits, poll_ms));
            lines.push(publish_lag(fault, job, with, without, &waits));
        }
        lines
    });
}

#[test]
fn a_stall_of_the_hub_shows_at_clients_more_than_in_what_was_sent_late() {
    let _machine = alone();
    let (lab, fault) = (Lab::new(), "stall of the hub");
    soon_hold(|| {
        let faulty = Origin::start();
        let (hub, clock) = (&faulty.running.hub, faulty.clock);
        let mut due_us = 0;
        let from_us = clock.now_us() + middle_us(DURATION_S);
        let (jobs, with, without) = with_and_without(&lab, &faulty, || {
            thread::sleep(clock.until(from_us));
            // The one after the next: time enough to be there before it.
            due_us = faulty.due_after(clock.now_us()) + GAP_US;
            thread::sleep(clock.until(due_us - BEFORE_DUE_US));
            hub.hold(due_us + STALL.as_micros() as u64);
        });
        let waits = waits_ms(STALL);
        let mut lines = Vec::new();
        for ((job, with), without) in jobs.iter().zip(&with).zip(&without) {
            lines.push(within_window(fault, job, with, Some(due_us)));
            // Polls wait for the hub as they would for a stalled answer.
            let poll_ms = longest_poll_ms(job);
            lines.extend(stalled(fault, job, with.whole(), without.whole(), &waits, poll_ms));
            lines.push(publish_lag(fault, job, with, without, &waits[1..]));
        }
        lines
    });
}
