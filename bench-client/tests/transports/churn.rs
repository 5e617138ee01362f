//! Whole fleets whose clients leave and come back: each holds everything once, and leaving is no error.
//!
//! ```text
//! Hand (publishes) -> server in this process -> Threads (virtual clients that come and go) -> ClientLog -> compared with the Hand
//! ```

use std::sync::Arc;

use bench_client::{
    fleet::{Muster, Threads},
    record::Churn,
    transports::{ALL, ClientTransport},
    virtual_client::{ClientLog, VirtualClient},
};

use crate::{
    rig::Clients,
    support::{TestServer, settings, until},
};

const CLIENTS: u32 = 20;
const LEAVES: u64 = 200;
const CHURN: Churn = Churn {
    stay_s: 0.05,
    away_s: 0.05,
};

/// Clients of this transport at the server, on two threads.
pub fn fleet(
    server: &TestServer,
    row: &'static ClientTransport,
    change: impl Fn(&mut VirtualClient),
) -> anyhow::Result<Threads> {
    let clients = Clients::of(server);
    Threads::start(&Muster::all(2, CLIENTS), clients.net.clock, |index, position, live| {
        let mut client = VirtualClient {
            index,
            topic: None,
            transport: row,
            endpoint: Arc::new(clients.endpoint.clone()),
            position,
            live,
            seed: 7,
            churn: None,
            backoff_jitter: true,
            restarts: false,
        };
        change(&mut client);
        client
    })
}

/// Ends the fleet where it may block.
pub async fn logs(fleet: Threads) -> Vec<ClientLog> {
    let stopped = tokio::task::spawn_blocking(|| fleet.stop()).await;
    stopped.expect("stopping does not panic").expect("the fleet ends well")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_leave_and_come_back_hold_everything_once() {
    for row in &ALL {
        let mut server = TestServer::start(1, settings());
        let fleet = fleet(&server, row, |client| client.churn = Some(CHURN)).expect("a fleet");
        until("all have had a session", async || {
            tokio::task::yield_now().await;
            fleet.totals().connected == u64::from(CLIENTS)
        })
        .await;
        // An update a leave: some clients are there and some away at each of them.
        let mut seen = fleet.totals().leaves;
        while seen < LEAVES {
            server.publish(0);
            until("another leaves", async || fleet.totals().leaves > seen).await;
            seen = fleet.totals().leaves;
        }
        fleet.gather();
        let last = server.publish(0).offset;
        until("all hold the last update", async || {
            fleet.holding(|_, position| position >= last) == CLIENTS as usize
        })
        .await;
        let totals = fleet.totals();
        assert_eq!(totals.errors, 0, "{}: leaving is no error", row.id);
        assert_eq!(totals.reconnects, totals.leaves, "{}: who left came back", row.id);
        for log in logs(fleet).await {
            let seqs: Vec<u64> = log.receipts.iter().map(|receipt| receipt.seq).collect();
            let first = seqs[0];
            assert!(seqs.iter().copied().eq(first..=last), "{}: {seqs:?}", row.id);
            assert!(log.connect_us.is_some(), "{}", row.id);
        }
    }
}
