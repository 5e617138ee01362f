//! Pages of other origins may read the feed over HTTP; whoever is no such page pays for no extra header.

use crate::support::{
    TestServer,
    raw::{Raw, get, header},
    settings,
};

const ORIGIN: (&str, &str) = ("origin", "http://page.test");

#[tokio::test]
async fn any_origin_may_read_and_only_origins_are_told_so() {
    let mut server = TestServer::start(1, settings());
    server.publish(0);
    for target in [
        "/feed/short-poll",
        "/feed/long-poll",
        "/api/stats",
        "/nowhere",
        "/feed/sse?since=x",
    ] {
        let asked = get(server.address, target, &[ORIGIN]).await;
        assert_eq!(asked.header("access-control-allow-origin"), Some("*"), "{target}");
        assert_eq!(
            asked.header("access-control-expose-headers"),
            Some("etag, retry-after"),
            "{target}"
        );
        let plain = get(server.address, target, &[]).await;
        assert!(!plain.head.contains("access-control"), "{target}: {}", plain.head);
    }
    let mut stream = Raw::connect(server.address).await;
    let head = stream.open("/feed/sse", &[ORIGIN]).await;
    assert_eq!(header(&head, "access-control-allow-origin"), Some("*"));
}

#[tokio::test]
async fn a_preflight_is_answered_204_with_what_may_be_asked() {
    let server = TestServer::start(1, settings());
    let mut raw = Raw::connect(server.address).await;
    let headers = [
        ORIGIN,
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "last-event-id"),
    ];
    raw.send_head("OPTIONS", "/feed/sse", &headers).await;
    let answer = raw.answer().await;
    assert_eq!(answer.status(), 204);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-allow-methods"), Some("GET, HEAD"));
    let allowed = answer.header("access-control-allow-headers").expect("headers");
    for name in ["last-event-id", "if-none-match"] {
        assert!(allowed.split(", ").any(|one| one == name), "{name} in {allowed}");
    }
    assert!(answer.header("access-control-max-age").is_some());
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}
