//! Each transport's exchange, whole.

use crate::{
    mask,
    support::{
        TestServer,
        raw::{CLOSE, Raw, WEBSOCKET_HEADERS},
        settings,
    },
};

/// The update that each exchange carries: the second of its topic.
const UPDATE: &str = r#"{"topic":"match-1","epoch":<epoch>,"offset":2,"seq":2,"due_us":1763631127002000,"sent_us":<us>,"home":"Norrland","away":"Sudport","home_score":2,"away_score":1,"minute":67,"event":"goal","player":"Ada Löfgren"}"#;

/// A server that has published one update.
fn server() -> TestServer {
    let mut server = TestServer::start(1, settings());
    server.publish(0);
    server
}

/// Everything the server says from here to the end of the connection, as text.
async fn rest(raw: &mut Raw, server: &TestServer) -> String {
    let bytes = raw.rest().await;
    mask(&String::from_utf8(bytes).expect("text"), server.epoch)
}

/// Line ends as they are read in a source file.
fn crlf(text: &str) -> String {
    text.replace('\n', "\r\n")
}

/// The length that a body has once it is unmasked.
fn unmasked_bytes(masked: &str, epoch: u64) -> usize {
    let time = "1763631127000000";
    masked
        .replace("<epoch>", &epoch.to_string())
        .replace("<us>", time)
        .len()
}

#[tokio::test]
async fn polls_answer_one_json_object() {
    for id in ["short-poll", "long-poll"] {
        let mut server = server();
        server.publish(0);
        let mut raw = Raw::connect(server.address).await;
        let target = format!("/feed/{id}?topic=match-1&since={}", server.cursor(1));
        raw.send_head("GET", &target, &[("connection", "close")]).await;
        let body = format!(r#"{{"updates":[{UPDATE}],"cursor":"<epoch>-2"}}"#);
        let head = crlf(&format!(
            r#"HTTP/1.1 200 OK
content-type: application/json
cache-control: no-store
etag: "<epoch>-2"
content-length: {}
connection: close
date: <date>

"#,
            unmasked_bytes(&body, server.epoch)
        ));
        assert_eq!(rest(&mut raw, &server).await, head + &body, "{id}");
    }
}

#[tokio::test]
async fn polls_answer_304_without_a_body() {
    for id in ["short-poll", "long-poll"] {
        let server = server();
        let mut raw = Raw::connect(server.address).await;
        let tag = format!("\"{}\"", server.cursor(1));
        let target = format!("/feed/{id}?topic=match-1&wait_ms=1");
        let headers = [("if-none-match", tag.as_str()), ("connection", "close")];
        raw.send_head("GET", &target, &headers).await;
        let expected = crlf(
            r#"HTTP/1.1 304 Not Modified
cache-control: no-store
etag: "<epoch>-1"
connection: close
date: <date>

"#,
        );
        assert_eq!(rest(&mut raw, &server).await, expected, "{id}");
    }
}

#[tokio::test]
async fn an_empty_long_poll_and_a_reset_have_their_words() {
    let server = server();
    let bodies = [
        (
            format!("since={}&wait_ms=1", server.cursor(1)),
            r#"{"updates":[],"cursor":"<epoch>-1"}"#.to_owned(),
        ),
        (
            format!("since={}", server.cursor(7)),
            format!(
                r#"{{"updates":[{}],"cursor":"<epoch>-1","reset":{{"reason":"ahead"}}}}"#,
                UPDATE
                    .replace(r#""offset":2,"seq":2"#, r#""offset":1,"seq":1"#)
                    .replace("7002000", "7001000")
            ),
        ),
    ];
    for (query, body) in bodies {
        let mut raw = Raw::connect(server.address).await;
        raw.send_head("GET", &format!("/feed/long-poll?{query}"), &[]).await;
        let answer = raw.answer().await.body;
        assert_eq!(mask(&String::from_utf8(answer).expect("text"), server.epoch), body);
    }
}

#[tokio::test]
async fn sse_is_an_endless_chunked_event_stream() {
    let mut server = server();
    let mut raw = Raw::connect(server.address).await;
    let since = server.cursor(1).to_string();
    raw.send_head("GET", "/feed/sse?topic=match-1", &[("last-event-id", &since)])
        .await;
    let head = raw.head().await;
    let expected = crlf(
        r#"HTTP/1.1 200 OK
content-type: text/event-stream
cache-control: no-store
x-accel-buffering: no
transfer-encoding: chunked
date: <date>

"#,
    );
    assert_eq!(mask(&head, server.epoch), expected);

    // A chunk per event: size in hexadecimal, CRLF, the event, CRLF.
    let opening = "C\r\nretry: 1000\n\r\n";
    assert_eq!(String::from_utf8_lossy(&raw.exactly(opening.len()).await), opening);

    server.publish(0);
    let event = format!("event: update\ndata: {UPDATE}\nid: <epoch>-2\n\n");
    let bytes = unmasked_bytes(&event, server.epoch);
    let size = format!("{bytes:X}\r\n");
    assert_eq!(String::from_utf8_lossy(&raw.exactly(size.len()).await), size);
    let data = raw.exactly(bytes).await;
    assert_eq!(mask(&String::from_utf8_lossy(&data), server.epoch), event);
    assert_eq!(raw.exactly(2).await, b"\r\n");

    let (farewell, ()) = tokio::join!(raw.rest(), server.running.stop());
    assert_eq!(String::from_utf8_lossy(&farewell), "C\r\nretry: 1000\n\r\n0\r\n\r\n");
}

#[tokio::test]
async fn sse_says_a_reset_before_the_newest_state() {
    let server = server();
    let mut raw = Raw::connect(server.address).await;
    raw.open("/feed/sse?since=1-1", &[]).await;
    let mut said = String::new();
    while !said.contains("event: update") {
        said += &String::from_utf8(raw.chunk().await.expect("the stream goes on")).expect("text");
    }
    let expected = "retry: 1000\nevent: reset\ndata: {\"reason\":\"other_epoch\"}\n\nevent: update\ndata: {";
    let said = mask(&said, server.epoch);
    assert!(said.starts_with(expected), "{said}");
}

#[tokio::test]
async fn websocket_is_a_handshake_and_a_text_frame_per_update() {
    let mut server = server();
    let mut raw = Raw::connect(server.address).await;
    let target = format!("/feed/websocket?topic=match-1&since={}", server.cursor(1));
    let head = raw.open(&target, &WEBSOCKET_HEADERS).await;
    let expected = crlf(
        r#"HTTP/1.1 101 Switching Protocols
connection: upgrade
upgrade: websocket
sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=
date: <date>

"#,
    );
    assert_eq!(mask(&head, server.epoch), expected);

    server.publish(0);
    // FIN and text, no mask, a length of two bytes: four bytes around the update.
    let bytes = unmasked_bytes(UPDATE, server.epoch);
    let framing = [0x81, 126, (bytes >> 8) as u8, bytes as u8];
    assert_eq!(raw.exactly(4).await, framing);
    let update = raw.exactly(bytes).await;
    assert_eq!(mask(&String::from_utf8_lossy(&update), server.epoch), UPDATE);

    let farewell = async {
        let mut close = vec![0x88, 24, 3, 0xe9];
        close.extend(b"the server is stopping");
        assert_eq!(raw.exactly(close.len()).await, close);
        raw.send_frame(CLOSE, &[3, 0xe9]).await;
        assert_eq!(raw.rest().await, b"");
    };
    tokio::join!(farewell, server.running.stop());
}

#[tokio::test]
async fn websocket_says_a_reset_in_a_message_of_its_own() {
    let server = server();
    let mut raw = Raw::connect(server.address).await;
    raw.open("/feed/websocket?since=1-1", &WEBSOCKET_HEADERS).await;
    let (first, reset) = raw.frame().await;
    let reset = mask(&String::from_utf8_lossy(&reset), server.epoch);
    let expected = r#"{"reset":{"reason":"other_epoch"},"cursor":"<epoch>-0"}"#;
    assert_eq!((first, reset.as_str()), (0x81, expected));
    let (first, update) = raw.frame().await;
    assert!(first == 0x81 && update.starts_with(b"{\"topic\":"));
}
