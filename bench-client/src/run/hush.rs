//! The end of asking: clients fall silent before they are stopped, so that every request that was counted here is counted there.
//!
//! ```text
//! drain has ended -> hush: no client asks any more -> the server has read what was asked -> clients are stopped, sockets closed
//! ```
//!
//! A connection that is closed right after a request was written may take it along: with thousands of polls some always are at that point.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::{control::Control, fleet::Fleet};

/// How often the server is asked what it has read; also what a client gets to write what it was about to.
const LOOK: Duration = Duration::from_millis(50);

/// Hushes the clients and waits until the server has read what they asked; `before` is what it had counted before them. A server that has
/// not got there when `patience` ends has lost some, or counts otherwise: the record shows both counts.
pub async fn hush(control: &Control, id: &str, fleet: &Fleet, before: u64, patience: Duration) {
    fleet.hush();
    let read = async {
        loop {
            sleep(LOOK).await;
            let asked = fleet.totals().requests;
            // Without an answer there is nothing to wait for.
            let Ok(stats) = control.stats().await else { return };
            let counted = stats.transports.iter().find(|one| one.id == id);
            if counted.is_none_or(|one| one.requests.saturating_sub(before) >= asked) {
                return;
            }
        }
    };
    // Too late is said by the counts.
    let _ = timeout(patience, read).await;
}
