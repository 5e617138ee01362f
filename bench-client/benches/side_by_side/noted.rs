//! What the clients noted: the seq of every update and when it came, and what was wrong.

/// Receipts that are kept, 8 bytes each; more are only counted.
const RECEIPTS_MAX: usize = 40_000_000;

/// One update at one client.
#[derive(Clone, Copy)]
pub struct Receipt {
    pub seq: u32,
    /// When the read that completed it returned, µs after [`Noted::origin_us`].
    pub at_us: u32,
}

/// Everything the clients noted.
#[derive(Default)]
pub struct Noted {
    pub origin_us: u64,
    pub receipts: Vec<Receipt>,
    /// Receipts beyond [`RECEIPTS_MAX`].
    pub unnoted: u64,
    /// Updates that came again or after a newer one: no receipts.
    pub repeated: u64,
    /// Updates that a client never got although it got a newer one.
    pub skipped: u64,
    /// By seq: how many clients hold it.
    held_by: Vec<u32>,
    /// Clients that were cut, and what was wrong with the first one.
    pub cut: u64,
    pub fault: Option<String>,
}

impl Noted {
    /// Nothing yet; times count from here, in µs.
    pub fn since(origin_us: u64) -> Self {
        Self {
            origin_us,
            ..Self::default()
        }
    }

    /// Notes an update at a client whose newest was `last_seq`; returns how many clients hold it now.
    pub fn note(&mut self, seq: u32, at_us: u32, last_seq: &mut u32) -> u32 {
        if seq <= *last_seq {
            self.repeated += 1;
            return 0;
        }
        if *last_seq > 0 {
            self.skipped += u64::from(seq - *last_seq - 1);
        }
        *last_seq = seq;
        let index = seq as usize;
        if self.receipts.len() == RECEIPTS_MAX || index >= RECEIPTS_MAX {
            self.unnoted += 1;
            return 0;
        }
        self.receipts.push(Receipt { seq, at_us });
        if self.held_by.len() <= index {
            self.held_by.resize(index + 1, 0);
        }
        self.held_by[index] += 1;
        self.held_by[index]
    }
}
