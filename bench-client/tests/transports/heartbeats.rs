//! Silence is filled, so that a dead peer is noticed by both sides.

use std::time::Duration;

use server::settings::ServerSettings;

use crate::{
    rig::Clients,
    slow_reader::pushing,
    support::{
        TestServer, counter,
        raw::{PING, PONG},
        settings, until,
    },
    tap::{Said, Tap},
};

const HEARTBEAT: Duration = Duration::from_millis(50);

fn quick(peer_timeout: Duration) -> ServerSettings {
    let mut settings = settings();
    settings.heartbeat = HEARTBEAT;
    settings.peer_timeout = peer_timeout;
    settings
}

#[tokio::test]
async fn a_silent_stream_gets_heartbeats_and_goes_on() {
    for row in pushing() {
        let mut server = TestServer::start(1, quick(Duration::from_secs(10)));
        let mut tap = Tap::connect(row.id, server.address, "?topic=all").await;
        for _ in 0..2 {
            let mut said = Vec::new();
            while said.is_empty() {
                said = tap.next().await;
            }
            assert_eq!(said, [Said::Heartbeat], "{}", row.id);
            if row.id == "websocket" {
                tap.raw.send_frame(PONG, b"").await;
            }
        }
        server.publish(0);
        assert_eq!(tap.updates(1).await.len(), 1, "{}", row.id);
    }
}

#[tokio::test]
async fn a_websocket_peer_that_answers_no_ping_is_closed_and_counted() {
    let server = TestServer::start(1, quick(Duration::from_millis(200)));
    let mut tap = Tap::connect("websocket", server.address, "?topic=all").await;
    let mut said = tap.raw.rest().await;
    assert_eq!(said.split_off(2), b"", "one ping, and no more after it");
    assert_eq!(said, [PING, 0]);
    until("it is counted", async || {
        let stats = server.stats().await;
        counter(&stats, "websocket", "silent_peers") == 1 && counter(&stats, "websocket", "subscribers") == 0
    })
    .await;
}

#[tokio::test]
async fn a_websocket_peer_that_answers_stays() {
    // Long enough for a busy machine; the pings answered below take longer still.
    const PEER_TIMEOUT: Duration = Duration::from_millis(1_000);
    let mut server = TestServer::start(1, quick(PEER_TIMEOUT));
    let tap = Tap::connect("websocket", server.address, "?topic=all").await;
    let row = bench_client::transports::by_id("websocket").expect("a row");
    let mut follower = Clients::of(&server).open(row, None).await;
    let pings = (PEER_TIMEOUT + HEARTBEAT).as_millis() / HEARTBEAT.as_millis() + 1;
    let answering = async {
        let mut tap = tap;
        for _ in 0..pings {
            assert_eq!(tap.raw.frame().await, (PING, Vec::new()));
            tap.raw.send_frame(PONG, b"").await;
        }
        tap
    };
    tokio::pin!(answering);
    // The real client answers too, for as long as it is asked for its next update.
    let mut tap = loop {
        tokio::select! {
            tap = &mut answering => break tap,
            next = follower.next() => next.expect("it stays"),
        }
    };
    server.publish(0);
    assert_eq!(tap.updates(1).await.len(), 1);
    follower.through(1).await;
    assert_eq!(counter(&server.stats().await, "websocket", "silent_peers"), 0);
}
