//! One client's updates of one topic, laid beside what the topic published.

use server::wire::{Mode, PublishedUpdate};

use crate::virtual_client::{Kind, Receipt};

/// What became of each published update at one client.
pub struct Stream {
    /// By index into the publish log: the first receipt of it.
    pub received: Vec<Option<Receipt>>,
    /// By index: since when the client's state includes it or a newer one, and how that one came.
    held: Vec<Option<(u64, Kind)>>,
    repeated: Vec<(usize, bool)>,
    /// Receipts whose due time is not the publish log's.
    pub disagreements: u64,
}

/// What became of one update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Received {
        at_us: u64,
        kind: Kind,
        held_us: u64,
    },
    /// Mode latest: a newer one came instead.
    Superseded {
        held_us: u64,
        kind: Kind,
    },
    /// Lost with a reset.
    Lagged,
    Missed,
}

impl Stream {
    /// `published` is contiguous in seq; `receipts` are of its topic alone, in order of arrival.
    pub fn follow(published: &[PublishedUpdate], receipts: &[Receipt]) -> Self {
        let first_seq = published.first().map_or(u64::MAX, |update| update.seq);
        let mut stream = Self {
            received: vec![None; published.len()],
            held: vec![None; published.len()],
            repeated: Vec::new(),
            disagreements: 0,
        };
        let mut newest_seq = 0;
        // Indexes below this one are held.
        let mut held = 0;
        for (position, receipt) in receipts.iter().enumerate() {
            let in_order = receipt.seq > newest_seq;
            newest_seq = newest_seq.max(receipt.seq);
            let Some(index) = receipt.seq.checked_sub(first_seq).map(|index| index as usize) else {
                // Older than the part of the publish log that was asked for: not of this window.
                continue;
            };
            if index >= published.len() {
                // Newer than the window: it covers what is in it.
                stream.hold(&mut held, published.len(), receipt);
                continue;
            }
            stream.hold(&mut held, index + 1, receipt);
            if stream.received[index].is_some() {
                if receipt.kind != Kind::AfterReset {
                    stream.repeated.push((position, true));
                }
                continue;
            }
            if !in_order && receipt.kind != Kind::AfterReset {
                stream.repeated.push((position, false));
            }
            stream.disagreements += u64::from(published[index].due_us != receipt.due_us);
            stream.received[index] = Some(*receipt);
        }
        stream
    }

    fn hold(&mut self, held: &mut usize, until: usize, receipt: &Receipt) {
        for index in *held..until {
            self.held[index] = Some((receipt.received_us, receipt.kind));
        }
        *held = until.max(*held);
    }

    pub fn fate(&self, index: usize, mode: Mode) -> Fate {
        match (self.received[index], self.held[index]) {
            (Some(receipt), held) => Fate::Received {
                at_us: receipt.received_us,
                kind: receipt.kind,
                held_us: held.map_or(receipt.received_us, |(held_us, _)| held_us),
            },
            (None, Some((held_us, kind))) if mode == Mode::Latest => Fate::Superseded { held_us, kind },
            (None, Some((_, Kind::AfterReset))) => Fate::Lagged,
            (None, _) => Fate::Missed,
        }
    }

    /// Since when the client's state includes the update or a newer one.
    pub fn held_us(&self, index: usize) -> Option<u64> {
        self.held[index].map(|(held_us, _)| held_us)
    }

    /// Receipts that came again (true) or after a newer one (false).
    pub fn repeated<'a>(&'a self, receipts: &'a [Receipt]) -> impl Iterator<Item = (Receipt, bool)> + 'a {
        self.repeated
            .iter()
            .map(|(position, again)| (receipts[*position], *again))
    }

    /// Every update once, as it first came.
    pub fn firsts(&self) -> impl Iterator<Item = &Receipt> {
        self.received.iter().flatten()
    }
}
