//! Connects and disconnects leave nothing behind: descriptors, tasks, gauges and memory come back, however the peers left.

use crate::{
    figure,
    peer::{Peer, TRANSPORTS, many},
    process::Server,
    support::{counter, until},
};

const ROUNDS: usize = 10;
/// What the allocator may keep more of after the rounds than before them. Had each connection left its 4.5 KiB, 2,000 would exceed it.
const MEMORY_MAX_BYTES: u64 = 8 << 20;

/// How a peer leaves.
const LEAVES: [&str; 3] = ["clean close", "reset", "half-open"];

/// What the server holds while nobody but the one who asks is there.
#[derive(Debug, PartialEq, Eq)]
struct Held {
    connections: i64,
    subscribers: i64,
    tasks: i64,
    descriptors: usize,
}

async fn held(server: &Server) -> Held {
    let stats = server.stats().await;
    Held {
        connections: stats["connections"].as_i64().expect("a gauge"),
        subscribers: TRANSPORTS.iter().map(|id| counter(&stats, id, "subscribers")).sum(),
        tasks: stats["tasks"].as_i64().expect("a gauge"),
        // The question's own connection may or may not be closed yet, so this is asked for until it fits.
        descriptors: server.descriptors(),
    }
}

/// So many sessions open at once, a part of each transport and way to leave; returns when the server has forgotten them.
async fn round(server: &Server, sessions: usize) {
    let address = server.address;
    let opened = many(sessions, move |index| async move {
        let id = TRANSPORTS[index % TRANSPORTS.len()];
        let mut peer = Peer::connect(id, address, "topic=match-1&wait_ms=60000").await;
        peer.first_update().await;
        if id == "long-poll" {
            // Held, or just answered, when it leaves.
            peer.ask().await;
        }
        (index, peer)
    })
    .await;
    let mut half_open = Vec::new();
    let mut leaving = tokio::task::JoinSet::new();
    for (index, mut peer) in opened {
        match LEAVES[index / TRANSPORTS.len() % LEAVES.len()] {
            "clean close" => drop(leaving.spawn(peer.leave())),
            "reset" => peer.reset(),
            _ => {
                peer.half_close().await;
                half_open.push(peer);
            }
        }
    }
    leaving.join_all().await;
    until("the server forgets them", async || {
        server.stats().await["connections"] == 1
    })
    .await;
}

/// Warmed up by so many rounds: the allocator's arenas grow to their size over the first ones, the more sessions the later.
async fn nothing_is_left(sessions: usize, warm_up_rounds: usize) {
    let _machine = crate::alone().await;
    // A small log is full before the warm-up ends.
    let server = Server::start("--rate 20 --log-updates 10 --heartbeat 60").await;
    for _ in 0..warm_up_rounds {
        round(&server, sessions).await;
    }
    // Twice the same is at rest.
    let mut before = held(&server).await;
    until("the server is at rest", async || {
        let now = held(&server).await;
        let same = now == before && now.connections == 1 && now.subscribers == 0;
        before = now;
        same
    })
    .await;
    let rss_before = server.rss_bytes();
    for _ in 0..ROUNDS {
        round(&server, sessions).await;
    }
    let mut after = held(&server).await;
    until(&format!("what is held comes back to {before:?}"), async || {
        after = held(&server).await;
        after == before
    })
    .await;
    let rss_after = server.rss_bytes();
    figure(&format!(
        "{} connects and disconnects over {} by {}: connections {}, subscribers {}, tasks {}, descriptors {} as before; memory {:+.1} KiB \
         (bound {} KiB) on {:.1} MiB",
        ROUNDS * sessions,
        TRANSPORTS.join(", "),
        LEAVES.join(", "),
        after.connections,
        after.subscribers,
        after.tasks,
        after.descriptors,
        (rss_after as f64 - rss_before as f64) / 1024.0,
        MEMORY_MAX_BYTES >> 10,
        rss_before as f64 / 1_048_576.0
    ));
    assert!(
        rss_after <= rss_before + MEMORY_MAX_BYTES,
        "{rss_before} bytes before, {rss_after} after"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connects_and_disconnects_leave_nothing_behind() {
    nothing_is_left(200, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn thousands_of_connects_and_disconnects_leave_nothing_behind() {
    nothing_is_left(2_000, 25).await;
}
