//! The hub: stamps an update, encodes it once, keeps the one log, and wakes whoever waits for it.
//!
//! ```text
//! feed thread -> Publisher::publish -> State (log, per topic and in all) -> watch channels -> Reader of each session
//! ```
//!
//! There is no queue per session. A [`Reader`] holds a position in the log and reads on from there when it is woken, so history
//! and live updates come by the same path: no gap and no duplicate between them is possible. A slow reader simply stays
//! behind; the log's bounds are the bound of its queue, and when its position leaves the log it is told so by a reset.
//!
//! The hub knows no transport. A transport that wants to share its framing of an update stores it in [`Entry::frame`].

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use bytes::Bytes;
use parking_lot::RwLock;
use tokio::sync::watch;

use crate::{
    clock::Clock,
    wire::{Cursor, Mode, PublishedAnswer, PublishedTopic, PublishedUpdate, Reset, ResetReason, Update},
};

/// Lines the publish log keeps (40 bytes each): a bound for a server that runs for weeks. A plan that publishes more is refused.
pub const PUBLISH_LOG_MAX: usize = 1_000_000;

/// Transports that share framed updates; each owns one slot.
pub const FRAME_SLOTS: usize = 2;

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
    pub fn frame(&self, slot: usize, make: impl FnOnce(&Entry) -> Bytes) -> Bytes {
        let made = || {
            let frame = make(self);
            self.frame_bytes.fetch_add(frame.len(), Relaxed);
            frame
        };
        self.frames[slot].get_or_init(made).clone()
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
    state: RwLock<State>,
    /// Woken for every update, with its offset; one channel per topic, so that an update wakes only those who follow it.
    wake_topic: Vec<watch::Sender<u64>>,
    wake_all: watch::Sender<u64>,
    frame_bytes: Arc<AtomicUsize>,
}

/// Everything behind the lock: written by the one publisher, read by all sessions.
struct State {
    log: VecDeque<Arc<Entry>>,
    log_bytes: usize,
    last_offset: u64,
    /// Offset of the newest entry that left the log, of any topic.
    evicted_through: u64,
    topics: Vec<TopicState>,
    published: VecDeque<(usize, u64, PublishedUpdate)>,
    published_truncated: bool,
    /// Everything due before this has been published.
    complete_before_us: u64,
}

#[derive(Default)]
struct TopicState {
    entries: VecDeque<Arc<Entry>>,
    /// Outlives its place in the log: the newest state is always known.
    newest: Option<Arc<Entry>>,
    evicted_through: u64,
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
            state: RwLock::new(State {
                log: VecDeque::new(),
                log_bytes: 0,
                last_offset: 0,
                evicted_through: 0,
                topics: topics.iter().map(|_| TopicState::default()).collect(),
                published: VecDeque::new(),
                published_truncated: false,
                complete_before_us: 0,
            }),
            wake_topic: topics.iter().map(|_| watch::Sender::new(0)).collect(),
            wake_all: watch::Sender::new(0),
            frame_bytes: Arc::default(),
            topics,
        })
    }

    pub fn topics(&self) -> &[Topic] {
        &self.topics
    }

    pub fn topic_named(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub fn log_stats(&self) -> LogStats {
        let state = self.state.read();
        LogStats {
            updates: state.log.len(),
            bytes: state.log_bytes + self.frame_bytes.load(Relaxed),
            last_offset: state.last_offset,
            evicted_through: state.evicted_through,
        }
    }

    /// The publish log of the updates due in `[from_us, to_us)`, by topic.
    pub fn published(&self, from_us: u64, to_us: u64, detail: bool) -> PublishedAnswer {
        let (lines, complete, truncated) = {
            let state = self.state.read();
            // The feed hands out in order of due time, so the log is sorted by it.
            let from = state
                .published
                .partition_point(|(_, _, update)| update.due_us < from_us);
            let to = state.published.partition_point(|(_, _, update)| update.due_us < to_us);
            // Copied, so that the publisher waits for the copy alone and not for the answer.
            let lines: Vec<_> = state.published.range(from..to.max(from)).copied().collect();
            (
                lines,
                state.complete_before_us >= to_us,
                state.published_truncated && from == 0,
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
        self.state.write().complete_before_us = due_us;
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

/// The one writer of the hub.
pub struct Publisher {
    hub: Arc<Hub>,
    update_bytes: Option<usize>,
    last_offset: u64,
    last_seq: Vec<u64>,
}

impl Publisher {
    /// `update_bytes`: the size every encoded update is filled up to.
    pub fn new(hub: Arc<Hub>, update_bytes: Option<usize>) -> Self {
        let last_seq = vec![0; hub.topics.len()];
        Self {
            hub,
            update_bytes,
            last_offset: 0,
            last_seq,
        }
    }

    /// Stamps, encodes, logs and announces one update.
    pub fn publish(&mut self, draft: Draft<'_>) {
        self.last_offset += 1;
        self.last_seq[draft.topic] += 1;
        let hub = &self.hub;
        let topic = &hub.topics[draft.topic];
        let update = Update {
            topic: topic.name.as_str().into(),
            epoch: hub.epoch,
            offset: self.last_offset,
            seq: self.last_seq[draft.topic],
            due_us: draft.due_us,
            sent_us: hub.clock.now_us(),
            home: topic.home.as_str().into(),
            away: topic.away.as_str().into(),
            home_score: draft.home_score,
            away_score: draft.away_score,
            minute: draft.minute,
            event: draft.event.into(),
            player: draft.player.into(),
            pad: None,
        };
        let entry = Arc::new(Entry {
            cursor: Cursor {
                epoch: hub.epoch,
                offset: self.last_offset,
            },
            seq: update.seq,
            topic: draft.topic,
            due_us: update.due_us,
            sent_us: update.sent_us,
            json: encode(update, self.update_bytes),
            frames: Default::default(),
            frame_bytes: hub.frame_bytes.clone(),
        });
        hub.state.write().append(entry, hub.bounds);
        hub.wake_topic[draft.topic].send_replace(self.last_offset);
        hub.wake_all.send_replace(self.last_offset);
    }
}

/// Encodes an update, filled up to `size` bytes with `pad` where the bare one is shorter.
pub fn encode(mut update: Update<'_>, size: Option<usize>) -> Bytes {
    if size.is_some() {
        update.pad = Some("".into());
    }
    let mut json = Vec::with_capacity(size.unwrap_or(256));
    // Only a map with keys that are not text, or a failing writer, makes serde_json fail.
    serde_json::to_writer(&mut json, &update).expect("an update is plain data");
    if let Some(size) = size {
        // The last field is `"pad":""`: the filler goes between its quotes.
        const END: &[u8] = br#""}"#;
        let filler = size.saturating_sub(json.len());
        json.truncate(json.len() - END.len());
        json.resize(json.len() + filler, b'x');
        json.extend_from_slice(END);
    }
    json.into()
}

impl State {
    fn append(&mut self, entry: Arc<Entry>, bounds: LogBounds) {
        let update = PublishedUpdate {
            seq: entry.seq,
            due_us: entry.due_us,
            sent_us: entry.sent_us,
        };
        self.published.push_back((entry.topic, entry.cursor.offset, update));
        if self.published.len() > PUBLISH_LOG_MAX {
            self.published.pop_front();
            self.published_truncated = true;
        }
        self.last_offset = entry.cursor.offset;
        self.log_bytes += entry.json.len();
        let topic = &mut self.topics[entry.topic];
        topic.newest = Some(entry.clone());
        topic.entries.push_back(entry.clone());
        let index = entry.topic;
        self.log.push_back(entry);
        while self.topics[index].entries.len() > bounds.updates_per_topic || self.log_bytes > bounds.bytes {
            self.evict_oldest();
        }
    }

    /// Drops the log's head, whatever its topic: the log stays contiguous, so one number says what has left it.
    fn evict_oldest(&mut self) {
        let Some(oldest) = self.log.pop_front() else { return };
        self.log_bytes -= oldest.json.len();
        self.evicted_through = oldest.cursor.offset;
        let topic = &mut self.topics[oldest.topic];
        topic.entries.pop_front();
        topic.evicted_through = oldest.cursor.offset;
    }

    /// The updates of `filter` after `position`, and the offset of the newest of them that is no longer there.
    fn after(&self, filter: Filter, position: u64) -> (u64, impl DoubleEndedIterator<Item = &Arc<Entry>>) {
        let (evicted_through, entries) = match filter {
            Filter::All => (self.evicted_through, &self.log),
            Filter::Topic(topic) => (self.topics[topic].evicted_through, &self.topics[topic].entries),
        };
        let start = entries.partition_point(|entry| entry.cursor.offset <= position);
        (evicted_through, entries.range(start..))
    }

    /// Seq of the newest update of a topic at `position`, which must not have left the log.
    fn seq_at(&self, topic: usize, position: u64) -> u64 {
        match self.after(Filter::Topic(topic), position).1.next() {
            Some(next) => next.seq - 1,
            None => self.topics[topic].newest.as_ref().map_or(0, |newest| newest.seq),
        }
    }

    /// The newest update of each topic of `filter`, in order of offset.
    fn newest(&self, filter: Filter) -> Vec<Arc<Entry>> {
        let topics = match filter {
            Filter::All => &self.topics[..],
            Filter::Topic(topic) => &self.topics[topic..=topic],
        };
        let mut newest: Vec<_> = topics.iter().filter_map(|topic| topic.newest.clone()).collect();
        newest.sort_unstable_by_key(|entry| entry.cursor.offset);
        newest
    }
}

/// How much one read may return. The newest state is returned whole: its bound is the number of topics.
#[derive(Debug, Clone, Copy)]
pub struct BatchBounds {
    pub updates: usize,
    pub bytes: usize,
}

/// What a session has to send next.
#[derive(Debug, Default)]
pub struct Batch {
    /// Say this first.
    pub reset: Option<Reset>,
    pub updates: Vec<Arc<Entry>>,
    /// The batch was cut at its bounds: read again.
    pub more: bool,
    /// Updates this session will never get, because of the reset.
    pub lagged: u64,
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.reset.is_none() && self.updates.is_empty()
    }
}

/// Where the next read starts.
#[derive(Debug, Clone, Copy)]
enum Start {
    /// The newest state, then everything after it.
    Newest(Option<ResetReason>),
    /// After [`Reader::position`].
    Position,
}

/// One session's position in the log.
pub struct Reader {
    hub: Arc<Hub>,
    filter: Filter,
    mode: Mode,
    start: Start,
    /// The session holds everything up to this offset (as far as it follows it).
    position: u64,
    /// The same in the topic's own count, for a session that follows one.
    held_seq: u64,
    /// Nothing was read yet, or the last batch was cut: there may be more without waiting.
    behind: bool,
    wake: watch::Receiver<u64>,
}

impl Reader {
    /// Opens at `since`, or at the newest state. A cursor that cannot be continued makes the first batch say so.
    pub fn open(hub: Arc<Hub>, filter: Filter, mode: Mode, since: Option<Cursor>) -> Self {
        let wake = match filter {
            Filter::All => hub.wake_all.subscribe(),
            Filter::Topic(topic) => hub.wake_topic[topic].subscribe(),
        };
        let mut held_seq = 0;
        let (start, position) = match since {
            None => (Start::Newest(None), 0),
            Some(cursor) if cursor.epoch != hub.epoch => (Start::Newest(Some(ResetReason::OtherEpoch)), 0),
            Some(cursor) => {
                let state = hub.state.read();
                if cursor.offset > state.last_offset {
                    (Start::Newest(Some(ResetReason::Ahead)), 0)
                } else if cursor.offset < state.after(filter, cursor.offset).0 {
                    (Start::Newest(Some(ResetReason::Evicted)), 0)
                } else {
                    if let Filter::Topic(topic) = filter {
                        held_seq = state.seq_at(topic, cursor.offset);
                    }
                    (Start::Position, cursor.offset)
                }
            }
        };
        Self {
            hub,
            filter,
            mode,
            start,
            position,
            held_seq,
            behind: true,
            wake,
        }
    }

    /// What to ask with to continue after everything read so far.
    pub fn cursor(&self) -> Cursor {
        Cursor {
            epoch: self.hub.epoch,
            offset: self.position,
        }
    }

    /// Everything that is there now, within bounds; an empty batch when nothing is.
    pub fn read(&mut self, bounds: BatchBounds) -> Batch {
        // Seen before the log is read: an update published in between wakes the session once more, for nothing.
        self.wake.mark_unchanged();
        let state = self.hub.state.read();
        let mut batch = Batch::default();
        if let Start::Newest(reason) = self.start {
            batch.reset = reason.map(|reason| Reset { reason });
            batch.updates = state.newest(self.filter);
        } else {
            let (evicted_through, entries) = state.after(self.filter, self.position);
            match self.mode {
                Mode::Latest if evicted_through > self.position => {
                    batch.updates = state.newest(self.filter);
                    batch.updates.retain(|entry| entry.cursor.offset > self.position);
                }
                Mode::Latest => {
                    let is_newest = |entry: &&Arc<Entry>| {
                        state.topics[entry.topic]
                            .newest
                            .as_ref()
                            .is_some_and(|newest| newest.seq == entry.seq)
                    };
                    batch.updates = entries.filter(is_newest).cloned().collect();
                }
                Mode::Every if evicted_through > self.position => {
                    batch.reset = Some(Reset {
                        reason: ResetReason::Evicted,
                    });
                    batch.updates = state.newest(self.filter);
                    let published = match self.filter {
                        Filter::All => state.last_offset - self.position,
                        Filter::Topic(topic) => state.seq_at(topic, state.last_offset) - self.held_seq,
                    };
                    let still_come = batch
                        .updates
                        .iter()
                        .filter(|entry| entry.cursor.offset > self.position)
                        .count();
                    batch.lagged = published - still_come as u64;
                }
                Mode::Every => {
                    let mut bytes = 0;
                    for entry in entries {
                        bytes += entry.json.len();
                        // The first one always goes, however large: a session must get on.
                        if !batch.updates.is_empty() && (batch.updates.len() == bounds.updates || bytes > bounds.bytes)
                        {
                            batch.more = true;
                            break;
                        }
                        batch.updates.push(entry.clone());
                    }
                }
            }
        }
        self.start = Start::Position;
        self.behind = batch.more;
        self.position = match batch.updates.last() {
            Some(last) if batch.more => last.cursor.offset,
            _ => state.last_offset,
        };
        if let Filter::Topic(topic) = self.filter {
            self.held_seq = state.seq_at(topic, self.position);
        }
        batch
    }

    /// Waits until a read may return something. Cancel safe; may wake for nothing.
    pub async fn ready(&mut self) {
        if !self.behind && self.wake.changed().await.is_err() {
            // The hub outlives its readers (they hold it), so this cannot happen; if it did, there would be nothing to wait for.
            std::future::pending::<()>().await;
        }
    }
}
