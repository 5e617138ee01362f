//! What polls alone have: an answer's bounds, a hold time, and ETags.

use std::{
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

use bench_client::transports::{ALL, Asks, ClientTransport};
use futures_util::future::join;
use serde_json::{Value, json};

use crate::{
    puppet::{Puppet, answer, cursor, update},
    rig::{Clients, assert_same},
    support::{
        TestServer, counter, matches,
        raw::{self, Answer, Raw},
        settings, until,
    },
};

const WAIT_MS: u64 = 50;

/// The transports that ask again and again.
fn polling() -> impl Iterator<Item = &'static ClientTransport> {
    ALL.iter().filter(|row| row.asks != Asks::Once)
}

async fn ask(server: &TestServer, row: &ClientTransport, query: &str, etag: Option<&str>) -> Answer {
    let target = format!("/feed/{}?topic=all&{query}", row.id);
    let headers: Vec<_> = etag.iter().map(|etag| ("if-none-match", *etag)).collect();
    raw::get(server.address, &target, &headers).await
}

/// The ETag, which names the answer's cursor.
fn etag(answer: &Answer) -> String {
    let etag = answer.header("etag").expect("an ETag").to_owned();
    if answer.status() == 200 {
        assert_eq!(
            etag,
            format!("\"{}\"", answer.json()["cursor"].as_str().expect("a cursor"))
        );
    }
    etag
}

#[tokio::test]
async fn nothing_new_is_an_empty_batch() {
    for row in polling() {
        let mut server = TestServer::start(1, settings());
        server.publish(0);
        let cursor = server.cursor(1);
        let asked = Instant::now();
        let answer = ask(&server, row, &format!("since={cursor}&wait_ms={WAIT_MS}"), None).await;
        assert_eq!(answer.status(), 200, "{}", row.id);
        assert_eq!(
            answer.json(),
            json!({"updates": [], "cursor": cursor.to_string()}),
            "{}",
            row.id
        );
        if row.asks == Asks::EveryUpdate {
            assert!(
                asked.elapsed() >= Duration::from_millis(WAIT_MS),
                "{} was not held",
                row.id
            );
        }
    }
}

#[tokio::test]
async fn without_a_cursor_an_empty_feed_is_answered_at_once() {
    for row in polling() {
        let server = TestServer::start(1, settings());
        let answer = ask(&server, row, "wait_ms=60000", None).await;
        let cursor = server.cursor(0).to_string();
        assert_eq!(answer.json(), json!({"updates": [], "cursor": cursor}), "{}", row.id);
    }
}

#[tokio::test]
async fn a_matching_etag_is_answered_304_until_there_is_something_new() {
    for row in polling() {
        let mut server = TestServer::start(1, settings());
        server.publish(0);
        let first = ask(&server, row, "", None).await;
        assert_eq!(first.json()["updates"].as_array().map(Vec::len), Some(1), "{}", row.id);
        let held = etag(&first);
        let wait = format!("wait_ms={WAIT_MS}");
        let with_since = format!("{wait}&since={}", server.cursor(1));
        for query in [&wait, &with_since] {
            for tag in [held.clone(), format!("W/{held}"), format!("\"other\", {held}")] {
                let answer = ask(&server, row, query, Some(&tag)).await;
                assert_eq!(answer.status(), 304, "{} {query} {tag}", row.id);
                assert_eq!(etag(&answer), held, "{} {query} {tag}", row.id);
                assert_eq!(answer.header("content-length"), None, "{}: {}", row.id, answer.head);
                assert_eq!(answer.header("cache-control"), Some("no-store"), "{}", row.id);
            }
        }
        for tag in ["*", "\"nonsense\"", "\"1-1\"", "1-1", ""] {
            let answer = ask(&server, row, &wait, Some(tag)).await;
            assert_eq!(answer.status(), 200, "{}: {tag:?} matches nothing", row.id);
        }
        server.publish(0);
        for query in [&wait, &with_since] {
            let answer = ask(&server, row, query, Some(&held)).await;
            assert_eq!(answer.status(), 200, "{} {query}", row.id);
            assert_eq!(answer.json()["updates"][0]["seq"], 2, "{} {query}", row.id);
            assert_ne!(etag(&answer), held, "{} {query}", row.id);
        }
    }
}

#[tokio::test]
async fn a_held_poll_is_answered_by_the_next_update_of_its_topic() {
    for row in polling().filter(|row| row.asks == Asks::EveryUpdate) {
        let mut server = TestServer::start(2, settings());
        server.publish(0);
        let mut held = Raw::connect(server.address).await;
        let since = server.cursor(1);
        let target = format!("/feed/{}?topic=match-1&since={since}&wait_ms=60000", row.id);
        held.send_head("GET", &target, &[]).await;
        until("the poll is held", async || {
            counter(&server.stats().await, row.id, "subscribers") == 1
        })
        .await;
        server.publish(1);
        let stats = server.stats().await;
        assert_eq!(counter(&stats, row.id, "subscribers"), 1, "{}: still held", row.id);
        server.publish(0);
        let answer = held.answer().await.json();
        assert_eq!(answer["updates"].as_array().map(Vec::len), Some(1), "{}", row.id);
        assert_eq!(answer["updates"][0]["offset"], 3, "{}", row.id);
        assert_eq!(answer["cursor"], server.cursor(3).to_string(), "{}", row.id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_connection_that_the_server_closed_is_replaced() {
    for row in polling() {
        let mut settings = settings();
        settings.header_timeout = Duration::from_millis(100);
        let mut server = TestServer::start(1, settings);
        server.publish(0);
        let clients = Clients::of(&server);
        let mut follower = clients.open(row, None).await;
        follower.through(1).await;
        until("its connection is closed", async || {
            server.stats().await["connections"] == 1
        })
        .await;
        server.publish(0);
        follower.through(2).await;
        assert_same(&follower.got(), &server.hand.published, row.id);
        assert_eq!(clients.net.counters.connections.load(Relaxed), 2, "{}", row.id);
    }
}

/// As a balancer does that closes an idle connection: with a 408 that nobody asked for.
#[tokio::test]
async fn a_kept_connection_on_which_the_server_said_that_it_goes_is_replaced() {
    const TIMED_OUT: &str = "HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    for row in polling() {
        for closes in [true, false] {
            let puppet = Puppet::start().await;
            let clients = puppet.clients();
            let opening = async {
                let mut peer = puppet.accept().await;
                peer.raw.send(answer(&[update(1)], cursor(1))).await;
                peer
            };
            let (mut first, mut follower) = join(opening, clients.open(row, None)).await;
            follower.through(1).await;
            first.raw.send(TIMED_OUT).await;
            until("it is there before the client asks again", async || {
                clients.net.sockets.counts(true).unread_bytes == TIMED_OUT.len() as u64
            })
            .await;
            // And the runtime has heard of it.
            tokio::task::yield_now().await;
            let first = (!closes).then_some(first);
            let again = async {
                let mut peer = puppet.accept().await;
                assert_eq!(peer.since(), Some(cursor(1)), "{}", row.id);
                peer.raw.send(answer(&[update(2)], cursor(2))).await;
                peer
            };
            let (_second, ()) = join(again, follower.through(2)).await;
            drop(first);
            let (counters, sockets) = (&clients.net.counters, clients.net.sockets.counts(false));
            let counted = (counters.connections.load(Relaxed), counters.requests.load(Relaxed));
            assert_eq!(
                counted,
                (2, 2),
                "{}: each request once, on a connection of its own",
                row.id
            );
            let received = counters.bytes_received.load(Relaxed);
            assert_eq!(received, sockets.wire.payload_bytes_received, "{}", row.id);
        }
    }
}

#[tokio::test]
async fn a_long_answer_is_cut_at_its_bounds_and_continued() {
    // By the number of updates, and by their bytes: 1 MiB holds 20 of the large ones.
    for (update_bytes, updates, per_answer) in [(None, 2_500, 1_000), (Some(50_000), 50, 20)] {
        for row in polling() {
            let mut server = TestServer::of(matches(1), update_bytes, settings());
            for _ in 0..updates {
                server.publish(0);
            }
            let mut cursor = server.cursor(0).to_string();
            let mut seqs = Vec::new();
            loop {
                let answer = ask(&server, row, &format!("since={cursor}"), None).await.json();
                let batch = answer["updates"].as_array().expect("a list");
                seqs.extend(batch.iter().map(|update| update["seq"].as_u64().expect("a seq")));
                cursor = answer["cursor"].as_str().expect("a cursor").to_owned();
                if answer.get("more").is_none() {
                    break;
                }
                assert_eq!(answer["more"], Value::Bool(true), "{}", row.id);
                assert_eq!(batch.len(), per_answer, "{}", row.id);
            }
            let all: Vec<u64> = (1..=updates).collect();
            assert!(seqs == all, "{}: every update once", row.id);
            assert_eq!(cursor, server.cursor(updates).to_string(), "{}", row.id);

            // The real client asks on by itself: one delivery brings it all.
            let mut follower = Clients::of(&server).open(row, Some(server.cursor(0))).await;
            follower.through(updates).await;
            assert_same(&follower.got(), &server.hand.published, row.id);
        }
    }
}
