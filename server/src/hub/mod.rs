//! The hub: stamps an update, encodes it once, keeps the one log, and wakes whoever waits for it.
//!
//! ```text
//! feed thread -> publisher.rs -> log.rs (in all and by topic, bounded) -> watch channels -> reader.rs (a session's position)
//! ```
//!
//! There is no queue per session. A [`Reader`] holds a position in the log and reads on from there when it is woken, so history
//! and live updates come by the same path: no gap and no duplicate between them is possible. A slow reader simply stays
//! behind; the log's bounds are the bound of its queue, and when its position leaves the log it is told so by a reset.
//!
//! The hub knows no transport. A transport that wants to share its framing of an update stores it in [`Entry::frame`].

#[cfg(feature = "faults")]
mod faults;
mod log;
mod publisher;
mod reader;

use std::{
    collections::HashMap,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
};

use bytes::Bytes;
use parking_lot::RwLock;
use tokio::sync::watch;

use crate::{
    clock::Clock,
    wire::{Cursor, PublishedAnswer, PublishedTopic, PublishedUpdate},
};

use log::Log;
pub use log::PUBLISH_LOG_MAX;
pub use publisher::{Publisher, encode};
pub use reader::{Batch, BatchBounds, Position, Reader};

/// Transports that share framed updates; each owns one slot.
pub const FRAME_SLOTS: usize = 3;

/// Bounds of the update log: whichever comes first.
#[derive(Debug, Clone, Copy)]
pub struct LogBounds {
    pub updates_per_topic: usize,
    /// Encoded updates in all, in bytes. The framings that sessions share (at most one a slot) come on top.
    pub bytes: usize,
}

/// A topic as clients see it.
#[derive(Debug, Clone)]
pub struct Topic {
    pub name: String,
    pub home: String,
    pub away: String,
}

/// What the feed knows of an update before the hub stamps it.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'a> {
    /// Index of the topic.
    pub topic: usize,
    pub due_us: u64,
    pub home_score: u16,
    pub away_score: u16,
    pub minute: u16,
    pub event: &'a str,
    pub player: &'a str,
}

/// A published update, shared by every session.
#[derive(Debug)]
pub struct Entry {
    pub cursor: Cursor,
    pub seq: u64,
    pub topic: usize,
    pub due_us: u64,
    pub sent_us: u64,
    /// The update, encoded.
    pub json: Bytes,
    frames: [OnceLock<Bytes>; FRAME_SLOTS],
    /// Bytes of all frames of the hub: this entry's are added as they are made, and taken off when the entry goes.
    frame_bytes: Arc<AtomicUsize>,
}

impl Entry {
    /// The update as one transport frames it: made by the first session that needs it, shared by all others.
    pub fn frame(&self, slot: usize, make: impl FnOnce(&Entry) -> Bytes) -> &Bytes {
        let made = || {
            let frame = make(self);
            self.frame_bytes.fetch_add(frame.len(), Relaxed);
            frame
        };
        self.frames[slot].get_or_init(made)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let framed = self.frames.iter().filter_map(OnceLock::get).map(Bytes::len).sum();
        self.frame_bytes.fetch_sub(framed, Relaxed);
    }
}

/// Which updates a session follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    All,
    Topic(usize),
}

/// The log, its bounds and everyone who waits for it.
pub struct Hub {
    pub clock: Clock,
    pub epoch: u64,
    topics: Vec<Topic>,
    by_name: HashMap<String, usize>,
    bounds: LogBounds,
    log: RwLock<Log>,
    /// Woken for every update, with its offset; one channel per topic, so that an update wakes only those who follow it.
    wake_topic: Vec<watch::Sender<u64>>,
    wake_all: watch::Sender<u64>,
    frame_bytes: Arc<AtomicUsize>,
    /// Set once, before the feed starts: another schedule may take its place, so the future is never complete.
    changeable: AtomicBool,
}

/// What the log holds now.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct LogStats {
    pub updates: usize,
    /// Encoded updates and their framings.
    pub bytes: usize,
    pub last_offset: u64,
    pub evicted_through: u64,
}

impl Hub {
    pub fn new(clock: Clock, topics: Vec<Topic>, bounds: LogBounds) -> Arc<Self> {
        let by_name = topics
            .iter()
            .enumerate()
            .map(|(index, topic)| (topic.name.clone(), index))
            .collect();
        Arc::new(Self {
            clock,
            // Milliseconds: two starts of a server never share one, and JavaScript reads it exactly.
            epoch: clock.now_us() / 1_000,
            by_name,
            bounds,
            log: RwLock::new(Log::new(topics.len())),
            wake_topic: topics.iter().map(|_| watch::Sender::new(0)).collect(),
            wake_all: watch::Sender::new(0),
            frame_bytes: Arc::default(),
            changeable: AtomicBool::new(false),
            topics,
        })
    }

    pub fn topics(&self) -> &[Topic] {
        &self.topics
    }

    pub fn topic_named(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Changes with every update: for a reader on a thread of its own, which something else must wake.
    pub fn wakes(&self) -> watch::Receiver<u64> {
        self.wake(Filter::All).subscribe()
    }

    /// Woken for every update of `filter`.
    fn wake(&self, filter: Filter) -> &watch::Sender<u64> {
        match filter {
            Filter::All => &self.wake_all,
            Filter::Topic(topic) => &self.wake_topic[topic],
        }
    }

    pub fn log_stats(&self) -> LogStats {
        let log = self.log.read();
        LogStats {
            updates: log.entries.len(),
            bytes: log.bytes + self.frame_bytes.load(Relaxed),
            last_offset: log.last_offset,
            evicted_through: log.evicted_through,
        }
    }

    /// The publish log of the updates due in `[from_us, to_us)`, by topic.
    pub fn published(&self, from_us: u64, to_us: u64, detail: bool) -> PublishedAnswer {
        // Read before the lock is taken: a change that comes meanwhile has its first update later than this.
        let known_us = if self.changeable.load(Relaxed) {
            self.clock.now_us()
        } else {
            u64::MAX
        };
        let (lines, complete, truncated) = {
            let log = self.log.read();
            // The feed hands out in order of due time, so the log is sorted by it.
            let from = log.published.partition_point(|(_, _, update)| update.due_us < from_us);
            let to = log.published.partition_point(|(_, _, update)| update.due_us < to_us);
            // Copied, so that the publisher waits for the copy alone and not for the answer.
            let lines: Vec<_> = log.published.range(from..to.max(from)).copied().collect();
            (
                lines,
                log.complete_before_us.min(known_us) >= to_us,
                log.published_truncated && from == 0,
            )
        };
        let mut topics: Vec<PublishedTopic> = self.topics.iter().map(|one| PublishedTopic::none(&one.name)).collect();
        for (topic, offset, update) in lines {
            topics[topic].add(offset, update, detail);
        }
        PublishedAnswer {
            epoch: self.epoch,
            from_us,
            to_us,
            complete,
            truncated,
            topics,
        }
    }

    /// Says that nothing due before `due_us` will be published any more.
    pub fn complete_before(&self, due_us: u64) {
        self.log.write().complete_before_us = due_us;
    }

    /// Says that another schedule may take the feed's place later on: from now on nothing is called complete before its time has come.
    pub(crate) fn may_change(&self) {
        self.changeable.store(true, Relaxed);
    }

    /// Takes back what was said of the time from now on, while nothing is being published: another schedule begins then. Returns now.
    pub(crate) fn reopen(&self) -> u64 {
        let mut log = self.log.write();
        let now_us = self.clock.now_us();
        log.complete_before_us = log.complete_before_us.min(now_us);
        now_us
    }

    /// How many updates each topic has had.
    pub(crate) fn played(&self) -> Vec<u64> {
        let seq = |topic: &log::TopicLog| topic.newest.as_ref().map_or(0, |newest| newest.seq);
        self.log.read().topics.iter().map(seq).collect()
    }
}

impl PublishedTopic {
    fn none(name: &str) -> Self {
        Self {
            topic: name.to_owned(),
            count: 0,
            first_seq: None,
            last_seq: None,
            last_offset: None,
            updates: Vec::new(),
        }
    }

    fn add(&mut self, offset: u64, update: PublishedUpdate, detail: bool) {
        self.count += 1;
        self.first_seq.get_or_insert(update.seq);
        self.last_seq = Some(update.seq);
        self.last_offset = Some(offset);
        if detail {
            self.updates.push(update);
        }
    }
}
