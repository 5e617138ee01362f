//! Hands out each event when it is due: a thread of its own that sleeps until absolute times.
//!
//! ```text
//! Events -> sleep until start + due -> Sink::publish (once an event) -> Sink::complete_before (once a due time) -> …
//! ```
//!
//! A plain thread, because tokio's timer rounds up to whole milliseconds. Every deadline is start + due, so a sink that stalls
//! makes events late but moves none: what is overdue is handed out at once, with the due time it always had. The driver reads
//! no clock of its own: the caller passes one in, which keeps the server's time in one place and makes this testable.

use std::{
    io,
    iter::Peekable,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::Event;

/// Who takes the events; called on the driver's thread, which waits while it works.
pub trait Sink {
    /// Hands out one event. `due_us` is the start plus [`Event::due`], however late it is by now.
    fn publish(&mut self, event: &Event, due_us: u64);

    /// Nothing due before `next_due_us` will follow any more; `None` when the feed has ended and nothing will follow at all.
    /// Called before the first event and after each group of events due together, but not after a stop.
    fn complete_before(&mut self, next_due_us: Option<u64>);
}

impl<S: Sink> Sink for &mut S {
    fn publish(&mut self, event: &Event, due_us: u64) {
        (**self).publish(event, due_us);
    }

    fn complete_before(&mut self, next_due_us: Option<u64>) {
        (**self).complete_before(next_due_us);
    }
}

/// Why a driver returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Every event was handed out.
    FeedEnded,
    /// [`Driver::stop`] was called first.
    Stopped,
}

/// The sink or the feed panicked on the driver's thread.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the feed's thread panicked: {0}; nothing was published after that")]
pub struct DriverPanicked(pub String);

/// A running driver. Its owner calls [`Driver::join`]; dropping it stops the thread and waits for it too.
#[must_use = "dropping the driver stops the feed"]
pub struct Driver<S> {
    stopped: Arc<AtomicBool>,
    /// `None` once joined. Holds the sink for whoever joins.
    thread: Option<JoinHandle<(End, S)>>,
}

/// Starts handing out `events` to `sink`, each at `start_us` plus its due time.
///
/// `now_us` and `start_us` are of the same clock, one that never steps: CLOCK_MONOTONIC in µs. A start in the past is fine:
/// what was due since then is handed out at once. Errors when the thread cannot be started.
pub fn drive<S: Sink + Send + 'static>(
    events: impl Iterator<Item = Event> + Send + 'static,
    start_us: u64,
    now_us: impl Fn() -> u64 + Send + 'static,
    mut sink: S,
) -> io::Result<Driver<S>> {
    let stopped = Arc::new(AtomicBool::new(false));
    let seen_by_thread = Arc::clone(&stopped);
    let thread = thread::Builder::new().name("feed".into()).spawn(move || {
        wake_punctually();
        let end = play(events, start_us, &Parking { now_us }, &mut sink, &seen_by_thread);
        (end, sink)
    })?;
    Ok(Driver {
        stopped,
        thread: Some(thread),
    })
}

impl<S> Driver<S> {
    /// Ends the driver before its next event, out of its sleep too. Returns at once; [`Driver::join`] waits.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }

    /// Waits until the feed has ended or a stop was obeyed, and gives the sink back; blocks the calling thread.
    pub fn join(mut self) -> Result<(End, S), DriverPanicked> {
        // Only this and drop take the thread, and both own the driver.
        let Some(thread) = self.thread.take() else {
            return Err(DriverPanicked("it was joined before".into()));
        };
        thread.join().map_err(|panic| {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            DriverPanicked(
                text.or_else(|| panic.downcast_ref::<String>().cloned())
                    .unwrap_or_default(),
            )
        })
    }
}

impl<S> Drop for Driver<S> {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            // A panic was already printed by the thread; there is nobody left to hand it to.
            let _ = thread.join();
        }
    }
}

/// The passage of time: the thread's, or a test's.
trait Time {
    fn now_us(&self) -> u64;

    /// Waits for `span`; may return early, at a stop above all.
    fn wait(&self, span: Duration);
}

struct Parking<F> {
    now_us: F,
}

impl<F: Fn() -> u64> Time for Parking<F> {
    fn now_us(&self) -> u64 {
        (self.now_us)()
    }

    fn wait(&self, span: Duration) {
        thread::park_timeout(span);
    }
}

/// By default Linux may wake a thread 50 µs late to save power. That would be latency of ours in every row of the table.
fn wake_punctually() {
    #[cfg(target_os = "linux")]
    // Where it is not allowed the default stays: late by 50 µs, still correct.
    let _ = nix::sys::prctl::set_timerslack(1);
}

fn play(
    events: impl Iterator<Item = Event>,
    start_us: u64,
    time: &impl Time,
    mut sink: impl Sink,
    stopped: &AtomicBool,
) -> End {
    let due_us = |event: &Event| start_us.saturating_add(u64::try_from(event.due.as_micros()).unwrap_or(u64::MAX));
    let next_due_us = |events: &mut Peekable<_>| events.peek().map(due_us);
    let stopped = || stopped.load(Ordering::Acquire);

    let mut events = events.peekable();
    while let Some(group_us) = next_due_us(&mut events) {
        // Said before waiting, so that a long silence is known to be complete while it lasts.
        sink.complete_before(Some(group_us));
        loop {
            if stopped() {
                return End::Stopped;
            }
            let now_us = time.now_us();
            if now_us >= group_us {
                break;
            }
            time.wait(Duration::from_micros(group_us - now_us));
        }
        while let Some(event) = events.next_if(|event| due_us(event) == group_us) {
            if stopped() {
                return End::Stopped;
            }
            sink.publish(&event, group_us);
        }
    }
    sink.complete_before(None);
    End::FeedEnded
}

#[cfg(test)]
mod tests;
