//! Methods besides GET, and which of two cursors counts.

use crate::support::{
    TestServer,
    raw::{Raw, get},
    settings,
};

#[tokio::test]
async fn head_is_answered_like_get_without_the_body() {
    let mut server = TestServer::start(1, settings());
    server.publish(0);
    for target in [
        "/healthz",
        "/feed/short-poll",
        "/feed/long-poll",
        "/feed/websocket",
        "/api/transports",
        "/nowhere",
    ] {
        let expected = get(server.address, target, &[("connection", "close")]).await;
        let mut raw = Raw::connect(server.address).await;
        raw.send_head("HEAD", target, &[("connection", "close")]).await;
        let head = raw.head().await;
        let without_date = |head: &str| -> Vec<String> {
            let lines = head.lines().filter(|line| !line.starts_with("date:"));
            lines.map(str::to_owned).collect()
        };
        assert_eq!(without_date(&head), without_date(&expected.head), "{target}");
        assert_eq!(raw.rest().await, b"", "{target}: no body");
    }
}

/// A client that asks for the head of an endless answer is not kept waiting for its end.
#[tokio::test]
async fn head_of_a_stream_ends() {
    let mut server = TestServer::start(1, settings());
    server.publish(0);
    let mut raw = Raw::connect(server.address).await;
    raw.send_head("HEAD", "/feed/sse", &[("connection", "close")]).await;
    assert!(raw.head().await.starts_with("HTTP/1.1 200"));
    assert_eq!(raw.rest().await, b"");
}

#[tokio::test]
async fn other_methods_are_answered_405_in_json() {
    let server = TestServer::start(1, settings());
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        for target in [
            "/feed/short-poll",
            "/feed/sse",
            "/feed/websocket",
            "/api/stats",
            "/healthz",
            "/",
        ] {
            let mut raw = Raw::connect(server.address).await;
            raw.send_head(method, target, &[("content-length", "0")]).await;
            let answer = raw.answer().await;
            assert_eq!(answer.status(), 405, "{method} {target}: {}", answer.head);
            assert!(
                answer.header("allow").is_some_and(|allow| allow.contains("GET")),
                "{}",
                answer.head
            );
            answer.error();
        }
    }
}

#[tokio::test]
async fn last_event_id_beats_since() {
    let mut server = TestServer::start(1, settings());
    for _ in 0..3 {
        server.publish(0);
    }
    let (since, newer) = (server.cursor(0), server.cursor(2).to_string());
    for id in ["short-poll", "long-poll"] {
        let target = format!("/feed/{id}?since={since}");
        let answer = get(server.address, &target, &[("last-event-id", &newer)]).await;
        assert_eq!(answer.json()["updates"].as_array().map(Vec::len), Some(1), "{id}");
        // A browser that has seen no id yet says an empty one.
        let answer = get(server.address, &target, &[("last-event-id", "")]).await;
        assert_eq!(answer.json()["updates"].as_array().map(Vec::len), Some(3), "{id}");
        for malformed in ["x", "1-2-3", "é"] {
            let answer = get(server.address, &target, &[("last-event-id", malformed)]).await;
            assert_eq!(answer.status(), 400, "{id} {malformed}");
            assert!(answer.error().contains("malformed cursor"));
        }
    }
    let mut stream = Raw::connect(server.address).await;
    stream
        .open(&format!("/feed/sse?since={since}"), &[("last-event-id", &newer)])
        .await;
    let mut said = String::new();
    while !said.contains("event: update") {
        said += &String::from_utf8(stream.chunk().await.expect("it goes on")).expect("text");
    }
    assert!(said.contains("\"seq\":3"), "{said}");
}
