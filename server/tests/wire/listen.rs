//! The listener's limits: on time, on connections, on the size of a head; and HTTP/2 on the same port.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use hyper::body::{Body, Frame};
use hyper_util::rt::{TokioExecutor, TokioIo};
use server::settings::ServerSettings;

use crate::support::{
    TestServer, counter,
    raw::{Raw, get},
    settings, soon, until,
};

fn with(change: impl FnOnce(&mut ServerSettings)) -> ServerSettings {
    let mut settings = settings();
    change(&mut settings);
    settings
}

/// Said at first by peers that never say a whole head.
const HALF_SENT: [&str; 6] = [
    "",
    "P",
    "PRI",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "GET /healthz",
    "GET /healthz HTTP/1.1\r\nhost: feed.test\r\n",
];

#[tokio::test]
async fn a_head_that_does_not_come_closes_the_connection() {
    let server = TestServer::start(1, with(|s| s.header_timeout = Duration::from_millis(200)));
    let mut peers = Vec::new();
    for said in HALF_SENT {
        let mut raw = Raw::connect(server.address).await;
        raw.send(said).await;
        peers.push(raw);
    }
    for (mut raw, said) in peers.into_iter().zip(HALF_SENT) {
        let answer = raw.rest().await;
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{said:?} was answered");
    }
    let stats = server.stats().await;
    assert_eq!(stats["header_timeouts"], HALF_SENT.len(), "{stats}");
    assert_eq!(stats["connections"], 1, "only this one: {stats}");
}

#[tokio::test]
async fn a_kept_connection_that_goes_quiet_is_closed_and_a_held_one_is_not() {
    let mut server = TestServer::start(1, with(|s| s.header_timeout = Duration::from_millis(200)));
    server.publish(0);
    let mut stream = Raw::connect(server.address).await;
    stream.open("/feed/sse", &[]).await;
    let mut held = Raw::connect(server.address).await;
    let target = format!("/feed/long-poll?since={}", server.cursor(1));
    held.send_head("GET", &target, &[]).await;
    let mut quiet = Raw::connect(server.address).await;
    quiet.send_head("GET", "/healthz", &[]).await;
    assert_eq!(quiet.answer().await.body, b"ok\n");
    assert_eq!(quiet.rest().await, b"", "closed without a word");

    // Both are older than the timeout now, and alive.
    server.publish(0);
    assert_eq!(held.answer().await.json()["updates"][0]["seq"], 2);
    let mut said = String::new();
    while !said.contains("\"seq\":2") {
        said += &String::from_utf8(stream.chunk().await.expect("it goes on")).expect("text");
    }
}

#[tokio::test]
async fn connections_above_the_cap_are_answered_503_and_those_inside_go_on() {
    let mut server = TestServer::start(1, with(|s| s.max_connections = 2));
    server.publish(0);
    let mut inside = Raw::connect(server.address).await;
    inside.open("/feed/sse", &[]).await;
    let mut kept = Raw::connect(server.address).await;
    kept.send_head("GET", "/healthz", &[]).await;
    assert_eq!(kept.answer().await.status(), 200);

    for _ in 0..3 {
        let refused = get(server.address, "/healthz", &[]).await;
        assert_eq!(refused.status(), 503);
        assert_eq!(refused.header("retry-after"), Some("1"));
        assert_eq!(refused.header("connection"), Some("close"));
        assert!(refused.error().contains("full"), "{refused:?}");
    }
    kept.send_head("GET", "/api/stats", &[]).await;
    let stats = kept.answer().await.json();
    assert_eq!(
        (&stats["connections"], &stats["connections_refused"]),
        (&2.into(), &3.into())
    );
    server.publish(0);
    let mut said = String::new();
    while !said.contains("\"seq\":2") {
        said += &String::from_utf8(inside.chunk().await.expect("it goes on")).expect("text");
    }

    // A place that becomes free is given away again.
    drop(inside);
    until("a free place", async || {
        get(server.address, "/healthz", &[]).await.status() == 200
    })
    .await;
}

#[tokio::test]
async fn a_place_is_held_by_upgraded_connections_too() {
    let mut server = TestServer::start(1, with(|s| s.max_connections = 1));
    server.publish(0);
    let mut inside = Raw::connect(server.address).await;
    inside
        .open("/feed/websocket", &crate::support::raw::WEBSOCKET_HEADERS)
        .await;
    inside.frame().await;
    assert_eq!(get(server.address, "/healthz", &[]).await.status(), 503);
}

#[tokio::test]
async fn heads_that_are_too_large_are_refused() {
    let server = TestServer::start(1, settings());
    let target = |bytes: usize| format!("/feed/sse?{}", "x".repeat(bytes - "/feed/sse?".len()));
    let longest = get(
        server.address,
        &target(4 * 1024),
        &[("connection", "close"), ("last-event-id", "x")],
    )
    .await;
    assert_eq!(
        longest.status(),
        400,
        "the longest address is read: its cursor is not one"
    );
    let too_long = get(server.address, &target(4 * 1024 + 1), &[]).await;
    assert_eq!(too_long.status(), 414);
    assert!(too_long.error().contains("4097"), "{too_long:?}");

    let mut many = Raw::connect(server.address).await;
    let headers: Vec<_> = (0..200).map(|_| ("x-one", "1")).collect();
    many.send_head("GET", "/healthz", &headers).await;
    assert!(many.head().await.starts_with("HTTP/1.1 431"), "too many headers");

    let mut large = Raw::connect(server.address).await;
    let value = "x".repeat(17 * 1024);
    large.send_head("GET", "/healthz", &[("x-one", &value)]).await;
    assert!(large.head().await.starts_with("HTTP/1.1 431"), "too large a header");

    let mut noise = Raw::connect(server.address).await;
    noise.send("\u{16}\u{3}\u{1} hello\r\n\r\n").await;
    assert!(noise.head().await.starts_with("HTTP/1.1 400"), "no HTTP at all");
}

#[tokio::test]
async fn http2_with_prior_knowledge_carries_polls_and_streams_at_once() {
    let mut server = TestServer::start(1, settings());
    server.publish(0);
    let stream = tokio::net::TcpStream::connect(server.address)
        .await
        .expect("it listens");
    let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .expect("an HTTP/2 handshake");
    let connection = tokio::spawn(connection);
    let ask = |target: &str| {
        let uri = format!("http://{}{target}", server.address);
        let request = http::Request::get(uri).body(String::new()).expect("a request");
        let mut sender = sender.clone();
        async move {
            soon("an answer", sender.send_request(request))
                .await
                .expect("an answer")
        }
    };
    let poll = ask("/feed/short-poll").await;
    assert_eq!(
        (poll.status(), poll.version()),
        (http::StatusCode::OK, http::Version::HTTP_2)
    );
    let body = text_until(poll.into_body(), |_| false).await;
    assert!(body.starts_with("{\"updates\":[{"), "{body}");

    let held = ask(&format!("/feed/long-poll?since={}", server.cursor(1)));
    let events = ask("/feed/sse").await;
    assert_eq!(events.headers()["content-type"], "text/event-stream");
    let published = async {
        until("the poll is held", async || {
            counter(&server.stats().await, "long-poll", "subscribers") == 1
        })
        .await;
        server.hand.publish(0);
    };
    let (held, ()) = tokio::join!(held, published);
    assert!(text_until(held.into_body(), |_| false).await.contains("\"seq\":2"));
    let streamed = text_until(events.into_body(), |text| text.contains("\"seq\":2")).await;
    assert!(
        streamed.contains("\"seq\":1") && !streamed.contains("reset"),
        "{streamed}"
    );

    drop(sender);
    soon("the stop", server.running.stop()).await;
    // Told to go away, or cut: either way it ends.
    let _ = soon("the connection ends", connection).await.expect("no panic");
}

/// A body's text to its end, or until it is enough.
async fn text_until(body: impl Body<Data = Bytes, Error = hyper::Error>, enough: impl Fn(&str) -> bool) -> String {
    let mut frames = Box::pin(frames(body));
    let mut text = String::new();
    while !enough(&text) {
        match soon("the next frame", frames.next()).await {
            Some(Ok(frame)) => {
                let data = frame.into_data().unwrap_or_default();
                text += std::str::from_utf8(&data).expect("text");
            }
            Some(Err(error)) => panic!("{error} after {text}"),
            None => break,
        }
    }
    text
}

fn frames<B: Body>(body: B) -> impl Stream<Item = Result<Frame<B::Data>, B::Error>> {
    let body = Box::pin(body);
    stream::unfold(body, |mut body| async {
        let frame = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await?;
        Some((frame, body))
    })
}
