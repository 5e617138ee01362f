//! The null server: the ordinary one's bytes, and nothing of its patience.

use server::null::{self, Null};

use crate::{
    mask, mask_number,
    support::{
        TestServer, counter, matches,
        raw::{Raw, TEXT, WEBSOCKET_HEADERS},
        settings, soon, until,
    },
};

/// A server that has published two updates, and a null server beside it.
fn servers() -> (TestServer, Null) {
    let mut server = TestServer::start(2, settings());
    let null = server.running.start_null().expect("port 0 is always free");
    server.publish(0);
    server.publish(0);
    (server, null)
}

/// Everything the peer says until these words are complete in it, with what differs from write to write masked.
async fn said_through(raw: &mut Raw, words: &str, server: &TestServer) -> String {
    let mut said = Vec::new();
    while !said.windows(words.len()).any(|window| window == words.as_bytes()) {
        said.extend(raw.exactly(1).await);
    }
    let said = String::from_utf8_lossy(&said).into_owned();
    mask(&mask_number(&said, "\"due_us\":", "<us>"), server.epoch)
}

#[tokio::test]
async fn its_bytes_are_those_of_the_ordinary_server() {
    let (server, null) = servers();
    let since = format!("since={}", server.cursor(1));
    let websocket = WEBSOCKET_HEADERS.to_vec();
    let close = vec![("connection", "close")];
    for (target, headers, last) in [
        (format!("/feed/short-poll?{since}"), vec![], r#"-2"}"#),
        (format!("/feed/short-poll?topic=match-1&{since}"), close, r#"-2"}"#),
        (
            format!("/feed/short-poll?since={}", server.cursor(2)),
            vec![],
            r#"-2"}"#,
        ),
        ("/feed/long-poll?topic=match-1".to_owned(), vec![], r#"-2"}"#),
        (format!("/feed/long-poll?{since}&mode=latest"), vec![], r#"-2"}"#),
        (
            format!("/feed/long-poll?since={}&wait_ms=1", server.cursor(2)),
            vec![],
            r#"-2"}"#,
        ),
        ("/feed/sse?topic=match-1".to_owned(), vec![], "\n\n\r\n"),
        (format!("/feed/websocket?{since}"), websocket, "Löfgren\"}"),
    ] {
        let mut heard = Vec::new();
        for address in [server.address, null.address] {
            let mut raw = Raw::connect(address).await;
            raw.send_head("GET", &target, &headers).await;
            heard.push(said_through(&mut raw, last, &server).await);
        }
        assert_eq!(heard[0], heard[1], "{target}");
    }
}

#[tokio::test]
async fn what_is_published_reaches_streams_and_held_polls_with_the_time_of_the_write() {
    let (mut server, null) = servers();
    let mut held = Raw::connect(null.address).await;
    let target = format!("/feed/long-poll?topic=match-2&since={}", server.cursor(2));
    held.send_head("GET", &target, &[]).await;
    let mut stream = Raw::connect(null.address).await;
    stream.open("/feed/websocket?topic=match-2", &WEBSOCKET_HEADERS).await;
    until("both are served", async || {
        let stats = server.stats().await;
        counter(&stats, "long-poll", "requests") == 1 && counter(&stats, "websocket", "requests") == 1
    })
    .await;

    let before_us = server.running.hub.clock.now_us();
    // The first is of a topic that neither follows.
    server.publish(0);
    server.publish(1);
    let answer = held.answer().await.json();
    let (first, frame) = stream.frame().await;
    assert_eq!(first, TEXT);
    let pushed: serde_json::Value = serde_json::from_slice(&frame).expect("an update");
    assert_eq!(answer["cursor"], server.cursor(4).to_string());
    assert_eq!(answer["updates"].as_array().map(Vec::len), Some(1));
    for update in [&answer["updates"][0], &pushed] {
        assert_eq!((&update["offset"], &update["seq"]), (&4.into(), &1.into()), "{update}");
        for time in ["due_us", "sent_us"] {
            let time = update[time].as_u64().expect("a time");
            assert!(
                (before_us..=server.running.hub.clock.now_us()).contains(&time),
                "{update}"
            );
        }
    }
    let stats = server.stats().await;
    assert_eq!(counter(&stats, "long-poll", "deliveries"), 1);
    assert_eq!(counter(&stats, "websocket", "deliveries"), 1);
}

/// The next frame as it stands on the wire, and the update in it.
async fn bare_frame(raw: &mut Raw) -> (Vec<u8>, serde_json::Value) {
    let mut frame = raw.exactly(4).await;
    assert_eq!(frame[..2], [0x81, 126], "a whole text of 126 bytes or more, unmasked");
    let length = usize::from(u16::from_be_bytes([frame[2], frame[3]]));
    let text = raw.exactly(length).await;
    let update = serde_json::from_slice(&text).expect("an update");
    frame.extend(text);
    (frame, update)
}

/// What the server counts of the floor, which is in no list of its transports.
async fn floor_counted(server: &TestServer, name: &str) -> i64 {
    counter(&server.stats().await, null::floor::ID, name)
}

#[tokio::test]
async fn the_floor_has_no_head_and_keeps_the_times_of_every_update() {
    let (mut server, null) = servers();
    let mut all = Raw::connect(null.address).await;
    all.send_head("GET", "/feed/floor?topic=all", &[]).await;
    let mut one = Raw::connect(null.address).await;
    one.send_head("GET", "/feed/floor?topic=match-2", &[]).await;
    // The newest state of each topic it follows: only the first has one.
    let (_, update) = bare_frame(&mut all).await;
    assert_eq!((&update["offset"], &update["topic"]), (&2.into(), &"match-1".into()));
    until("both are served", async || {
        floor_counted(&server, "requests").await == 2
    })
    .await;
    server.publish(0);
    server.publish(1);
    let (_, first) = bare_frame(&mut all).await;
    let (bytes, second) = bare_frame(&mut all).await;
    let (same, alone) = bare_frame(&mut one).await;
    assert_eq!((&first["offset"], &second["offset"]), (&3.into(), &4.into()));
    assert_eq!(bytes, same, "one frame for all sockets");
    assert_eq!(alone["topic"], "match-2");
    for (update, published) in [&first, &second].into_iter().zip(&server.hand.published[2..]) {
        assert_eq!(update["due_us"], published.due_us, "{update}");
        assert!(update["sent_us"].as_u64() >= update["due_us"].as_u64(), "{update}");
    }
    // What the ordinary server sends over a WebSocket, to the byte.
    let mut websocket = Raw::connect(server.address).await;
    let since = format!("/feed/websocket?since={}", server.cursor(3));
    websocket.open(&since, &WEBSOCKET_HEADERS).await;
    assert_eq!(bare_frame(&mut websocket).await.0, bytes);
    assert!(!null::speaks(null::floor::ID), "it is no transport");
}

#[tokio::test]
async fn a_floor_socket_that_is_gone_is_written_to_no_more() {
    let (mut server, null) = servers();
    let mut stays = Raw::connect(null.address).await;
    stays.send_head("GET", "/feed/floor?topic=match-1", &[]).await;
    bare_frame(&mut stays).await;
    let mut leaves = Raw::connect(null.address).await;
    leaves.send_head("GET", "/feed/floor?topic=match-1", &[]).await;
    bare_frame(&mut leaves).await;
    drop(leaves);
    until("one is left", async || open(&server).await == 1).await;
    for offset in 3..6u64 {
        server.publish(0);
        assert_eq!(bare_frame(&mut stays).await.1["offset"], offset);
    }
    let delivered = floor_counted(&server, "deliveries").await;
    assert_eq!(delivered, 5, "two states and three updates");
}

#[tokio::test]
async fn what_is_not_understood_closes_the_connection_and_nothing_else() {
    let (mut server, null) = servers();
    let mut stream = Raw::connect(null.address).await;
    stream.open("/feed/websocket", &WEBSOCKET_HEADERS).await;
    stream.frame().await;
    let too_long = format!("GET /feed/sse HTTP/1.1\r\nx: {}", "x".repeat(20 * 1024));
    for said in [
        "GET /api/stats HTTP/1.1\r\n\r\n",
        "GET /feed/pigeon HTTP/1.1\r\n\r\n",
        "GET /feed/sse?topic=match-9 HTTP/1.1\r\n\r\n",
        "GET /feed/sse?since=1-1 HTTP/1.1\r\n\r\n",
        "GET /feed/short-poll?since=1-1 HTTP/1.1\r\n\r\n",
        "GET /feed/websocket HTTP/1.1\r\n\r\n",
        "PUT /feed/sse HTTP/1.1\r\n\r\n",
        "\u{16}\u{3}\u{1}\r\n\r\n",
        too_long.as_str(),
    ] {
        let mut raw = Raw::connect(null.address).await;
        raw.send(said).await;
        let heard = String::from_utf8_lossy(&raw.rest().await).into_owned();
        assert!(!heard.contains("\"topic\""), "{said:.40?} was answered: {heard}");
    }
    server.publish(0);
    stream.frame().await;
    until("only the stream is left", async || open(&server).await == 1).await;
}

/// Connections of the null server: all but the one that asks.
async fn open(server: &TestServer) -> i64 {
    server.stats().await["connections"].as_i64().expect("a gauge") - 1
}

#[tokio::test]
async fn a_socket_that_takes_nothing_is_dropped_and_the_others_get_everything() {
    let mut server = TestServer::of(matches(1), Some(60_000), settings());
    let null = server.running.start_null().expect("port 0 is always free");
    let mut stalled = Raw::connect_narrow(null.address).await;
    stalled.open("/feed/websocket", &WEBSOCKET_HEADERS).await;
    let mut reading = Raw::connect(null.address).await;
    reading.open("/feed/sse", &[]).await;
    let mut seq = 0;
    // The kernel takes some megabytes for it first; how many is its own affair.
    until("the stalled one is dropped", async || {
        seq = server.publish(0).seq;
        let wanted = format!("\"seq\":{seq},");
        while !String::from_utf8_lossy(&reading.chunk().await.expect("it goes on")).contains(&wanted) {}
        server.stats().await["write_stalls"] == 1
    })
    .await;
    assert!(seq > 1, "one update fits into any socket");
    assert_eq!(open(&server).await, 1);
}

#[tokio::test]
async fn stopping_it_closes_its_connections() {
    let (_server, null) = servers();
    let mut stream = Raw::connect(null.address).await;
    stream.open("/feed/websocket", &WEBSOCKET_HEADERS).await;
    stream.frame().await;
    let address = null.address;
    drop(null);
    assert_eq!(soon("the end", stream.rest()).await, b"");
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "nobody listens");
}

#[tokio::test]
async fn falling_behind_the_log_ends_it_with_the_reason() {
    let mut settings = settings();
    settings.log_updates = 1;
    let mut server = TestServer::start(1, settings);
    let mut bare = server.running.start_null().expect("port 0 is always free");
    // Nothing is awaited here, so nothing rings its bell before they are all published.
    server.publish(0);
    server.publish(0);
    let error = soon("the end", null::broken(Some(&mut bare))).await;
    assert!(error.to_string().contains("left the log"), "{error}");
}
