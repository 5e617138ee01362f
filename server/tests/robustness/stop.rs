//! SIGTERM with streams open: `/readyz` says so, every stream is told and every held poll answered, and the process ends in time, with 0.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{net::TcpStream, sync::mpsc};

use crate::{
    figure,
    peer::{Peer, STREAMS, Said, many},
    process::Server,
    support::{
        counter,
        raw::{Raw, get},
        soon, until,
    },
};

const MARGIN: Duration = Duration::from_secs(1);
/// Peers that take nothing, of each kind of stream.
const STALLED_EACH: usize = 3;
/// The newest state of so many topics is more than the kernel and the server take for a peer that does not read.
const LARGE_UPDATES: u64 = 24;
/// Every poll is held for a while: a topic has an update every ten seconds.
const FEED: &str = "--rate 0.1 --topics 64 --payload 16384";

/// How a client's stream ended, in its own words.
async fn end_of_stream(mut peer: Peer) -> String {
    loop {
        for said in peer.next().await {
            if let Said::Farewell(words) = said {
                return words;
            }
        }
    }
}

/// Polls with `connection: close` until the server stops; the status of the last answer.
async fn last_answer(server: std::net::SocketAddr, since: String, stopping: Arc<AtomicBool>) -> String {
    let mut target = format!("/feed/long-poll?topic=match-1&wait_ms=60000&since={since}");
    loop {
        let answer = get(server, &target, &[("connection", "close")]).await;
        // Between the word that it stops and the stop itself polls are answered as ever.
        let nothing = answer.json()["updates"].as_array().is_some_and(Vec::is_empty);
        if stopping.load(Ordering::SeqCst) && nothing {
            return format!(
                "{} {}",
                answer.status(),
                answer.header("connection").unwrap_or_default()
            );
        }
        let cursor = answer.json()["cursor"].as_str().expect("a cursor").to_owned();
        target = format!("/feed/long-poll?topic=match-1&wait_ms=60000&since={cursor}");
    }
}

/// What `/readyz` says; None when nobody listens any more.
async fn ready(address: std::net::SocketAddr) -> Option<u16> {
    let stream = TcpStream::connect(address).await.ok()?;
    drop(stream);
    Some(get(address, "/readyz", &[]).await.status())
}

async fn stops_in_order(clients: usize, stalled_each: usize, drain_deadline: Duration) {
    let _machine = crate::alone().await;
    let arguments = format!(
        "{FEED} --heartbeat 60 --write-timeout 120 --drain-deadline {}",
        drain_deadline.as_secs()
    );
    let mut server = Server::start(&arguments).await;
    let address = server.address;
    let mut stalled = Vec::new();
    let large = if stalled_each > 0 { LARGE_UPDATES } else { 0 };
    until("the newest state is large", async || {
        server.stats().await["updates"].as_u64() >= Some(large)
    })
    .await;
    for id in STREAMS {
        for _ in 0..stalled_each {
            stalled.push(Peer::open(id, Raw::connect_narrow(address).await, "topic=all").await);
        }
    }
    let stopping = Arc::new(AtomicBool::new(false));
    let (ended, mut ends) = mpsc::unbounded_channel();
    let since = format!("{}-0", server.epoch);
    many(clients, {
        let stopping = stopping.clone();
        move |index| {
            let (ended, stopping, since) = (ended.clone(), stopping.clone(), since.clone());
            async move {
                let id = ["sse", "websocket", "long-poll"][index % 3];
                let end: std::pin::Pin<Box<dyn Future<Output = String> + Send>> = match id {
                    "long-poll" => Box::pin(last_answer(address, since, stopping)),
                    _ => Box::pin(end_of_stream(Peer::connect(id, address, "topic=match-1").await)),
                };
                tokio::spawn(async move {
                    // The test may have failed and gone.
                    let _ = ended.send((id, end.await));
                });
            }
        }
    })
    .await;
    let open = clients / 3 + stalled_each;
    until("all are there", async || {
        let stats = server.stats().await;
        STREAMS
            .iter()
            .all(|id| counter(&stats, id, "subscribers") as usize >= open)
            && counter(&stats, "long-poll", "subscribers") as usize >= clients / 3
    })
    .await;
    assert_eq!(ready(address).await, Some(200));

    stopping.store(true, Ordering::SeqCst);
    let begun = Instant::now();
    server.terminate();
    until("readyz says that the server stops", async || {
        ready(address).await == Some(503)
    })
    .await;
    let ready_first = ends.is_empty();
    let mut told = 0;
    let mut last_end = Duration::ZERO;
    while let Some((id, words)) = soon("every client's end", ends.recv()).await {
        let expected = match id {
            "sse" => "retry: 1000\n",
            "websocket" => "1001",
            _ => "200 close",
        };
        assert_eq!(words, expected, "{id}");
        last_end = begun.elapsed();
        told += 1;
    }
    assert!(ready_first, "readyz says so before the first stream ends");
    assert_eq!(told, clients / 3 * 3);
    let status = server.ended().await;
    let took = begun.elapsed();
    figure(&format!(
        "SIGTERM with {clients} streams and held polls and {} stalled peers: all told or answered within {:.2} s, exit {} after {:.2} s \
         (drain deadline {} s)",
        stalled.len(),
        last_end.as_secs_f64(),
        status.code().unwrap_or(-1),
        took.as_secs_f64(),
        drain_deadline.as_secs()
    ));
    assert_eq!(status.code(), Some(0));
    assert!(took <= drain_deadline + MARGIN, "{took:?}");
    // Else nobody was stalled, and the deadline was not tested.
    assert!(stalled_each == 0 || took >= drain_deadline, "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_ends_every_stream_in_order() {
    let drain_deadline = Duration::from_secs(2);
    stops_in_order(60, 0, drain_deadline).await;
    stops_in_order(501, STALLED_EACH, drain_deadline).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes thousands of descriptors"]
async fn sigterm_ends_thousands_of_streams_in_order() {
    stops_in_order(5_001, STALLED_EACH, Duration::from_secs(5)).await;
}

/// A browser opens connections ahead of what it may want to ask.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_has_said_nothing_holds_up_no_stop() {
    let _machine = crate::alone().await;
    let drain_deadline = Duration::from_secs(30);
    let mut server = Server::start(&format!("{FEED} --drain-deadline {}", drain_deadline.as_secs())).await;
    let mut silent = Raw::connect(server.address).await;
    until("it is accepted", async || {
        server.stats().await["connections"].as_i64() >= Some(2)
    })
    .await;
    let begun = Instant::now();
    server.terminate();
    assert!(silent.rest().await.is_empty());
    assert_eq!(server.ended().await.code(), Some(0));
    assert!(begun.elapsed() < drain_deadline, "{:?}", begun.elapsed());
}
