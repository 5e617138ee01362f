//! Connections that never read: the bench client's own, at a server that gives up on them while others get everything.

use std::{sync::Arc, time::Duration};

use bench_client::{stalled::StalledPeers, transports::ALL};

use crate::{
    rig::{Clients, assert_same},
    slow_reader::pushing,
    support::{TestServer, counter, matches, settings, until},
};

const STALLED: usize = 3;
const UPDATE_BYTES: usize = 16 * 1024;
/// Published before the client that keeps up is waited for.
const BURST: usize = 16;

async fn stalled_at(server: &TestServer, row: &'static bench_client::transports::ClientTransport) -> StalledPeers {
    let clients = Clients::of(server);
    let endpoints = (0..STALLED).map(|_| Arc::new(clients.endpoint.clone())).collect();
    let peers = StalledPeers::start(row, endpoints, clients.net.clock, 2).await;
    peers.unwrap_or_else(|error| panic!("{}: {error:#}", row.id))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_asks_once_and_the_server_keeps_nothing_of_it_when_they_go() {
    for row in &ALL {
        let server = TestServer::start(1, settings());
        let peers = stalled_at(&server, row).await;
        assert_eq!(peers.requests(), STALLED as u64, "{}", row.id);
        until("the server has read what they asked", async || {
            counter(&server.stats().await, row.id, "requests") == STALLED as i64
        })
        .await;
        drop(peers);
        until("only the one who looks is connected", async || {
            server.stats().await["connections"] == 1
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_gives_up_on_them_and_others_get_everything() {
    for row in pushing() {
        let mut settings = settings();
        settings.write_timeout = Duration::from_millis(300);
        settings.log_updates = 10_000;
        let mut server = TestServer::of(matches(1), Some(UPDATE_BYTES), settings);
        let peers = stalled_at(&server, row).await;
        let mut keeps_up = Clients::of(&server).open(row, Some(server.cursor(0))).await;
        until("the server has closed what takes no byte", async || {
            for _ in 0..BURST {
                server.publish(0);
            }
            keeps_up.through(server.hand.published.len() as u64).await;
            server.stats().await["write_stalls"] == STALLED
        })
        .await;
        assert_same(&keeps_up.got(), &server.hand.published, row.id);
        let (unread, bytes) = peers.unread();
        assert_eq!(unread, STALLED as u64, "{}: all have something to read", row.id);
        assert!(bytes < 1 << 20, "{}: small buffers hold {bytes} bytes", row.id);
    }
}
