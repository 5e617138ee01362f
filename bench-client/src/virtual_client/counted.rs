//! What clients count that run for as long as somebody looks on, instead of noting every receipt: their memory stays the same.
//!
//! ```text
//! receipt -> Stream (of one client and topic): the next one? a gap? again? -> Counts (of all clients of a thread) -> read() each second
//! ```
//!
//! Judged by seq alone, as the tally judges by the publish log: what never came is missed, or lagged where a reset said so; what comes after
//! a newer one was not missed, but is out of order; what comes again is a duplicate.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use hdrhistogram::Histogram;
use parking_lot::Mutex;

use super::{Kind, Receipt};
use crate::report::histogram;

/// Gaps a client remembers per topic, the oldest being forgotten first: what comes after a newer one can then still be told from what comes
/// again. A connection keeps its order, so more than one is a fault already.
const GAPS_KEPT: usize = 8;

/// Sums since the beginning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Updates received once each, without the state a session begins with.
    pub deliveries: u64,
    pub missed: u64,
    pub lagged: u64,
    pub duplicates: u64,
    pub out_of_order: u64,
}

impl Sums {
    pub fn add(&mut self, other: &Self) {
        self.deliveries += other.deliveries;
        self.missed += other.missed;
        self.lagged += other.lagged;
        self.duplicates += other.duplicates;
        self.out_of_order += other.out_of_order;
    }
}

/// What is known since it was read the last time, and the sums.
#[derive(Debug)]
pub struct Reading {
    pub sums: Sums,
    /// Of live updates since the last reading, µs.
    pub latency: Histogram<u64>,
    /// How late a timer of the clients' thread came at worst since the last reading, µs: so much of a latency may be the clients' own.
    pub late_us: u64,
    /// Why a session ended since the last reading: the first one's words.
    pub error: Option<String>,
}

/// What the clients of one thread count together. They never wait for each other here, and for a reader only while it takes what there is.
#[derive(Debug)]
pub struct Counts {
    sessions: AtomicU64,
    reading: Mutex<Reading>,
}

impl Default for Counts {
    fn default() -> Self {
        let reading = Reading {
            sums: Sums::default(),
            latency: histogram::new(),
            late_us: 0,
            error: None,
        };
        Self {
            sessions: AtomicU64::new(0),
            reading: Mutex::new(reading),
        }
    }
}

impl Counts {
    /// Sessions open now.
    pub fn sessions(&self) -> u64 {
        self.sessions.load(Relaxed)
    }

    /// A timer of the clients' thread came so late.
    pub fn late(&self, by: Duration) {
        let mut reading = self.reading.lock();
        reading.late_us = reading.late_us.max(by.as_micros() as u64);
    }

    /// The sums, and what came since the last reading, which is forgotten here.
    pub fn read(&self) -> Reading {
        let empty = histogram::new();
        let mut reading = self.reading.lock();
        Reading {
            sums: reading.sums,
            latency: std::mem::replace(&mut reading.latency, empty),
            late_us: std::mem::take(&mut reading.late_us),
            error: reading.error.take(),
        }
    }
}

/// A session that is open, until it is dropped.
pub struct OpenSession(Arc<Counts>);

impl Drop for OpenSession {
    fn drop(&mut self) {
        self.0.sessions.fetch_sub(1, Relaxed);
    }
}

/// One client's place in every topic it follows, and where it counts.
#[derive(Debug)]
pub struct Counted {
    counts: Arc<Counts>,
    streams: HashMap<u32, Stream>,
    /// Receipts so far, of whatever kind.
    receipts: u64,
}

impl Counted {
    pub fn new(counts: Arc<Counts>) -> Self {
        Self {
            counts,
            streams: HashMap::new(),
            receipts: 0,
        }
    }

    pub fn receipts(&self) -> u64 {
        self.receipts
    }

    pub fn session(&self) -> OpenSession {
        self.counts.sessions.fetch_add(1, Relaxed);
        OpenSession(self.counts.clone())
    }

    pub fn failed(&self, error: &impl ToString) {
        let mut reading = self.counts.reading.lock();
        reading.error.get_or_insert_with(|| error.to_string());
    }

    pub fn take(&mut self, receipt: &Receipt) {
        self.receipts += 1;
        let verdict = match self.streams.entry(receipt.topic) {
            // What went before is not known to have been promised.
            Entry::Vacant(place) => {
                place.insert(Stream::at(receipt.seq));
                Verdict::Next { jumped: 0 }
            }
            Entry::Occupied(stream) if receipt.kind == Kind::AfterReset => stream.into_mut().reset(receipt.seq),
            Entry::Occupied(stream) => stream.into_mut().follow(receipt.seq),
        };
        let mut reading = self.counts.reading.lock();
        let sums = &mut reading.sums;
        match verdict {
            Verdict::Next { jumped } if receipt.kind == Kind::AfterReset => sums.lagged += jumped,
            Verdict::Next { jumped } => sums.missed += jumped,
            Verdict::Late => {
                sums.missed = sums.missed.saturating_sub(1);
                sums.out_of_order += 1;
            }
            Verdict::Again => {
                sums.duplicates += u64::from(receipt.kind != Kind::AfterReset);
                return;
            }
        }
        sums.deliveries += u64::from(receipt.kind != Kind::Initial);
        if receipt.kind == Kind::Live {
            // Read from the very clock the update was stamped by, and later.
            let latency_us = receipt.received_us.saturating_sub(receipt.due_us);
            reading.latency.saturating_record(latency_us);
        }
    }
}

/// What an update is to the stream it came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Newer than all before, so many of which never came.
    Next {
        jumped: u64,
    },
    /// Of a gap: it came after a newer one.
    Late,
    Again,
}

/// One client's updates of one topic so far.
#[derive(Debug)]
struct Stream {
    newest: u64,
    /// Jumped over, the oldest first: from the first seq to before the second.
    gaps: Vec<(u64, u64)>,
}

impl Stream {
    fn at(seq: u64) -> Self {
        Self {
            newest: seq,
            gaps: Vec::new(),
        }
    }

    fn follow(&mut self, seq: u64) -> Verdict {
        if seq > self.newest {
            let expected = self.newest + 1;
            if seq > expected {
                self.keep(expected, seq);
            }
            self.newest = seq;
            return Verdict::Next { jumped: seq - expected };
        }
        let Some(index) = self.gaps.iter().position(|(from, to)| (*from..*to).contains(&seq)) else {
            return Verdict::Again;
        };
        let (from, to) = self.gaps.remove(index);
        for (from, to) in [(from, seq), (seq + 1, to)] {
            if from < to {
                self.keep(from, to);
            }
        }
        Verdict::Late
    }

    fn keep(&mut self, from: u64, to: u64) {
        if self.gaps.len() == GAPS_KEPT {
            self.gaps.remove(0);
        }
        self.gaps.push((from, to));
    }

    /// The newest state after a reset: from here on it is followed, whatever was before.
    fn reset(&mut self, seq: u64) -> Verdict {
        let verdict = match seq.checked_sub(self.newest + 1) {
            Some(jumped) => Verdict::Next { jumped },
            None => Verdict::Again,
        };
        *self = Self::at(seq);
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(seq: u64, kind: Kind) -> Receipt {
        Receipt {
            received_us: 1_000_500,
            due_us: 1_000_000,
            seq,
            topic: 0,
            bytes: 200,
            home_score: 0,
            away_score: 0,
            shootout: None,
            kind,
        }
    }

    /// What one client counts that gets these.
    fn counted(receipts: &[(u64, Kind)]) -> Reading {
        let counts = Arc::<Counts>::default();
        let mut client = Counted::new(counts.clone());
        for (seq, kind) in receipts {
            client.take(&receipt(*seq, *kind));
        }
        assert_eq!(client.receipts(), receipts.len() as u64);
        counts.read()
    }

    #[test]
    fn what_never_came_is_missed_and_what_comes_late_was_not() {
        use Kind::Live;
        let sums = counted(&[(5, Live), (6, Live), (10, Live), (8, Live), (8, Live), (10, Live)]).sums;
        // 7 and 9 are missing; 8 came late and then once more; 10 came twice.
        let expected = Sums {
            deliveries: 4,
            missed: 2,
            lagged: 0,
            duplicates: 2,
            out_of_order: 1,
        };
        assert_eq!(sums, expected);
    }

    #[test]
    fn a_reset_says_what_is_lost_and_its_state_is_no_duplicate() {
        use Kind::{AfterReset, Initial, Live};
        let sums = counted(&[(5, Initial), (9, AfterReset), (9, AfterReset), (10, Live)]).sums;
        let expected = Sums {
            deliveries: 2,
            lagged: 3,
            ..Sums::default()
        };
        assert_eq!(sums, expected);
    }

    #[test]
    fn only_live_updates_have_latencies_and_each_is_told_once() {
        use Kind::{CatchUp, Initial, Live};
        let counts = Arc::<Counts>::default();
        let mut client = Counted::new(counts.clone());
        for (seq, kind) in [(1, Initial), (2, Live), (3, CatchUp), (4, Live)] {
            client.take(&receipt(seq, kind));
        }
        client.failed(&"cut");
        client.failed(&"cut again");
        counts.late(Duration::from_micros(1_700));
        counts.late(Duration::from_micros(1_200));
        let reading = counts.read();
        assert_eq!((reading.latency.len(), reading.latency.max()), (2, 500));
        assert_eq!(reading.late_us, 1_700, "the worst");
        assert_eq!((reading.sums.deliveries, reading.error.as_deref()), (3, Some("cut")));
        let again = counts.read();
        assert_eq!((again.latency.len(), again.late_us, again.error), (0, 0, None));
        assert_eq!(again.sums.deliveries, 3, "sums stay");
    }

    #[test]
    fn a_session_counts_until_it_is_dropped_and_gaps_are_bounded() {
        let counts = Arc::<Counts>::default();
        let mut client = Counted::new(counts.clone());
        let session = client.session();
        assert_eq!(counts.sessions(), 1);
        drop(session);
        assert_eq!(counts.sessions(), 0);
        for seq in (1..100).step_by(2) {
            client.take(&receipt(seq, Kind::Live));
        }
        assert_eq!(client.streams[&0].gaps.len(), GAPS_KEPT);
        assert_eq!(counts.read().sums.missed, 49);
    }
}
