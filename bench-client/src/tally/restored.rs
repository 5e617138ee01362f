//! When each client had the newest state again after its server was killed.
//!
//! ```text
//! when the new server was started + publish log -> the newest update of each topic by then -> when the new server told the client
//! ```

use server::wire::PublishedUpdate;

use crate::virtual_client::{Kind, Receipt};

/// When a server was started in the place of one that was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    pub started_us: u64,
}

/// All clients that had something to be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restored {
    pub at_us: Vec<u64>,
    /// Clients that were not told to the end.
    pub never: u64,
}

/// One client, topic by topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restoring {
    /// Nothing was due yet on what it follows.
    Nothing,
    At(u64),
    Never,
}

impl Restoring {
    /// Adds a topic the client follows: all of them have to be there.
    pub fn follow(self, outage: Outage, published: &[PublishedUpdate], receipts: &[Receipt]) -> Self {
        let due = published.partition_point(|update| update.due_us <= outage.started_us);
        let Some(newest) = due.checked_sub(1).map(|index| published[index].seq) else {
            return self;
        };
        // What the old server wrote may be read after its end: only from a reset on (or as a new client's first state) it is the new one's.
        let of_the_new = |receipt: &&Receipt| {
            receipt.received_us >= outage.started_us && matches!(receipt.kind, Kind::AfterReset | Kind::Initial)
        };
        let from = receipts.iter().position(|receipt| of_the_new(&receipt));
        let told = from.and_then(|from| receipts[from..].iter().find(|receipt| receipt.seq >= newest));
        match (self, told) {
            (Self::Never, _) | (_, None) => Self::Never,
            (Self::At(at_us), Some(told)) => Self::At(at_us.max(told.received_us)),
            (Self::Nothing, Some(told)) => Self::At(told.received_us),
        }
    }
}

impl Restored {
    pub fn add(&mut self, client: Restoring) {
        match client {
            Restoring::Nothing => {}
            Restoring::At(at_us) => self.at_us.push(at_us),
            Restoring::Never => self.never += 1,
        }
    }
}
