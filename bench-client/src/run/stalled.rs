//! Stalled clients of a row: opened before anything of the measured clients is counted, and looked at when the drain is over.

use std::time::Duration;

use anyhow::Context;
use server::clock::Clock;
use tokio::time::{Instant, sleep};

use super::{clients, row::State};
use crate::{
    control::{Control, Stats},
    record::{Plan, Stalled},
    stalled::StalledPeers,
};

const LOOK: Duration = Duration::from_millis(20);
/// How long the server may take to read one request of each.
const PATIENCE: Duration = Duration::from_secs(10);

/// The connections, and the server's counters before there were any.
pub struct Standing {
    peers: StalledPeers,
    before: Stats,
}

/// Opens them, and waits until the server has read what each has asked: whatever it counts from here on is of the
/// measured clients. Returns the server's counters then.
pub async fn start(plan: &Plan, id: &str, control: &Control, clock: Clock, state: &mut State) -> anyhow::Result<Stats> {
    let before = control.stats().await?;
    let peers = clients::start_stalled(plan, id, control, clock, &state.matches).await?;
    let deadline = Instant::now() + PATIENCE;
    let asked = before.requests_of(id).map(|requests| requests + peers.requests());
    let stats = loop {
        let stats = control.stats().await?;
        if stats.requests_of(id) >= asked {
            break stats;
        }
        anyhow::ensure!(
            Instant::now() < deadline,
            "the server has not read the requests of {} stalled clients within {} s",
            plan.stalled_clients,
            PATIENCE.as_secs()
        );
        sleep(LOOK).await;
    };
    state.stalled = Some(Standing { peers, before });
    Ok(stats)
}

/// How they fared until now; they are closed by it.
pub async fn end(standing: Standing, id: &str, control: &Control) -> anyhow::Result<Stalled> {
    let Standing { peers, before } = standing;
    let now = control
        .stats()
        .await
        .context("the server's counters could not be read")?;
    let (unread_connections, unread_bytes) = peers.unread();
    let since = |of: fn(&Stats, &str) -> Option<u64>| of(&now, id)?.checked_sub(of(&before, id)?);
    Ok(Stalled {
        connections: peers.requests(),
        unread_connections,
        unread_bytes,
        write_stalls: since(|stats, _| stats.write_stalls),
        resets: since(|stats, id| stats.of(id)?.resets),
        lagged: since(|stats, id| stats.of(id)?.lagged),
    })
}
