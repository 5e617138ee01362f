//! Writes each update to the sockets of all who wait for it.
//!
//! ```text
//! hub -> shard (a task per core) -> each row (a topic's seats, or those of all topics): frames made once -> write() to each seated socket
//!                                      `- it takes less, or its session is not here yet: the turn is the session's own task's
//! ```
//!
//! To wake a task per session and update costs about as much as the write itself. So a session that has nothing to send and nothing unsent
//! gives the turn to write to the fan-out, and sleeps. It gets the turn back as soon as its socket does not take a whole frame, or when it
//! has something to say itself (a heartbeat, a goodbye); then it catches up from the log by its own reader, as slow readers do, and is
//! told what it lost. Turns change under a lock of the one seat, so frames never mix, and a [`Position`] goes with the turn, so nothing
//! comes twice and nothing is left out.
//!
//! What waits for a shard that is behind is written in one go: a burst costs a client one write.

mod row;
mod seat;

use std::sync::{
    Arc,
    atomic::{
        AtomicBool, AtomicUsize,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use bytes::Bytes;
use prometheus_client::metrics::counter::Counter;
use tokio::time::Instant;

use crate::{
    Stop,
    hub::{Batch, BatchBounds, Entry, Filter, Hub, Position, Reader},
    io::Socket,
    stats::{Stats, TransportStats},
    wire::{Cursor, Mode},
};
use row::Row;
use seat::Outlet;
pub use seat::Seat;

/// Seats written to before other tasks of the runtime get their turn: about 200 µs.
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

/// Seats that one task writes to.
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
    /// For so many topics, with so many tasks: one per thread of the runtime is what two cores have been measured with.
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

    /// Starts its tasks, which end when the server stops. Must be called within a runtime, before there are seats.
    pub fn start(&self, hub: &Arc<Hub>, stats: &Stats, stop: &Stop) {
        for shard in &self.shards {
            // Everything before this is for those who come to read for themselves.
            let mut reader = Reader::open(hub.clone(), Filter::All, Mode::Every, None);
            reader.read(BatchBounds::PUSH);
            let mut rounds = Rounds::new(shard.clone(), reader.position().offset, stats.overruns.clone());
            let (shard, begun, closed) = (shard.clone(), stop.begun.clone(), self.closed.clone());
            stop.tasks.spawn(async move {
                tokio::select! {
                    () = begun.cancelled() => {}
                    () = rounds.run(reader) => {}
                }
                closed.store(true, Release);
                shard.give_back();
            });
        }
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

/// Where a shard is with its rows.
struct Rounds {
    shard: Arc<Shard>,
    /// Offset of the newest update handed out, by row.
    handed_out: Vec<u64>,
    /// Seats looked at since other tasks had their turn.
    looked_at: usize,
    overruns: Counter,
}

impl Rounds {
    /// What was published up to `offset` is for those who come to read for themselves.
    fn new(shard: Arc<Shard>, offset: u64, overruns: Counter) -> Self {
        let mut handed_out = vec![0; shard.rows.len()];
        handed_out[row_of(Filter::All)] = offset;
        Self {
            shard,
            handed_out,
            looked_at: 0,
            overruns,
        }
    }

    async fn run(&mut self, mut reader: Reader) {
        loop {
            reader.ready().await;
            let batch = reader.read(BatchBounds::PUSH);
            self.go(&batch, reader.cursor()).await;
        }
    }

    /// Hands out what a reader of all topics has read; the cursor stands behind it.
    async fn go(&mut self, batch: &Batch, cursor: Cursor) {
        if batch.reset.is_some() {
            // The log has gone on without this shard: everybody reads for himself what is there of it.
            self.overruns.inc();
            self.handed_out.fill(cursor.offset);
            self.shard.give_back();
            return;
        }
        let mut rest: Vec<Arc<Entry>> = batch.updates.clone();
        self.row(Filter::All, &rest, cursor).await;
        // Topic by topic, in the order of their first updates.
        while let Some(first) = rest.first() {
            let topic = first.topic;
            let (own, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(|entry| entry.topic == topic);
            rest = others;
            self.row(Filter::Topic(topic), &own, cursor).await;
        }
    }

    async fn row(&mut self, filter: Filter, entries: &[Arc<Entry>], cursor: Cursor) {
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
            self.looked_at += next - from;
            from = next;
            if self.looked_at >= SEATS_AT_ONCE {
                self.looked_at = 0;
                tokio::task::yield_now().await;
                pass.now = Instant::now();
            }
        }
    }
}

#[cfg(test)]
mod tests;
