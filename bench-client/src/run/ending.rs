//! The end of a row: clients fall silent, are stopped, and both ends' counts are taken when nothing can change them any more.
//!
//! ```text
//! drain has ended -> no client asks any more -> the server has read what was asked -> clients are stopped, sockets closed
//!                 -> the clients' and the kernel's counters -> the server's own count of their requests
//! ```
//!
//! A connection that is closed right after a request was written may take it along: with thousands of polls some always are at that point.
//! So clients fall silent first, and every request that was counted here is counted there.

use std::time::Duration;

use anyhow::Context;
use tokio::time::{sleep, timeout};

use super::{nodes::Nodes, row::State, stalled};
use crate::{
    fleet::{self, Fleet},
    machine,
};

/// How often the server is asked what it has read; also what a client gets to write what it was about to.
const LOOK: Duration = Duration::from_millis(50);
/// How long the server may take to read what was asked, and to see that all its connections are closed.
const PATIENCE: Duration = Duration::from_secs(3);

/// Ends the clients and takes the counts. `whole`: the phases ended well; otherwise only the clients' own counts are of use, as they are now.
pub async fn end(nodes: &Nodes, id: &str, state: &mut State, whole: bool) {
    if whole {
        if let (Some(fleet), Some(before)) = (&state.fleet, state.server_requests_before) {
            hush(nodes, id, fleet, before).await;
        }
        if let Some(standing) = state.stalled.take() {
            // A server that does not tell leaves it out.
            state.stalled_fate = stalled::end(standing, id, nodes.first()).await.ok();
        }
    } else if let Some(fleet) = &state.fleet {
        // What a server that broke down brings about from here on is nobody's figure.
        state.totals.get_or_insert(fleet.totals());
    }
    end_fleet(state).await;
    if whole {
        if let Some((_, after)) = &mut state.machine {
            *after = machine::counts(fleet::THREAD);
        }
        state.server_requests = server_requests(nodes, id, state.server_requests_before).await;
    }
}

/// Ends every client and collects what each noted (an error when one panicked, because then its notes are gone). Afterwards all their
/// connections are closed, so nothing is counted any more.
pub async fn end_fleet(state: &mut State) {
    let Some(fleet) = state.fleet.take() else { return };
    let window = state.window;
    let stopped = match tokio::task::spawn_blocking(move || fleet.stop(window)).await {
        Ok(stopped) => stopped,
        Err(error) => {
            state.logs = Some(Err(error).context("the clients could not be stopped"));
            return;
        }
    };
    state.logs = Some(stopped.logs);
    if let Some(at_close) = stopped.at_close {
        state.totals.get_or_insert(at_close.0);
        state.at_close = Some(at_close);
    }
    if let Some(told) = stopped.of_workers {
        state.client_lags_us = Some(told.lags_us).filter(|lags_us| !lags_us.is_empty());
        state.workers_samples = Some(told.samples);
    }
}

/// Waits until the server has read what was asked; `before` is what it had counted before these clients. One that has not got there in
/// time has lost some, or counts otherwise: the record shows both counts.
async fn hush(nodes: &Nodes, id: &str, fleet: &Fleet, before: u64) {
    fleet.hush();
    let read = async {
        let mut before_that = None;
        loop {
            sleep(LOOK).await;
            let totals = fleet.fresh_totals().await;
            let asked = totals.requests;
            // Without an answer there is nothing to wait for.
            let Ok(stats) = nodes.stats().await else { return };
            let counted = stats.requests_of(id);
            // Who left may have taken a request along.
            let read = counted.is_none_or(|now| now.saturating_sub(before) + totals.leaves >= asked);
            // Twice the same: what a client was about to write when it was told has been written. Where some may be missing for good, the
            // server's count has to rest as well: it is no longer reading what was asked.
            let now = (asked, counted.filter(|_| totals.leaves > 0));
            if read && before_that == Some(now) {
                return;
            }
            before_that = Some(now);
        }
    };
    // Too late is said by the counts.
    let _ = timeout(PATIENCE, read).await;
}

/// What the server counted of the row, once every connection but that of this very question is closed. None at a server with other clients
/// than ours, which never gets there.
async fn server_requests(nodes: &Nodes, id: &str, before: Option<u64>) -> Option<u64> {
    let counted = async {
        loop {
            let stats = nodes.stats().await.ok()?;
            if stats.connections <= 1 {
                return stats.requests_of(id)?.checked_sub(before?);
            }
            sleep(LOOK).await;
        }
    };
    timeout(PATIENCE, counted).await.ok().flatten()
}
