//! Writes each update to the sockets of all who wait for it.
//!
//! ```text
//! hub -> shard (a thread per core) -> each row (a topic's seats, or those of all topics): frames made once -> write() to each seated socket
//!                                      `- it takes less, or its session is not here yet: the turn is the session's own task's
//! ```
//!
//! To wake a task per session and update costs about as much as the write itself. So a session that has nothing to send and nothing unsent
//! gives the turn to write to the fan-out, and sleeps. It gets the turn back as soon as its socket does not take a whole frame, or when it
//! has something to say itself (a heartbeat, a goodbye); then it catches up from the log by its own reader, as slow readers do, and is
//! told what it lost. Turns change under a lock of the one seat, so frames never mix, and a [`Position`] goes with the turn, so nothing
//! comes twice and nothing is left out.
//!
//! A shard has a thread of its own, not a task of the runtime's: which of its threads ran such a task would change from update to update,
//! and every socket would be in the other core's cache.
//!
//! What waits for a shard that is behind is written in one go: a burst costs a client one write.

mod row;
mod seat;

use std::{
    io,
    sync::{
        Arc,
        atomic::{
            AtomicBool, AtomicUsize,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
    thread,
};

use bytes::Bytes;
use prometheus_client::metrics::counter::Counter;
use tokio::{runtime::Handle, time::Instant};

use crate::{
    Stop,
    hub::{BatchBounds, Entry, Filter, Hub, Position, Reader},
    io::Socket,
    stats::{Stats, TransportStats},
    wire::{Cursor, Mode},
};
use row::Row;
use seat::Outlet;
pub use seat::Seat;

/// Seats of a row that are written to before others may come and go: about 100 µs.
const SEATS_AT_ONCE: usize = 32;

/// How a transport writes updates to the socket of a seat.
pub enum Framing {
    /// A frame an update, made once for all sessions.
    Stream(fn(&Entry) -> &Bytes),
    /// These updates as one answer, the cursor behind them: the turn is the session's again with it.
    Answer(fn(&[Arc<Entry>], Cursor) -> Bytes),
}

impl Framing {
    fn frame(&self, updates: &[Arc<Entry>], cursor: Cursor) -> Bytes {
        match (self, updates) {
            (Self::Answer(answer), _) => answer(updates, cursor),
            (Self::Stream(frame), [only]) => frame(only).clone(),
            (Self::Stream(frame), _) => {
                let frames = updates.iter().map(|update| frame(update));
                let mut joined = Vec::with_capacity(frames.clone().map(Bytes::len).sum());
                frames.for_each(|frame| joined.extend_from_slice(frame));
                joined.into()
            }
        }
    }
}

/// All seats.
pub struct Fanout {
    shards: Vec<Arc<Shard>>,
    /// Set when the server stops: everybody has the turn then, to say goodbye.
    closed: Arc<AtomicBool>,
    /// Seats are dealt round.
    next: AtomicUsize,
}

/// Seats that one thread writes to.
struct Shard {
    /// By [`row_of`].
    rows: Vec<Arc<Row>>,
}

fn row_of(filter: Filter) -> usize {
    match filter {
        Filter::All => 0,
        Filter::Topic(topic) => 1 + topic,
    }
}

impl Fanout {
    /// For so many topics, with so many threads.
    pub fn new(topics: usize, shards: usize) -> Arc<Self> {
        let row = |_| Arc::new(Row::default());
        let shard = |_| {
            Arc::new(Shard {
                rows: (0..=topics).map(row).collect(),
            })
        };
        Arc::new(Self {
            shards: (0..shards).map(shard).collect(),
            closed: Arc::default(),
            next: AtomicUsize::new(0),
        })
    }

    /// Starts its threads, which end when the server stops. Must be called within a runtime, before there are seats.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start(&self, hub: &Arc<Hub>, stats: &Stats, stop: &Stop) -> io::Result<()> {
        for mut rounds in self.rounds(hub, stats) {
            let (begun, closed) = (stop.begun.clone(), self.closed.clone());
            // The server has stopped when this is gone, as when its tasks are.
            let (runtime, running) = (Handle::current(), stop.tasks.token());
            let run = move || {
                let _running = running;
                runtime.block_on(async {
                    tokio::select! {
                        () = begun.cancelled() => {}
                        () = rounds.go_on() => {}
                    }
                });
                closed.store(true, Release);
                rounds.shard.give_back();
            };
            thread::Builder::new().name("fan-out".to_owned()).spawn(run)?;
        }
        Ok(())
    }

    /// Each shard, about to hand out what is published from now on: for whoever does it himself, instead of [`Fanout::start`].
    pub fn rounds(&self, hub: &Arc<Hub>, stats: &Stats) -> Vec<Rounds> {
        let rounds = |shard: &Arc<Shard>| Rounds::new(shard.clone(), hub, stats.overruns.clone());
        self.shards.iter().map(rounds).collect()
    }

    /// A seat for the session that reads with this; the turn is the session's.
    pub fn seat(
        &self,
        socket: Arc<Socket>,
        reader: &Reader,
        framing: &'static Framing,
        stats: &Arc<TransportStats>,
    ) -> Seat {
        let shard = &self.shards[self.next.fetch_add(1, Relaxed) % self.shards.len()];
        let outlet = Outlet::new(socket, reader.mode(), framing, stats.clone(), self.closed.clone());
        Seat::new(&shard.rows[row_of(reader.filter())], outlet)
    }

    /// True when the server stops.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Acquire)
    }
}

/// Updates on their way to one row.
struct Pass<'a> {
    entries: &'a [Arc<Entry>],
    /// Offset of the update before them in this row.
    since: u64,
    /// Where a session is that has them.
    position: Position,
    cursor: Cursor,
    now: Instant,
    framed: Vec<Framed>,
}

/// Updates as one transport frames them, and how often they have been written.
struct Framed {
    framing: &'static Framing,
    bytes: Bytes,
    stats: Arc<TransportStats>,
    seats: u64,
}

impl Pass<'_> {
    fn framed(&mut self, framing: &'static Framing, stats: &Arc<TransportStats>) -> &mut Framed {
        let made = self.framed.iter().position(|one| std::ptr::eq(one.framing, framing));
        let made = made.unwrap_or_else(|| {
            self.framed.push(Framed {
                framing,
                bytes: framing.frame(self.entries, self.cursor),
                stats: stats.clone(),
                seats: 0,
            });
            self.framed.len() - 1
        });
        &mut self.framed[made]
    }
}

impl Drop for Pass<'_> {
    /// Counted when it is over: a counter that all threads share is dear.
    fn drop(&mut self) {
        for one in &self.framed {
            one.stats.deliveries.inc_by(one.seats * self.entries.len() as u64);
        }
    }
}

impl Shard {
    /// Gives everybody the turn.
    fn give_back(&self) {
        self.rows.iter().for_each(|row| row.give_back());
    }
}

/// A shard on its rounds.
pub struct Rounds {
    shard: Arc<Shard>,
    /// Of all topics.
    reader: Reader,
    /// Offset of the newest update handed out, by row.
    handed_out: Vec<u64>,
    overruns: Counter,
}

impl Rounds {
    fn new(shard: Arc<Shard>, hub: &Arc<Hub>, overruns: Counter) -> Self {
        let mut reader = Reader::open(hub.clone(), Filter::All, Mode::Every, None);
        // Everything before this is for those who come to read for themselves.
        reader.read(BatchBounds::PUSH);
        let mut handed_out = vec![0; shard.rows.len()];
        handed_out[row_of(Filter::All)] = reader.position().offset;
        Self {
            shard,
            reader,
            handed_out,
            overruns,
        }
    }

    async fn go_on(&mut self) {
        loop {
            self.reader.ready().await;
            self.go();
        }
    }

    /// Hands out what has been published since the last round, within the bounds of a batch.
    pub fn go(&mut self) {
        let batch = self.reader.read(BatchBounds::PUSH);
        let cursor = self.reader.cursor();
        if batch.reset.is_some() {
            // The log has gone on without this shard: everybody reads for himself what is there of it.
            self.overruns.inc();
            self.handed_out.fill(cursor.offset);
            self.shard.give_back();
            return;
        }
        let mut rest = batch.updates;
        self.row(Filter::All, &rest, cursor);
        // Topic by topic, in the order of their first updates.
        while let Some(first) = rest.first() {
            let topic = first.topic;
            let (own, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(|entry| entry.topic == topic);
            rest = others;
            self.row(Filter::Topic(topic), &own, cursor);
        }
    }

    fn row(&mut self, filter: Filter, entries: &[Arc<Entry>], cursor: Cursor) {
        let Some(last) = entries.last() else { return };
        let row = row_of(filter);
        let mut pass = Pass {
            entries,
            since: self.handed_out[row],
            position: Position {
                offset: cursor.offset,
                seq: last.seq,
            },
            cursor,
            now: Instant::now(),
            framed: Vec::new(),
        };
        self.handed_out[row] = last.cursor.offset;
        let mut from = 0;
        while let Some(next) = self.shard.rows[row].each(from, SEATS_AT_ONCE, |seat| seat.hand(&mut pass)) {
            from = next;
            pass.now = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests;
