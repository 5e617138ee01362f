//! The driver in paused time; only stop, end and panic are tried on its real thread.

use std::{cell::Cell, sync::mpsc, time::Instant};

use super::*;
use crate::feed::blank_event;

const START_US: u64 = 1_000_000;

/// Time that passes only while the driver waits, or when a test's sink says so.
#[derive(Default)]
struct Paused {
    now_us: Cell<u64>,
    waits: Cell<usize>,
}

impl Time for Paused {
    fn now_us(&self) -> u64 {
        self.now_us.get()
    }

    fn wait(&self, span: Duration) {
        self.waits.set(self.waits.get() + 1);
        self.now_us.set(self.now_us.get() + span.as_micros() as u64);
    }
}

#[derive(Debug, PartialEq)]
enum Seen {
    Published { topic: usize, due_us: u64, now_us: u64 },
    CompleteBefore(Option<u64>),
}
use Seen::{CompleteBefore, Published};

/// Writes down what it is given and at what time; `on_publish` may let time pass or stop the driver.
struct Notes<'a, F> {
    time: &'a Paused,
    seen: &'a mut Vec<Seen>,
    on_publish: F,
}

impl<F: FnMut(&Event)> Sink for Notes<'_, F> {
    fn publish(&mut self, event: &Event, due_us: u64) {
        self.seen.push(Published {
            topic: event.topic,
            due_us,
            now_us: self.time.now_us(),
        });
        (self.on_publish)(event);
    }

    fn complete_before(&mut self, next_due_us: Option<u64>) {
        self.seen.push(CompleteBefore(next_due_us));
    }
}

fn events<const N: usize>(due_us: [u64; N]) -> impl Iterator<Item = Event> {
    let event = |(topic, due)| Event {
        topic,
        due: Duration::from_micros(due),
        ..blank_event()
    };
    due_us.into_iter().enumerate().map(event)
}

fn published(topic: usize, due_us: u64, now_us: u64) -> Seen {
    Published {
        topic,
        due_us: START_US + due_us,
        now_us: START_US + now_us,
    }
}

fn complete_before(due_us: u64) -> Seen {
    CompleteBefore(Some(START_US + due_us))
}

#[test]
fn events_come_when_due_and_those_due_together_without_another_sleep() {
    let (time, mut seen) = (Paused::default(), Vec::new());
    let sink = Notes {
        time: &time,
        seen: &mut seen,
        on_publish: |_: &Event| {},
    };
    let end = play(
        events([0, 500, 500, 500, 900]),
        START_US,
        &time,
        sink,
        &AtomicBool::new(false),
    );
    assert_eq!(end, End::FeedEnded);
    assert_eq!(
        seen,
        [
            complete_before(0),
            published(0, 0, 0),
            complete_before(500),
            published(1, 500, 500),
            published(2, 500, 500),
            published(3, 500, 500),
            complete_before(900),
            published(4, 900, 900),
            CompleteBefore(None),
        ]
    );
    assert_eq!(time.waits.get(), 3);
}

#[test]
fn a_stalled_sink_makes_events_late_but_moves_no_due_time() {
    let (time, mut seen) = (Paused::default(), Vec::new());
    let stall = |event: &Event| {
        if event.topic == 1 {
            time.now_us.set(time.now_us.get() + 350);
        }
    };
    let sink = Notes {
        time: &time,
        seen: &mut seen,
        on_publish: stall,
    };
    play(
        events([100, 200, 300, 400, 500, 600]),
        START_US,
        &time,
        sink,
        &AtomicBool::new(false),
    );
    seen.retain(|seen| matches!(seen, Published { .. }));
    let expected = [(100, 100), (200, 200), (300, 550), (400, 550), (500, 550), (600, 600)];
    let expected: Vec<_> = expected
        .iter()
        .enumerate()
        .map(|(i, &(due, now))| published(i, due, now))
        .collect();
    assert_eq!(seen, expected);
}

#[test]
fn a_stop_amid_a_group_hands_out_nothing_more_and_completes_nothing() {
    let (time, mut seen, stopped) = (Paused::default(), Vec::new(), AtomicBool::new(false));
    let stop = |event: &Event| stopped.store(event.topic == 1, Ordering::Release);
    let sink = Notes {
        time: &time,
        seen: &mut seen,
        on_publish: stop,
    };
    let end = play(events([100, 200, 200, 300]), START_US, &time, sink, &stopped);
    assert_eq!(end, End::Stopped);
    assert_eq!(
        seen,
        [
            complete_before(100),
            published(0, 100, 100),
            complete_before(200),
            published(1, 200, 200)
        ]
    );
}

#[test]
fn an_empty_feed_is_complete_at_once() {
    let (time, mut seen) = (Paused::default(), Vec::new());
    let sink = Notes {
        time: &time,
        seen: &mut seen,
        on_publish: |_: &Event| {},
    };
    assert_eq!(
        play(events([]), START_US, &time, sink, &AtomicBool::new(false)),
        End::FeedEnded
    );
    assert_eq!(seen, [CompleteBefore(None)]);
}

/// A sink on the real thread.
struct Channel(mpsc::Sender<u64>);

impl Sink for Channel {
    fn publish(&mut self, event: &Event, due_us: u64) {
        assert_ne!(event.topic, 2, "third event");
        // A test that has seen enough hangs up.
        let _ = self.0.send(due_us);
    }

    fn complete_before(&mut self, _: Option<u64>) {}
}

fn drive_really<const N: usize>(due_us: [u64; N]) -> (Driver<Channel>, mpsc::Receiver<u64>) {
    let (sender, receiver) = mpsc::channel();
    let zero = Instant::now();
    let now_us = move || zero.elapsed().as_micros() as u64;
    (
        drive(events(due_us), 0, now_us, Channel(sender)).expect("a thread to spare"),
        receiver,
    )
}

const HOUR_US: u64 = 3_600_000_000;

#[test]
fn stop_ends_a_long_sleep() {
    // Without a prompt stop this test takes an hour.
    let (driver, receiver) = drive_really([0, HOUR_US]);
    assert_eq!(receiver.recv(), Ok(0));
    driver.stop();
    assert!(matches!(driver.join(), Ok((End::Stopped, Channel(_)))));
    assert!(receiver.recv().is_err());
}

#[test]
fn dropping_the_driver_stops_and_awaits_the_thread() {
    let (driver, receiver) = drive_really([HOUR_US]);
    drop(driver);
    assert_eq!(receiver.try_recv(), Err(mpsc::TryRecvError::Disconnected));
}

#[test]
fn the_end_and_a_panic_are_told_apart() {
    assert!(matches!(drive_really([0, 1]).0.join(), Ok((End::FeedEnded, _))));
    let panicked = drive_really([0, 1, 2]).0.join().err().expect("the sink panics");
    assert!(panicked.0.contains("third event"), "{panicked}");
}
