//! The log itself: all updates in order of offset, by topic as well, bounded; and the longer log of what was published.

use std::{collections::VecDeque, sync::Arc};

use super::{Entry, Filter, LogBounds};
use crate::wire::PublishedUpdate;

/// Lines the publish log keeps (40 bytes each): a bound for a server that runs for weeks. A plan that publishes more is refused.
pub const PUBLISH_LOG_MAX: usize = 1_000_000;

/// Lines of the publish log that are searched for the position of one topic.
const SEARCH_MAX: usize = 10_000;

/// Everything behind the lock: written by the one publisher, read by all sessions.
pub(super) struct Log {
    pub entries: VecDeque<Arc<Entry>>,
    /// Encoded updates, in bytes.
    pub bytes: usize,
    pub last_offset: u64,
    /// Offset of the newest entry that left the log, of any topic.
    pub evicted_through: u64,
    pub topics: Vec<TopicLog>,
    /// Topic, offset and times of every update, for longer than the updates themselves.
    pub published: VecDeque<(usize, u64, PublishedUpdate)>,
    pub published_truncated: bool,
    /// Everything due before this has been published.
    pub complete_before_us: u64,
}

/// The part of one topic.
#[derive(Default)]
pub(super) struct TopicLog {
    pub entries: VecDeque<Arc<Entry>>,
    /// Outlives its place in the log: the newest state is always known.
    pub newest: Option<Arc<Entry>>,
    pub evicted_through: u64,
}

impl Log {
    /// An empty log of so many topics.
    pub fn new(topics: usize) -> Self {
        Self {
            entries: VecDeque::new(),
            bytes: 0,
            last_offset: 0,
            evicted_through: 0,
            topics: (0..topics).map(|_| TopicLog::default()).collect(),
            published: VecDeque::new(),
            published_truncated: false,
            complete_before_us: 0,
        }
    }

    /// Appends an update and evicts what is beyond the bounds.
    pub fn append(&mut self, entry: Arc<Entry>, bounds: LogBounds) {
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
        self.bytes += entry.json.len();
        let topic = &mut self.topics[entry.topic];
        topic.newest = Some(entry.clone());
        topic.entries.push_back(entry.clone());
        let index = entry.topic;
        self.entries.push_back(entry);
        while self.topics[index].entries.len() > bounds.updates_per_topic || self.bytes > bounds.bytes {
            self.evict_oldest();
        }
    }

    /// Drops the log's head, whatever its topic: the log stays contiguous, so one number says what has left it.
    fn evict_oldest(&mut self) {
        let Some(oldest) = self.entries.pop_front() else { return };
        self.bytes -= oldest.json.len();
        self.evicted_through = oldest.cursor.offset;
        let topic = &mut self.topics[oldest.topic];
        topic.entries.pop_front();
        topic.evicted_through = oldest.cursor.offset;
    }

    /// The updates of `filter` after `position`, and the offset of the newest of them that is no longer there.
    pub fn after(&self, filter: Filter, position: u64) -> (u64, impl DoubleEndedIterator<Item = &Arc<Entry>>) {
        let (evicted_through, entries) = match filter {
            Filter::All => (self.evicted_through, &self.entries),
            Filter::Topic(topic) => (self.topics[topic].evicted_through, &self.topics[topic].entries),
        };
        let start = entries.partition_point(|entry| entry.cursor.offset <= position);
        (evicted_through, entries.range(start..))
    }

    /// Offset of the newest update of `filter`; zero before the first.
    pub fn newest_offset(&self, filter: Filter) -> u64 {
        match filter {
            Filter::All => self.last_offset,
            Filter::Topic(topic) => self.topics[topic]
                .newest
                .as_ref()
                .map_or(0, |newest| newest.cursor.offset),
        }
    }

    /// Seq of the newest update of a topic at `position`, which must not have left the log.
    pub fn seq_at(&self, topic: usize, position: u64) -> u64 {
        match self.after(Filter::Topic(topic), position).1.next() {
            Some(next) => next.seq - 1,
            None => self.topics[topic].newest.as_ref().map_or(0, |newest| newest.seq),
        }
    }

    /// The same for a position that has left the log, from the publish log. A topic that was quiet for very long before it counts
    /// as held to its newest update: a search through everything ever published is not worth a counter.
    pub fn published_seq_at(&self, topic: usize, position: u64) -> u64 {
        let newest = || self.topics[topic].newest.as_ref().map_or(0, |newest| newest.seq);
        let Some((_, first, _)) = self.published.front() else {
            return newest();
        };
        let lines = (position + 1).saturating_sub(*first).min(self.published.len() as u64) as usize;
        let mut before = self.published.range(..lines).rev().take(SEARCH_MAX);
        match before.find(|(of, ..)| *of == topic) {
            Some((_, _, update)) => update.seq,
            None if *first == 1 && lines < SEARCH_MAX => 0,
            None => newest(),
        }
    }

    /// The newest update of each topic of `filter`, in order of offset.
    pub fn newest(&self, filter: Filter) -> Vec<Arc<Entry>> {
        let topics = match filter {
            Filter::All => &self.topics[..],
            Filter::Topic(topic) => &self.topics[topic..=topic],
        };
        let mut newest: Vec<_> = topics.iter().filter_map(|topic| topic.newest.clone()).collect();
        newest.sort_unstable_by_key(|entry| entry.cursor.offset);
        newest
    }
}
