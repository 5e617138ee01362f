//! One row against the null server: what the client alone adds to every latency, and what an update costs it.
//!
//! ```text
//! row::observe -> receipts, due = the null server's write() -> their latency: the client's share
//!                           due put right by the publish log -> figures.rs: is everything there? CPU per update
//! ```
//!
//! The null server writes the time of each write into the update as its due time. With the feed's own due times put back, the row
//! is judged like any other: a client that lost updates, or was cut, calibrates nothing.

use server::wire::PublishedAnswer;

use super::{Setting, figures::Measured, row};
use crate::{record::Row, report::histogram::Distribution, virtual_client::ClientLog};

/// Measures one transport once against the null server: from its writes to the client's reads, and the row.
pub async fn against_null(setting: &Setting<'_>, id: &str, repeat: u32) -> (Distribution, Row) {
    let mut measured = row::observe(setting, id, repeat).await;
    let added = added(&measured);
    if let Some(published) = &measured.state.published {
        put_right(&mut measured.logs, published);
    }
    (added, row::figures_of(measured).await)
}

/// From write to read, of everything that was received within the window.
fn added(measured: &Measured) -> Distribution {
    let mut added = Distribution::empty();
    let Some(window) = measured.state.window else {
        return added;
    };
    let receipts = measured.logs.iter().flat_map(|log| &log.receipts);
    for receipt in receipts.filter(|receipt| window.contains(receipt.received_us)) {
        match receipt.received_us.checked_sub(receipt.due_us) {
            Some(us) => added.histogram.saturating_record(us),
            None => added.negative += 1,
        }
    }
    added
}

/// Gives every receipt the due time of the schedule; one that was published after the window keeps its own, which is later still.
fn put_right(logs: &mut [ClientLog], published: &PublishedAnswer) {
    for receipt in logs.iter_mut().flat_map(|log| &mut log.receipts) {
        let topic = published.topics.get(receipt.topic as usize);
        let update = topic.and_then(|topic| {
            let at = topic.updates.binary_search_by_key(&receipt.seq, |update| update.seq);
            topic.updates.get(at.ok()?)
        });
        if let Some(update) = update {
            receipt.due_us = update.due_us;
        }
    }
}
