//! Plain requests are served on the connection's own socket, all others by hyper: nobody may see which it was.

use crate::{
    mask,
    support::{
        TestServer, counter,
        raw::{Raw, WEBSOCKET_HEADERS},
        settings, soon, until,
    },
};

/// With it a request is not plain: it announces that trailers are understood.
const NOT_PLAIN: (&str, &str) = ("te", "trailers");

/// Everything that answers a request on a connection that ends with it.
async fn whole_answer(server: &TestServer, target: &str, headers: &[(&str, &str)]) -> String {
    let mut raw = Raw::connect(server.address).await;
    let headers = [headers, &[("connection", "close")]].concat();
    raw.send_head("GET", target, &headers).await;
    mask(&String::from_utf8(raw.rest().await).expect("text"), server.epoch)
}

#[tokio::test]
async fn answers_are_the_same_both_ways() {
    let mut server = TestServer::start(2, settings());
    for topic in [0, 1, 0] {
        server.publish(topic);
    }
    let newest = format!("\"{}\"", server.cursor(3));
    let other = [("origin", "http://elsewhere.test")];
    let shown = [("if-none-match", newest.as_str())];
    for id in ["short-poll", "long-poll"] {
        for (query, headers) in [
            ("", &[][..]),
            ("?topic=match-2", &[]),
            (&format!("?topic=match-1&since={}", server.cursor(1)), &[]),
            (&format!("?since={}&wait_ms=1", server.cursor(3)), &[]),
            ("?wait_ms=1", &shown),
            ("?since=1-1", &[]),
            ("?since=nothing", &[]),
            ("?topic=nobody", &[]),
            ("?mode=latest", &other),
        ] {
            let target = format!("/feed/{id}{query}");
            let plain = whole_answer(&server, &target, headers).await;
            let hypers = whole_answer(&server, &target, &[headers, &[NOT_PLAIN]].concat()).await;
            assert_eq!(plain, hypers, "{target}");
            assert!(plain.starts_with("HTTP/1.1 "), "{plain}");
        }
    }
}

#[tokio::test]
async fn streams_are_the_same_both_ways() {
    let mut server = TestServer::start(1, settings());
    server.publish(0);
    let mut both = Vec::new();
    for more in [&[][..], &[NOT_PLAIN]] {
        let mut sse = Raw::connect(server.address).await;
        let head = sse.open("/feed/sse", more).await;
        let mut websocket = Raw::connect(server.address).await;
        let upgraded = websocket
            .open("/feed/websocket", &[&WEBSOCKET_HEADERS, more].concat())
            .await;
        both.push((head, upgraded, sse, websocket));
    }
    // Some are told the state at their start, and all what comes then, one by one and in a burst.
    let mut said = vec![Vec::new(); both.len()];
    for burst in [0, 1, 5] {
        for _ in 0..burst {
            server.publish(0);
        }
        for ((_, _, sse, websocket), said) in both.iter_mut().zip(&mut said) {
            let opening = usize::from(burst == 0);
            for _ in 0..burst + 2 * opening {
                said.push(soon("an event", sse.chunk()).await.expect("no end"));
            }
            for _ in 0..burst + opening {
                let (first, text) = soon("a message", websocket.frame()).await;
                said.push([vec![first], text].concat());
            }
        }
    }
    assert_eq!(said[0], said[1]);
    let heads: Vec<_> = both
        .iter()
        .map(|(head, upgraded, ..)| mask(&format!("{head}{upgraded}"), server.epoch))
        .collect();
    assert_eq!(heads[0], heads[1]);
    let stopping = tokio::spawn(server.running.stop());
    for (_, _, sse, _) in &mut both {
        assert_eq!(sse.chunk().await.as_deref(), Some(&b"retry: 1000\n"[..]));
        assert_eq!(sse.chunk().await, None, "a whole body");
    }
    drop(both);
    soon("the server stops", stopping).await.expect("well");
}

#[tokio::test]
async fn a_held_poll_is_answered_with_the_same_bytes_both_ways() {
    let mut server = TestServer::start(1, settings());
    server.publish(0);
    let mut held = Vec::new();
    for more in [&[][..], &[NOT_PLAIN]] {
        let mut raw = Raw::connect(server.address).await;
        let target = format!("/feed/long-poll?since={}", server.cursor(1));
        raw.send_head("GET", &target, more).await;
        held.push(raw);
    }
    until("both are held", async || {
        counter(&server.stats().await, "long-poll", "subscribers") == 2
    })
    .await;
    server.publish(0);
    let mut answers = Vec::new();
    for raw in &mut held {
        let answer = raw.answer().await;
        answers.push((mask(&answer.head, server.epoch), answer.body));
    }
    until("neither is held any more", async || {
        counter(&server.stats().await, "long-poll", "subscribers") == 0
    })
    .await;
    for raw in &mut held {
        // And the connection goes on.
        raw.send_head("GET", "/feed/short-poll", &[]).await;
        assert_eq!(raw.answer().await.status(), 200);
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn requests_that_do_not_wait_for_answers_are_answered_in_order() {
    let mut server = TestServer::start(1, settings());
    server.publish(0);
    let mut raw = Raw::connect(server.address).await;
    let host = "host: feed.test\r\n";
    let held = format!("/feed/long-poll?since={}&wait_ms=60000", server.cursor(1));
    let mut all = String::new();
    for target in ["/feed/short-poll", &held, "/feed/short-poll?topic=match-1", "/healthz"] {
        all += &format!("GET {target} HTTP/1.1\r\n{host}\r\n");
    }
    raw.send(all).await;
    let first = raw.answer().await.json();
    assert_eq!(first["updates"][0]["seq"], 1);
    server.publish(0);
    for target in ["held", "short"] {
        let answer = raw.answer().await.json();
        assert_eq!(answer["updates"][0]["seq"], 2, "{target}");
    }
    assert_eq!(raw.answer().await.body, b"ok\n");
}

#[tokio::test]
async fn requests_beyond_a_buffer_behind_a_held_poll_are_all_answered() {
    let mut server = TestServer::start(1, settings());
    server.publish(0);
    let mut raw = Raw::connect(server.address).await;
    let held = format!("/feed/long-poll?since={}&wait_ms=60000", server.cursor(1));
    raw.send_head("GET", &held, &[]).await;
    until("it is held", async || {
        counter(&server.stats().await, "long-poll", "subscribers") == 1
    })
    .await;
    // More than is kept of what comes behind a poll: it is answered then, and nothing of them is lost.
    const MORE: usize = 500;
    let one = "GET /feed/short-poll HTTP/1.1\r\nhost: feed.test\r\n\r\n";
    raw.send(one.repeat(MORE)).await;
    assert_eq!(raw.answer().await.json()["updates"].as_array().map(Vec::len), Some(0));
    for number in 0..MORE {
        let answer = raw.answer().await;
        assert_eq!(
            (answer.status(), &answer.json()["updates"][0]["seq"]),
            (200, &1.into()),
            "{number}"
        );
    }
}
