//! A session's position in the log, and what it is to be sent next.

use std::sync::Arc;

use tokio::sync::watch;

use super::{Entry, Filter, Hub, log::Log};
use crate::wire::{Cursor, Mode, Reset, ResetReason};

/// How much one read may return. The newest state is returned whole: its bound is the number of topics.
#[derive(Debug, Clone, Copy)]
pub struct BatchBounds {
    pub updates: usize,
    pub bytes: usize,
}

impl BatchBounds {
    /// What is taken for push sessions at once: small, so that a slow reader holds little, and large enough to catch up fast.
    pub const PUSH: Self = Self {
        updates: 64,
        bytes: 64 * 1024,
    };
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

/// A place in the log: whoever stands here holds everything it follows up to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Position {
    pub offset: u64,
    /// The same in the topic's own count, for a session that follows one topic.
    pub seq: u64,
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
    position: Position,
    /// Nothing was read yet, or the last batch was cut: there may be more without waiting.
    behind: bool,
    /// From the first wait on: most readers never wait.
    wake: Option<watch::Receiver<u64>>,
}

impl Reader {
    /// Opens at `since`, or at the newest state. A cursor that cannot be continued makes the first batch say so.
    pub fn open(hub: Arc<Hub>, filter: Filter, mode: Mode, since: Option<Cursor>) -> Self {
        let mut seq = 0;
        let (start, offset) = match since {
            None => (Start::Newest(None), 0),
            Some(cursor) if cursor.epoch != hub.epoch => (Start::Newest(Some(ResetReason::OtherEpoch)), 0),
            Some(cursor) => {
                let log = hub.log.read();
                if cursor.offset > log.last_offset {
                    (Start::Newest(Some(ResetReason::Ahead)), 0)
                } else if cursor.offset < log.after(filter, cursor.offset).0 {
                    if let Filter::Topic(topic) = filter {
                        seq = log.published_seq_at(topic, cursor.offset);
                    }
                    (Start::Newest(Some(ResetReason::Evicted)), cursor.offset)
                } else {
                    if let Filter::Topic(topic) = filter {
                        seq = log.seq_at(topic, cursor.offset);
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
            position: Position { offset, seq },
            behind: true,
            wake: None,
        }
    }

    /// What to ask with to continue after everything read so far.
    pub fn cursor(&self) -> Cursor {
        Cursor {
            epoch: self.hub.epoch,
            offset: self.position.offset,
        }
    }

    /// Where it stands.
    pub fn position(&self) -> Position {
        self.position
    }

    /// What its session was sent up to here by another way: it reads on from there.
    pub fn go_on_from(&mut self, position: Position) {
        self.position = position;
        self.start = Start::Position;
    }

    /// True when there is something behind its position.
    pub fn is_behind(&self) -> bool {
        self.hub.log.read().newest_offset(self.filter) > self.position.offset
    }

    pub fn filter(&self) -> Filter {
        self.filter
    }

    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Everything that is there now, within bounds; an empty batch when nothing is.
    pub fn read(&mut self, bounds: BatchBounds) -> Batch {
        // Seen before the log is read: an update published in between wakes the session once more, for nothing.
        if let Some(wake) = &mut self.wake {
            wake.mark_unchanged();
        }
        let log = self.hub.log.read();
        let mut batch = Batch::default();
        if let Start::Newest(reason) = self.start {
            batch.reset = reason.map(|reason| Reset { reason });
            batch.updates = log.newest(self.filter);
            if reason == Some(ResetReason::Evicted) && self.mode == Mode::Every {
                batch.lagged = self.lost(&log, &batch.updates);
            }
        } else {
            let (evicted_through, entries) = log.after(self.filter, self.position.offset);
            match self.mode {
                Mode::Latest if evicted_through > self.position.offset => {
                    batch.updates = log.newest(self.filter);
                    batch.updates.retain(|entry| entry.cursor.offset > self.position.offset);
                }
                Mode::Latest => {
                    let is_newest = |entry: &&Arc<Entry>| {
                        log.topics[entry.topic]
                            .newest
                            .as_ref()
                            .is_some_and(|newest| newest.seq == entry.seq)
                    };
                    batch.updates = entries.filter(is_newest).cloned().collect();
                }
                Mode::Every if evicted_through > self.position.offset => {
                    batch.reset = Some(Reset {
                        reason: ResetReason::Evicted,
                    });
                    batch.updates = log.newest(self.filter);
                    batch.lagged = self.lost(&log, &batch.updates);
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
        self.position.offset = match batch.updates.last() {
            Some(last) if batch.more => last.cursor.offset,
            _ => log.last_offset,
        };
        if let Filter::Topic(topic) = self.filter {
            self.position.seq = log.seq_at(topic, self.position.offset);
        }
        batch
    }

    /// How many updates after its position this session never gets, when it is given `newest` instead.
    fn lost(&self, log: &Log, newest: &[Arc<Entry>]) -> u64 {
        let published = match self.filter {
            Filter::All => log.last_offset - self.position.offset,
            Filter::Topic(topic) => log.seq_at(topic, log.last_offset) - self.position.seq,
        };
        let still_come = newest
            .iter()
            .filter(|entry| entry.cursor.offset > self.position.offset)
            .count();
        published.saturating_sub(still_come as u64)
    }

    /// Waits until a read may return something. Cancel safe; may wake for nothing.
    pub async fn ready(&mut self) {
        if self.behind {
            return;
        }
        if self.wake.is_none() {
            self.wake = Some(self.hub.wake(self.filter).subscribe());
            // What came before that wakes nobody.
            if self.is_behind() {
                return;
            }
        }
        if let Some(wake) = &mut self.wake
            && wake.changed().await.is_err()
        {
            // The hub outlives its readers (they hold it), so this cannot happen; if it did, there would be nothing to wait for.
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::Clock,
        hub::{Draft, LogBounds, Publisher, Topic},
    };

    const BATCH: BatchBounds = BatchBounds {
        updates: 100,
        bytes: 1 << 20,
    };

    /// Two topics that take turns, 15 updates each, of which the log keeps the last ten in all.
    fn hub() -> Arc<Hub> {
        let topic = |name: &str| Topic {
            name: name.into(),
            home: "A".into(),
            away: "B".into(),
        };
        let bounds = LogBounds {
            updates_per_topic: 5,
            bytes: 1 << 20,
        };
        let hub = Hub::new(Clock::start(), vec![topic("match-1"), topic("match-2")], bounds);
        let mut publisher = Publisher::new(hub.clone(), None);
        for k in 0..30 {
            publisher.publish(Draft {
                topic: k % 2,
                due_us: k as u64,
                home_score: 0,
                away_score: 0,
                minute: 0,
                event: "clock",
                player: "",
            });
        }
        hub
    }

    fn first_batch(filter: Filter, mode: Mode, offset: u64) -> Batch {
        let hub = hub();
        let since = Cursor {
            epoch: hub.epoch,
            offset,
        };
        Reader::open(hub, filter, mode, Some(since)).read(BATCH)
    }

    #[test]
    fn what_an_evicted_cursor_loses_is_counted() {
        // Offsets 5 to 30 are missing, and the newest of each topic comes: 29 and 30.
        let batch = first_batch(Filter::All, Mode::Every, 4);
        assert!(batch.reset.is_some());
        assert_eq!((batch.updates.len(), batch.lagged), (2, 24));
        // Of the first topic, offset 4 holds seqs 1 and 2 of 15, and 15 comes.
        let batch = first_batch(Filter::Topic(0), Mode::Every, 4);
        assert!(batch.reset.is_some());
        assert_eq!((batch.updates.len(), batch.lagged), (1, 12));
        assert_eq!(first_batch(Filter::Topic(1), Mode::Every, 0).lagged, 14);
    }

    #[test]
    fn where_only_the_newest_counts_nothing_is_lost() {
        let batch = first_batch(Filter::All, Mode::Latest, 4);
        assert!(batch.reset.is_some());
        assert_eq!((batch.updates.len(), batch.lagged), (2, 0));
    }

    #[test]
    fn a_cursor_within_the_log_goes_on_without_a_word() {
        let batch = first_batch(Filter::Topic(0), Mode::Every, 24);
        assert!(batch.reset.is_none());
        assert_eq!(
            batch.updates.iter().map(|entry| entry.seq).collect::<Vec<_>>(),
            [13, 14, 15]
        );
        assert_eq!(batch.lagged, 0);
    }
}
