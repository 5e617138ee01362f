//! The connection against servers that cut and say what they like, and its bytes against hyper's.

use std::{net::SocketAddr, sync::Arc};

use server::{
    clock::Clock,
    wire::{Cursor, Mode},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::{
    headers::{HeaderSet, Purpose},
    transports::PollGrid,
};

fn endpoint(address: SocketAddr) -> Endpoint {
    Endpoint {
        address,
        authority: address.to_string(),
        topic: Some("match-1".into()),
        topics: Arc::default(),
        mode: Mode::Every,
        wait_ms: 25_000,
        headers: HeaderSet::Browser,
        keep_alive: true,
        polls: PollGrid {
            first_us: 0,
            interval_us: 1,
        },
    }
}

/// What becomes of one request that is answered so, in these pieces, and then by the end of the connection.
async fn ask(listener: &TcpListener, pieces: &[&[u8]]) -> (Result<(u16, Vec<u8>), SessionError>, HttpConnection) {
    let (asked, _, connection) = ask_counting(listener, pieces).await;
    (asked, connection)
}

/// The same, and the bytes that were used when the head was there.
async fn ask_counting(
    listener: &TcpListener,
    pieces: &[&[u8]],
) -> (Result<(u16, Vec<u8>), SessionError>, u64, HttpConnection) {
    let mut at_head = 0;
    let net = Net::new(Clock::start());
    let endpoint = endpoint(listener.local_addr().expect("bound"));
    let mut connection = HttpConnection::open(&net, &endpoint).await.expect("it listens");
    let (mut peer, _) = listener.accept().await.expect("it listens");
    peer.set_nodelay(true).expect("it can be set");
    let answering = async {
        let mut head = [0; 18];
        peer.read_exact(&mut head).await.expect("a request");
        for piece in pieces {
            peer.write_all(piece).await.expect("it reads");
            // The other half of this task reads it before the next comes.
            tokio::task::yield_now().await;
        }
        drop(peer);
    };
    let asking = async {
        let head = connection.get(b"GET / HTTP/1.1\r\n\r\n").await?;
        at_head = connection.bytes_used();
        let body = connection.body(|_, body| Ok(body.to_vec())).await?;
        Ok((head.status, body))
    };
    let (asked, ()) = tokio::join!(asking, answering);
    (asked, at_head, connection)
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("port 0 is always free")
}

const CHUNKED: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </>\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
    3;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\nx: y\r\n\r\n";
const SIZED: &[u8] = b"HTTP/1.1 200 Fine\r\ncontent-length: 13\r\na: b\r\n\r\nabc0123456789";
const TO_THE_END: &[u8] = b"HTTP/1.1 200 OK\r\n\r\nabc0123456789";

#[tokio::test]
async fn an_answer_is_the_same_however_it_is_cut() {
    let listener = listener().await;
    for answer in [CHUNKED, SIZED, TO_THE_END] {
        let text = String::from_utf8_lossy(answer);
        for cut in 0..=answer.len() {
            let (first, second) = answer.split_at(cut);
            let (asked, connection) = ask(&listener, &[first, second]).await;
            let (status, body) = asked.unwrap_or_else(|error| panic!("{text} cut at {cut}: {error}"));
            assert_eq!((status, &body[..]), (200, &b"abc0123456789"[..]), "{text} cut at {cut}");
            assert_eq!(connection.is_open(), answer != TO_THE_END);
            assert_eq!(connection.meter().bytes(), 18 + answer.len() as u64);
        }
        let bytes: Vec<_> = answer.chunks(1).collect();
        let (asked, _) = ask(&listener, &bytes).await;
        assert_eq!(asked.expect("good").1, b"abc0123456789", "{text} byte by byte");
    }
}

#[tokio::test]
async fn a_head_ends_behind_interim_ones_however_its_lines_end() {
    let listener = listener().await;
    let body = b"first\r\n\r\nsecond";
    for head in [
        "HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n",
        "HTTP/1.1 200 OK\ncontent-length: 15\n\n",
        "HTTP/1.1 103 Early Hints\r\nlink: </>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n",
    ] {
        let answer = [head.as_bytes(), body].concat();
        for cut in 0..answer.len() {
            let (first, second) = answer.split_at(cut);
            let (asked, at_head, _) = ask_counting(&listener, &[first, second]).await;
            assert_eq!(at_head, 18 + head.len() as u64, "{head} cut at {cut}");
            assert_eq!(asked.expect("good").1, body, "{head} cut at {cut}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_error_at_every_byte() {
    let listener = listener().await;
    for answer in [CHUNKED, SIZED] {
        for cut in 0..answer.len() {
            let (asked, _) = ask(&listener, &[&answer[..cut]]).await;
            let error = asked.expect_err("half an answer");
            assert_eq!(went_away(&error), cut == 0, "cut at {cut}: {error}");
            assert!(matches!(error, SessionError::Http(_)), "cut at {cut}: {error}");
        }
    }
}

#[tokio::test]
async fn what_is_no_answer_is_refused() {
    let listener = listener().await;
    let long = format!("HTTP/1.1 200 OK\r\na: {}\r\n", "x".repeat(HEAD_MAX_BYTES));
    let many = "HTTP/1.1 100 Continue\r\n\r\n".repeat(INTERIM_MAX + 1);
    let far = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", BODY_MAX_BYTES + 1);
    for (answer, said) in [
        ("SSH-2.0-OpenSSH_9.2\r\n", "no answer of HTTP"),
        ("HTTP/1.1 200 OK\r\na : b\r\n\r\n", "no answer of HTTP"),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
            "transfer-encoding",
        ),
        ("HTTP/1.1 200 OK\r\ncontent-length: 1, 2\r\n\r\n", "content-length"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n", "chunk"),
        (&long, "more than"),
        (&many, "interim"),
        (&far, "more than"),
    ] {
        let (asked, _) = ask(&listener, &[answer.as_bytes()]).await;
        let error = asked.expect_err("no answer").to_string();
        assert!(error.contains(said), "{:.60}: {error}", answer);
    }
}

#[tokio::test]
async fn what_nobody_asked_for_ends_the_connection() {
    let listener = listener().await;
    let both = [SIZED, SIZED].concat();
    let (asked, mut connection) = ask(&listener, &[&both]).await;
    assert_eq!(asked.expect("the first is whole").0, 200);
    let again = connection.get(b"GET / HTTP/1.1\r\n\r\n").await;
    let again = again.expect_err("it was there before the request");
    assert!(matches!(again, SessionError::Http(HttpError::Unasked)), "{again}");
    assert!(!went_away(&again), "the first answer is not to be trusted either");
}

#[tokio::test]
async fn an_answer_that_closes_is_the_last() {
    let listener = listener().await;
    for (answer, open) in [
        ("HTTP/1.1 204 None\r\n\r\n", true),
        ("HTTP/1.1 304 Not Modified\r\ncontent-length: 12\r\n\r\n", true),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nConnection: Close\r\n\r\n",
            false,
        ),
        ("HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n", false),
    ] {
        let (asked, connection) = ask(&listener, &[answer.as_bytes()]).await;
        assert_eq!(asked.expect("whole").1, b"");
        assert_eq!(connection.is_open(), open, "{answer}");
    }
}

/// hyper's bytes for the same request.
async fn by_hyper(request: http::Request<()>) -> Vec<u8> {
    let listener = listener().await;
    let stream = TcpStream::connect(listener.local_addr().expect("bound"))
        .await
        .expect("it listens");
    let (mut peer, _) = listener.accept().await.expect("it listens");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(hyper_util::rt::TokioIo::new(stream))
        .await
        .expect("a connection");
    let request = request.map(|()| http_body_util::Empty::<bytes::Bytes>::new());
    let mut bytes = Vec::new();
    let reading = async {
        while !bytes.ends_with(b"\r\n\r\n") {
            peer.read_buf(&mut bytes).await.expect("a request");
        }
    };
    tokio::select! {
        () = reading => {}
        _ = connection => panic!("hyper gave up"),
        _ = sender.send_request(request) => panic!("an answer to half a request"),
    }
    bytes
}

#[tokio::test]
async fn requests_are_the_bytes_that_hyper_sends() {
    for (headers, keep_alive, mode) in [
        (HeaderSet::Browser, true, Mode::Every),
        (HeaderSet::Minimal, false, Mode::Latest),
    ] {
        let endpoint = Endpoint {
            headers,
            keep_alive,
            mode,
            ..endpoint(([127, 0, 0, 1], 4_000).into())
        };
        for id in ["short-poll", "long-poll"] {
            let request = |since| {
                let headers = endpoint.headers.headers(Purpose::Fetch, &endpoint.authority);
                get_request(&endpoint, &endpoint.target(id, since), &headers)
            };
            let requests = Requests::new(request).expect("good");
            for since in [
                None,
                Some(Cursor {
                    epoch: 1_763_631_127_000,
                    offset: 42,
                }),
            ] {
                let bytes = requests.bytes(since);
                let one = request(since).expect("good");
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                assert_eq!(text(&bytes), text(&by_hyper(one).await));
            }
        }
    }
}
