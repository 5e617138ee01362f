//! Which pages may open a WebSocket: their own server's, and those that are allowed.

use crate::support::{
    TestServer,
    raw::{Raw, WEBSOCKET_HEADERS},
    settings,
};

/// Status of a handshake from a page of this origin, to `host: feed.test`.
async fn handshake(server: &TestServer, origin: Option<&str>) -> u16 {
    let mut raw = Raw::connect(server.address).await;
    let mut headers = WEBSOCKET_HEADERS.to_vec();
    headers.extend(origin.map(|origin| ("origin", origin)));
    let head = raw.open("/feed/websocket", &headers).await;
    head.split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .expect("a status")
}

#[tokio::test]
async fn only_the_servers_own_pages_pass_by_default() {
    let server = TestServer::start(1, settings());
    for origin in [
        None,
        Some("http://feed.test"),
        Some("https://feed.test"),
        Some("http://FEED.test"),
    ] {
        assert_eq!(handshake(&server, origin).await, 101, "{origin:?}");
    }
    for origin in [
        "http://elsewhere.test",
        "http://feed.test.elsewhere.test",
        "http://feed.test:8080",
        "http://elsewhere.test/feed.test",
        "ftp://feed.test",
        "feed.test",
        "null",
        "",
        "é",
    ] {
        assert_eq!(handshake(&server, Some(origin)).await, 403, "{origin:?}");
    }
}

#[tokio::test]
async fn allowed_origins_pass_too() {
    let mut listed = settings();
    listed.allow_origins = vec!["https://page.test".into(), "http://localhost:3000".into()];
    let server = TestServer::start(1, listed);
    for origin in ["https://page.test", "http://localhost:3000", "http://feed.test"] {
        assert_eq!(handshake(&server, Some(origin)).await, 101, "{origin}");
    }
    for origin in ["http://page.test", "http://localhost", "https://sub.page.test"] {
        assert_eq!(handshake(&server, Some(origin)).await, 403, "{origin}");
    }
    let mut any = settings();
    any.allow_origins = vec!["*".into()];
    let server = TestServer::start(1, any);
    assert_eq!(handshake(&server, Some("http://elsewhere.test")).await, 101);
}
