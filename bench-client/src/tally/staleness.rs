//! How old what a client holds is, integrated exactly over the window.
//!
//! * **Age** at t: t − due time of the newest update held. Between two updates it grows by 1 µs per µs, so a client's window is a row
//!   of straight pieces, and mean and quantiles over all client time follow from the pieces alone.
//! * **Stale** at t: the newest update that is due is not held yet. Its share is the time above zero over all client time.

use server::wire::PublishedUpdate;

use super::{Evidence, stream::Stream};
use crate::virtual_client::Receipt;

/// A stretch in which age grows from `from_us` to `from_us + length_us`.
#[derive(Debug, Clone, Copy)]
struct Piece {
    from_us: i64,
    length_us: u64,
}

/// Ages of all streams (a client and a topic it follows).
#[derive(Debug, Default)]
pub struct Ages {
    pieces: Vec<Piece>,
    total_us: u64,
    stale_us: u64,
}

impl Ages {
    pub fn add(
        &mut self,
        evidence: &Evidence<'_>,
        published: &[PublishedUpdate],
        receipts: &[Receipt],
        stream: &Stream,
    ) {
        // A topic that never published has no age.
        if published.is_empty() && receipts.is_empty() {
            return;
        }
        let window = evidence.window;
        self.total_us += window.length_us();
        let mut since_us = window.from_us;
        let mut newest = None::<&Receipt>;
        for receipt in receipts.iter().filter(|receipt| receipt.received_us < window.to_us) {
            if newest.is_some_and(|newest| newest.seq >= receipt.seq) {
                continue;
            }
            self.push(since_us, receipt.received_us, newest, evidence);
            since_us = since_us.max(receipt.received_us);
            newest = Some(receipt);
        }
        self.push(since_us, window.to_us, newest, evidence);
        self.stale_us += stale_us(evidence, published, stream);
    }

    fn push(&mut self, from_us: u64, to_us: u64, newest: Option<&Receipt>, evidence: &Evidence<'_>) {
        if to_us > from_us {
            let due_us = newest.map_or(evidence.nothing_held_since_us, |newest| newest.due_us);
            self.pieces.push(Piece {
                from_us: from_us as i64 - due_us as i64,
                length_us: to_us - from_us,
            });
        }
    }

    pub fn mean_us(&self) -> Option<f64> {
        let area = |piece: &Piece| piece.length_us as f64 * (piece.from_us as f64 + piece.length_us as f64 / 2.0);
        (self.total_us > 0).then(|| self.pieces.iter().map(area).sum::<f64>() / self.total_us as f64)
    }

    /// The age that a share `q` of all client time stays under, to the µs.
    pub fn quantile_us(&self, q: f64) -> Option<u64> {
        let oldest = self
            .pieces
            .iter()
            .map(|piece| piece.from_us + piece.length_us as i64)
            .max()?;
        let wanted = q * self.total_us as f64;
        let time_under = |age: i64| -> f64 {
            self.pieces
                .iter()
                .map(|piece| (age - piece.from_us).clamp(0, piece.length_us as i64) as f64)
                .sum()
        };
        // Time under an age never falls as the age grows, so the age is found by halving.
        let (mut low, mut high) = (0, oldest.max(0));
        while low < high {
            let middle = low + (high - low) / 2;
            if time_under(middle) >= wanted {
                high = middle
            } else {
                low = middle + 1
            }
        }
        Some(low as u64)
    }

    pub fn stale_share(&self) -> Option<f64> {
        (self.total_us > 0).then(|| self.stale_us as f64 / self.total_us as f64)
    }
}

/// Time within the window in which an update that was due was not held, nor a newer one.
fn stale_us(evidence: &Evidence<'_>, published: &[PublishedUpdate], stream: &Stream) -> u64 {
    let window = evidence.window;
    let mut covered_us = window.from_us;
    let mut stale_us = 0;
    for (index, update) in published.iter().enumerate() {
        let until = stream.held_us(index).unwrap_or(window.to_us).min(window.to_us);
        let from = update.due_us.max(covered_us);
        stale_us += until.saturating_sub(from);
        covered_us = covered_us.max(until);
    }
    stale_us
}
