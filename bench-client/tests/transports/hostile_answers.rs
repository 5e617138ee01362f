//! Answers to polls that are broken, from a server that is none, to our client: the session ends with an error, and nothing of a broken
//! answer is handed out, because the session that resumes will ask for it again.

use bench_client::transports::by_id;
use futures_util::future::join;

use crate::puppet::{Puppet, answer, cursor, update, with_length};

const JSON: &str = "application/json";

fn ok(body: &str) -> Vec<u8> {
    with_length("200 OK", JSON, body).into_bytes()
}

/// Everything after the head's first lines by hand.
fn raw(rest: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-type: {JSON}\r\n{rest}").into_bytes()
}

fn broken() -> Vec<(&'static str, Vec<u8>)> {
    let good = answer(&[update(2)], cursor(2));
    let (_, body) = good.split_once("\r\n\r\n").expect("a head");
    let length = body.len();
    let of = |updates: &str, rest: &str| ok(&format!(r#"{{"updates":{updates}{rest}}}"#));
    let at_2 = format!(r#","cursor":"{}""#, cursor(2));
    let two = update(2);
    let not_text: Vec<u8> = [two.as_bytes(), b"\xff"].concat();
    vec![
        ("half the JSON", ok(&body[..length / 2])),
        ("JSON and more", ok(&format!("{body}{body}"))),
        ("nothing", ok("")),
        ("null", ok("null")),
        (
            "a page",
            with_length("200 OK", "text/html", "<p>sign in</p>").into_bytes(),
        ),
        (
            "a page with an answer in it",
            with_length("200 OK", "text/html", body).into_bytes(),
        ),
        (
            "an answer of no type",
            format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes(),
        ),
        (
            "an answer of a similar type",
            with_length("200 OK", "application/jsonp", body).into_bytes(),
        ),
        ("no updates", ok(&format!("{{{}}}", &at_2[1..]))),
        ("updates that are no list", of("{}", &at_2)),
        ("no cursor", of("[]", "")),
        ("a cursor that is none", of("[]", r#","cursor":"2""#)),
        (
            "a reset for a reason that is none",
            of("[]", &format!(r#"{at_2},"reset":{{"reason":"boredom"}}"#)),
        ),
        (
            "a whole update, then a broken one",
            of(&format!("[{two},{{\"topic\":1}}]"), &at_2),
        ),
        (
            "a whole update, then one of another topic",
            of(&format!("[{two},{}]", update(3).replace("match-1", "match-9")), &at_2),
        ),
        (
            "a reset, then a broken update",
            of("[{}]", &format!(r#"{at_2},"reset":{{"reason":"evicted"}}"#)),
        ),
        ("more of nothing, for ever", of("[]", &format!("{at_2},\"more\":true"))),
        ("a hundred thousand brackets", ok(&"[".repeat(100_000))),
        (
            "bytes that are no text",
            [raw(&format!("content-length: {}\r\n\r\n", not_text.len())), not_text].concat(),
        ),
        (
            "a length that is too long",
            raw(&format!("content-length: {}\r\n\r\n{body}", length + 100)),
        ),
        (
            "a length that is too short",
            raw(&format!("content-length: {}\r\n\r\n{body}", length - 10)),
        ),
        (
            "a length that is far too long",
            raw(&format!("content-length: 1000000000000000000\r\n\r\n{body}")),
        ),
        (
            "two lengths",
            raw(&format!("content-length: {length}\r\ncontent-length: 5\r\n\r\n{body}")),
        ),
        (
            "a length below nothing",
            raw(&format!("content-length: -1\r\n\r\n{body}")),
        ),
        (
            "a chunk without a size",
            raw(&format!("transfer-encoding: chunked\r\n\r\n{body}")),
        ),
        (
            "a chunk that breaks off",
            raw(&format!("transfer-encoding: chunked\r\n\r\n{:x}\r\n{body}", length + 1)),
        ),
        (
            "a chunk larger than any number",
            raw(&format!(
                "transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n{body}\r\n0\r\n\r\n"
            )),
        ),
        (
            "no last chunk",
            raw(&format!("transfer-encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n")),
        ),
        (
            "an encoding nobody knows",
            raw("content-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\u{8}xx"),
        ),
        ("204", b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()),
        (
            "301",
            b"HTTP/1.1 301 Moved Permanently\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n".to_vec(),
        ),
        (
            "304 to a question without a tag",
            b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec(),
        ),
        ("404", with_length("404 Not Found", JSON, body).into_bytes()),
        ("500", with_length("500 Internal Server Error", JSON, body).into_bytes()),
        (
            "503",
            b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 4\r\n\r\nfull".to_vec(),
        ),
        ("no HTTP", b"SSH-2.0-OpenSSH_9.2\r\n\r\n".to_vec()),
        (
            "an endless head",
            [b"HTTP/1.1 200 OK\r\nx: ".to_vec(), vec![b'x'; 1024 * 1024]].concat(),
        ),
        (
            "a thousand headers",
            raw(&format!(
                "{}content-length: {length}\r\n\r\n{body}",
                "x: y\r\n".repeat(1_000)
            )),
        ),
    ]
}

#[tokio::test]
async fn broken_answers_are_refused_whole() {
    let puppet = Puppet::start().await;
    let clients = puppet.clients();
    for id in ["short-poll", "long-poll"] {
        for (name, bytes) in broken() {
            let answering = async {
                let mut peer = puppet.accept().await;
                peer.raw.send(answer(&[update(1)], cursor(1))).await;
                peer.raw.head().await;
                // It may have enough before the end.
                let _ = peer.try_send(&bytes).await;
            };
            let following = async {
                let mut follower = clients.open(by_id(id).expect("a row"), None).await;
                let first = follower.next().await;
                assert!(first.is_ok() && follower.updates.len() == 1, "{id}: {first:?}");
                let ended = follower.next().await;
                (follower, ended)
            };
            let ((), (follower, ended)) = join(answering, following).await;
            assert!(ended.is_err(), "{id}, {name}: taken for an answer");
            assert_eq!(
                follower.updates.len(),
                1,
                "{id}, {name}: something of it was handed out"
            );
            follower.assert_never_reset();
            assert_eq!(follower.session.cursor(), Some(cursor(1)), "{id}, {name}: held");
        }
    }
}

/// What HTTP allows is no reason to refuse.
#[tokio::test]
async fn unusual_answers_are_read() {
    let puppet = Puppet::start().await;
    let clients = puppet.clients();
    let good = answer(&[update(2)], cursor(2));
    let (_, body) = good.split_once("\r\n\r\n").expect("a head");
    let chunks: String = body
        .split_inclusive(',')
        .map(|piece| format!("{:x};a=b\r\n{piece}\r\n", piece.len()))
        .collect();
    for unusual in [
        with_length("200 OK", "APPLICATION/JSON;charset=utf-8", body),
        with_length("200 Fine by me", JSON, &body.replace(',', " ,\n ")),
        format!("HTTP/1.1 103 Early Hints\r\nlink: </>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n{good}"),
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {JSON}\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\nx: trailer\r\n\r\n"
        ),
        format!("HTTP/1.0 200 OK\r\ncontent-type: {JSON}\r\n\r\n{body}"),
    ] {
        let answering = async {
            let mut peer = puppet.accept().await;
            peer.raw.send(answer(&[update(1)], cursor(1))).await;
            peer.raw.head().await;
            peer.raw.send(&unusual).await;
        };
        let following = async {
            let mut follower = clients.open(by_id("short-poll").expect("a row"), None).await;
            follower.through(2).await;
            follower
        };
        let ((), follower) = join(answering, following).await;
        assert_eq!(follower.session.cursor(), Some(cursor(2)), "{unusual}");
    }
}
