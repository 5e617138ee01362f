//! What a WebSocket client may not send, and the close code it gets (RFC 6455, 7.4.1).

use crate::support::{
    TestServer,
    raw::{CLOSE, PING, PONG, Raw, TEXT, WEBSOCKET_HEADERS, get},
    settings,
};

/// Opens, lets the client misbehave, and returns the close code.
async fn closed_after(misbehave: impl AsyncFnOnce(&mut Raw)) -> u16 {
    let server = TestServer::start(1, settings());
    let mut raw = Raw::connect(server.address).await;
    raw.open("/feed/websocket", &WEBSOCKET_HEADERS).await;
    misbehave(&mut raw).await;
    let (first, payload) = raw.frame().await;
    assert_eq!(first, CLOSE, "a close frame");
    // A server that did not read a message to its end resets the connection behind its close: nothing is said after it.
    assert_eq!(raw.rest().await, b"", "nothing after it");
    u16::from_be_bytes([payload[0], payload[1]])
}

#[tokio::test]
async fn a_message_that_is_too_large_closes_with_1009() {
    let whole = closed_after(async |raw| raw.send_frame(TEXT, &[b'x'; 4 * 1024 + 1]).await).await;
    assert_eq!(whole, 1009);
    // In fragments that are small each: text without FIN, then continuations.
    let in_parts = closed_after(async |raw| {
        raw.send_frame(0x01, &[b'x'; 3 * 1024]).await;
        raw.send_frame(0x80, &[b'x'; 3 * 1024]).await;
    })
    .await;
    assert_eq!(in_parts, 1009);
    // Only announced, never sent.
    let announced = closed_after(async |raw| raw.send([TEXT, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4]).await).await;
    assert_eq!(announced, 1009);
}

#[tokio::test]
async fn text_that_is_not_utf8_closes_with_1007() {
    assert_eq!(
        closed_after(async |raw| raw.send_frame(TEXT, b"\xff\xfe").await).await,
        1007
    );
}

#[tokio::test]
async fn broken_frames_close_with_1002() {
    let unmasked = closed_after(async |raw| raw.send([TEXT, 2, b'h', b'i']).await).await;
    assert_eq!(unmasked, 1002, "unmasked");
    let reserved = closed_after(async |raw| raw.send_frame(0x83, b"hi").await).await;
    assert_eq!(reserved, 1002, "a reserved opcode");
    let compressed = closed_after(async |raw| raw.send_frame(0xc1, b"hi").await).await;
    assert_eq!(compressed, 1002, "a reserved bit");
    let continuation = closed_after(async |raw| raw.send_frame(0x80, b"hi").await).await;
    assert_eq!(continuation, 1002, "a continuation of nothing");
    let long_ping = closed_after(async |raw| raw.send_frame(PING, &[0; 126]).await).await;
    assert_eq!(long_ping, 1002, "a control frame of more than 125 bytes");
}

#[tokio::test]
async fn what_a_client_may_send_is_read_and_dropped() {
    let mut server = TestServer::start(1, settings());
    let mut raw = Raw::connect(server.address).await;
    raw.open("/feed/websocket", &WEBSOCKET_HEADERS).await;
    raw.send_frame(TEXT, &[b'x'; 4 * 1024]).await;
    raw.send_frame(0x82, b"\xff\xfe").await;
    raw.send_frame(PONG, b"unasked").await;
    raw.send_frame(PING, b"are you there?").await;
    assert_eq!(raw.frame().await, (PONG, b"are you there?".to_vec()));
    server.publish(0);
    assert_eq!(raw.frame().await.0, TEXT);
    raw.send_frame(CLOSE, &1000_u16.to_be_bytes()).await;
    assert_eq!(raw.frame().await, (CLOSE, 1000_u16.to_be_bytes().to_vec()));
    assert_eq!(raw.rest().await, b"");
}

#[tokio::test]
async fn a_request_that_is_no_handshake_is_refused_in_words() {
    let server = TestServer::start(1, settings());
    let plain = get(server.address, "/feed/websocket", &[]).await;
    assert_eq!(
        (plain.status(), plain.header("upgrade")),
        (426, Some("websocket")),
        "{plain:?}"
    );
    plain.error();
    let mut old = WEBSOCKET_HEADERS;
    old[2] = ("sec-websocket-version", "8");
    let old = get(server.address, "/feed/websocket", &old).await;
    assert!((400..500).contains(&old.status()), "{old:?}");
    old.error();
    // Only a GET can switch protocols, so a HEAD is told what a plain GET is.
    let mut raw = Raw::connect(server.address).await;
    raw.send_head("HEAD", "/feed/websocket", &WEBSOCKET_HEADERS).await;
    let head = raw.head().await;
    assert!(head.starts_with("HTTP/1.1 426"), "{head}");
}
