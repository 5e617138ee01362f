//! What makes no sense is refused aloud, over every transport in the same words.

use bench_client::transports::{ALL, SessionError};

use crate::{
    rig::Clients,
    support::{TestServer, raw, settings, soon},
    tap::refused,
};

#[tokio::test]
async fn bad_queries_are_answered_400_with_the_reason() {
    let mut server = TestServer::start(1, settings());
    server.publish(0);
    let malformed = [
        "",
        "1",
        "1-",
        "-1",
        "1-2-3",
        "a-b",
        "%2B1-2",
        "99999999999999999999-1",
        "1-2%00",
        "%ff",
    ];
    let mut bad: Vec<(String, &str)> = malformed
        .into_iter()
        .map(|cursor| (format!("?since={cursor}"), "malformed cursor"))
        .collect();
    let others = [
        ("?mode=fastest", "no mode \"fastest\""),
        ("?mode=", "no mode \"\""),
        ("?wait_ms=soon", "wait_ms"),
        ("?wait_ms=-1", "wait_ms"),
        ("?wait_ms=1.5", "wait_ms"),
        ("?wait_ms=60001", "wait_ms"),
        ("?wait_ms=", "wait_ms"),
        ("?topic=match-1&topic=all", "duplicate field `topic`"),
        ("?since=1-1&since=1-2", "duplicate field `since`"),
        ("?mode=every&mode=latest", "duplicate field `mode`"),
        ("?wait_ms=1&wait_ms=2", "duplicate field `wait_ms`"),
    ];
    bad.extend(others.map(|(query, reason)| (query.to_owned(), reason)));
    for row in &ALL {
        for (query, reason) in &bad {
            let answer = refused(row.id, server.address, query).await;
            assert_eq!(answer.status(), 400, "{} {query}: {}", row.id, answer.head);
            let error = answer.error();
            assert!(error.contains(reason), "{} {query}: {error}", row.id);
        }
    }
}

#[tokio::test]
async fn unknown_topics_and_transports_are_answered_404() {
    let mut server = TestServer::start(1, settings());
    server.publish(0);
    let mut clients = Clients::of(&server);
    clients.endpoint.topic = Some("match-2".into());
    for row in &ALL {
        match soon(row.id, clients.try_open(row, None)).await {
            Err(SessionError::Refused { status: 404, body }) => assert!(body.contains("match-2"), "{}: {body}", row.id),
            Err(other) => panic!("{}: {other}", row.id),
            Ok(_) => panic!("{}: a session for no topic", row.id),
        }
    }
    for id in ["carrier-pigeon", "SSE", "sse%2F", "sse/"] {
        let answer = raw::get(server.address, &format!("/feed/{id}"), &[]).await;
        assert_eq!(answer.status(), 404, "{id}: {}", answer.head);
        answer.error();
    }
}
