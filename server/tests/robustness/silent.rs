//! A peer that falls silent without a FIN, as one that lost its network or its power, is gone within heartbeat + peer timeout.
//!
//! A packet filter on the peer's own socket drops all that comes for it, below TCP: nothing is acknowledged, and nothing is reset.

use std::time::{Duration, Instant};

use socket2::{SockFilter, SockRef};

use crate::{
    figure,
    peer::{Peer, Said},
    process::Server,
    support::{counter, raw::Raw, until},
};

const SESSIONS: [&str; 3] = ["long-poll", "sse", "websocket"];
/// Silent ones of each transport.
const EACH: usize = 5;
const HEARTBEAT_S: u64 = 1;
const PEER_TIMEOUT_S: u64 = 1;
/// A second look, and the time it takes to ask.
const MARGIN: Duration = Duration::from_secs(1);
/// BPF: return 0, keep no byte of the packet.
const DROP: u16 = 0x06;

/// From now on nothing reaches this peer.
fn silence(peer: &Peer) {
    let socket = SockRef::from(&peer.raw.stream);
    let filter = [SockFilter::new(DROP, 0, 0, 0)];
    socket.attach_filter(&filter).expect("a filter needs no right");
}

async fn open(server: &Server, id: &'static str) -> Peer {
    let mut peer = Peer::connect(id, server.address, "topic=match-1&wait_ms=60000").await;
    if id == "long-poll" {
        peer.since = Some(format!("{}-0", server.epoch));
        peer.ask().await;
    }
    peer
}

fn subscribers(stats: &serde_json::Value) -> i64 {
    SESSIONS.iter().map(|id| counter(stats, id, "subscribers")).sum()
}

async fn silent_ones_are_gone(feed: &str, what: &str) {
    let _machine = crate::alone().await;
    let arguments = format!("--heartbeat {HEARTBEAT_S} --peer-timeout {PEER_TIMEOUT_S} {feed}");
    let server = Server::start(&arguments).await;
    // Its kernel answers every probe, so it is slow, not gone: the write timeout is for it.
    let stalled = Peer::open("sse", Raw::connect_narrow(server.address).await, "topic=all").await;
    let mut alive = Vec::new();
    for id in SESSIONS {
        // It has not asked yet: following is asking.
        let mut peer = Peer::connect(id, server.address, "topic=match-1&wait_ms=10000").await;
        alive.push(tokio::spawn(async move {
            loop {
                let said = peer.next().await;
                assert!(!said.iter().any(|said| matches!(said, Said::Farewell(_))), "{said:?}");
            }
        }));
    }
    let mut silent = Vec::new();
    for id in SESSIONS {
        for _ in 0..EACH {
            silent.push(open(&server, id).await);
        }
    }
    until("all are there", async || {
        server.stats().await["connections"] == (silent.len() + alive.len() + 2) as i64
    })
    .await;
    silent.iter().for_each(silence);
    let begun = Instant::now();
    until("the silent ones are gone", async || {
        let stats = server.stats().await;
        stats["connections"] == (alive.len() + 2) as i64
    })
    .await;
    let took = begun.elapsed();
    let bound = Duration::from_secs(HEARTBEAT_S + PEER_TIMEOUT_S);
    figure(&format!(
        "silent peers, {what}: {} sessions over {} gone after {:.2} s, bound {} s (heartbeat {HEARTBEAT_S} s + peer timeout {PEER_TIMEOUT_S} s)",
        silent.len(),
        SESSIONS.join(", "),
        took.as_secs_f64(),
        bound.as_secs()
    ));
    assert!(took <= bound + MARGIN, "{what}: {took:?}");
    let stats = server.stats().await;
    let counted = stats["vanished_peers"].as_i64().expect("a count") + counter(&stats, "websocket", "silent_peers");
    assert_eq!(counted, silent.len() as i64, "{stats}");
    assert!(subscribers(&stats) <= (alive.len() + 1) as i64, "{stats}");
    assert!(alive.iter().all(|peer| !peer.is_finished()), "those that answer stay");
    alive.iter().for_each(|peer| peer.abort());
    drop(stalled);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_peers_of_a_quiet_feed_are_gone() {
    silent_ones_are_gone("--rate 0", "quiet feed").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_peers_of_a_busy_feed_are_gone() {
    silent_ones_are_gone("--rate 20 --topics 8 --payload 4096", "busy feed").await;
}
