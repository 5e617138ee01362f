//! Event streams at the edges of the standard and beyond (WHATWG HTML, 9.2), from a server that is none, to our client.
//!
//! Each piece is a chunk of its own, so that the reader gets it as it was cut. What the standard allows is read; the rest ends the
//! session with an error, and what was handed out until then is right.

use bench_client::transports::{SessionError, by_id};
use futures_util::future::join;

use crate::{
    puppet::{Puppet, cursor, event, update, update_by},
    rig::{Clients, Follower},
};

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
/// The longest event that our client waits for the end of.
const EVENT_MAX_BYTES: usize = 1024 * 1024;

/// How the session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The stream ended in good order.
    Ended,
    /// The client said what is wrong.
    Refused,
}

struct Stream {
    name: String,
    pieces: Vec<Vec<u8>>,
    /// Offsets of what must be handed out.
    updates: Vec<u64>,
    end: End,
}

fn stream(name: &str, body: impl AsRef<[u8]>, updates: &[u64], end: End) -> Stream {
    Stream {
        name: name.to_owned(),
        pieces: vec![body.as_ref().to_vec()],
        updates: updates.to_vec(),
        end,
    }
}

fn streams() -> Vec<Stream> {
    use End::{Ended, Refused};
    let (one, two) = (event(1), event(2));
    let both = format!("{one}{two}");
    let with = |middle: &str| format!("{one}{middle}{two}");
    let kind = |kind: &str| format!("{kind}data: {}\nid: {}\n\n", update(2), cursor(2));
    let id = |id: &str| format!("event: update\ndata: {}\n{id}\n", update(2));
    let mut line_ends = ["\r", "\n", "\r\n", "\n", "\r"].into_iter().cycle();
    let mixed: String = both
        .split_inclusive('\n')
        .map(|line| line.replace('\n', line_ends.next().unwrap_or("\n")))
        .collect();
    let large = |bytes: usize| {
        format!(
            "event: update\ndata: {}\nid: {}\n\n",
            update_by(2, &"x".repeat(bytes)),
            cursor(2)
        )
    };
    let two_lines = kind("event: update\n").replacen(",\"seq\"", ",\ndata: \"seq\"", 1);
    let mut streams = vec![
        stream("two events", &both, &[1, 2], Ended),
        stream("a byte order mark", format!("\u{feff}{both}"), &[1, 2], Ended),
        stream("CR", both.replace('\n', "\r"), &[1, 2], Ended),
        stream("CRLF", both.replace('\n', "\r\n"), &[1, 2], Ended),
        stream("CR, LF and CRLF in turn", mixed, &[1, 2], Ended),
        stream(
            "comments",
            with(":\n:x\n: data: y\n\n:\r:\r\n:\n\n\n\n"),
            &[1, 2],
            Ended,
        ),
        stream(
            "retry of anything",
            with("retry: x\nretry\nretry: -1\nretry: 99999999999999999999\nretry:\n\n"),
            &[1, 2],
            Ended,
        ),
        stream(
            "unknown fields",
            with("foo: bar\nfoo\nDATA: x\n data: x\n\n"),
            &[1, 2],
            Ended,
        ),
        stream(
            "no space behind colons",
            one.replacen(": ", ":", 2) + &two,
            &[1, 2],
            Ended,
        ),
        stream("data in two lines", format!("{one}{two_lines}"), &[1, 2], Ended),
        stream("an event without data", with("event: update\n\n"), &[1, 2], Ended),
        stream("an id alone", with(&format!("id: {}\n\n", cursor(1))), &[1, 2], Ended),
        stream(
            "no empty line at the end",
            both.strip_suffix('\n').unwrap_or_default(),
            &[1],
            Ended,
        ),
        stream(
            "no line end at the end",
            both.strip_suffix("\n\n").unwrap_or_default(),
            &[1],
            Ended,
        ),
        stream("nothing", "", &[], Ended),
        stream("a large update", format!("{one}{}", large(900_000)), &[1, 2], Ended),
        stream(
            "an update that is too large",
            format!("{one}{}", large(2 * EVENT_MAX_BYTES)),
            &[1],
            Refused,
        ),
        stream(
            "an endless line",
            format!("{one}{}", "x".repeat(EVENT_MAX_BYTES + 1)),
            &[1],
            Refused,
        ),
        stream(
            "an endless comment",
            format!("{one}:{}", "x".repeat(EVENT_MAX_BYTES)),
            &[1],
            Refused,
        ),
        stream(
            "an endless event of short lines",
            format!("{one}{}", "data: x\n".repeat(EVENT_MAX_BYTES / 8 + 1)),
            &[1],
            Refused,
        ),
        stream("an unknown kind", with(&kind("event: goal\n")), &[1], Refused),
        stream("no kind", with(&kind("")), &[1], Refused),
        stream("two kinds", with(&kind("event: update\nevent: goal\n")), &[1], Refused),
        stream("data without a value", with("event: update\ndata\n\n"), &[1], Refused),
        stream(
            "data that is no update",
            with("event: update\ndata: {}\n\n"),
            &[1],
            Refused,
        ),
        stream(
            "half an update",
            with("event: update\ndata: {\"topic\":\n\n"),
            &[1],
            Refused,
        ),
        stream("an update without an id", with(&id("")), &[1], Refused),
        stream("an id that is no cursor", with(&id("id: 2\n")), &[1], Refused),
        stream("an id with NUL", with(&id("id: 1\u{0}-2\n")), &[1], Refused),
        stream(
            "the id of another update",
            with(&id(&format!("id: {}\n", cursor(7)))),
            &[1],
            Refused,
        ),
        stream("a reset of nothing", with("event: reset\ndata: {}\n\n"), &[1], Refused),
        stream(
            "a reset for a reason that is none",
            with("event: reset\ndata: {\"reason\":\"boredom\"}\n\n"),
            &[1],
            Refused,
        ),
        stream(
            "bytes that are no text",
            [one.as_bytes(), b"data: \xff\xfe\n\n", two.as_bytes()].concat(),
            &[1],
            Refused,
        ),
        stream(
            "half a character",
            [one.as_bytes(), b"data: \xc3\n\n", two.as_bytes()].concat(),
            &[1],
            Refused,
        ),
        stream(
            "the head of another answer",
            with("HTTP/1.1 200 OK\r\n\r\n"),
            &[1, 2],
            Ended,
        ),
    ];
    let again = streams
        .iter()
        .filter(|stream| stream.pieces[0].len() < 2_000)
        .map(|stream| Stream {
            name: format!("{}, byte by byte", stream.name),
            pieces: stream.pieces[0].chunks(1).map(<[u8]>::to_vec).collect(),
            updates: stream.updates.clone(),
            end: stream.end,
        });
    let again: Vec<_> = again.collect();
    streams.extend(again);
    // Within the ö of a player.
    let within = both.find('ö').expect("a player has one") + 1;
    let (first, second) = both.as_bytes().split_at(within);
    let mut split = stream("split within a character", "", &[1, 2], Ended);
    split.pieces = vec![first.to_vec(), second.to_vec()];
    streams.push(split);
    streams
}

#[tokio::test]
async fn streams_at_the_edge_are_read_and_those_beyond_are_refused() {
    let puppet = Puppet::start().await;
    let clients = puppet.clients();
    for stream in streams() {
        let mut bytes = HEAD.as_bytes().to_vec();
        for piece in stream.pieces.iter().filter(|piece| !piece.is_empty()) {
            bytes.extend(format!("{:x}\r\n", piece.len()).as_bytes());
            bytes.extend(piece);
            bytes.extend(b"\r\n");
        }
        bytes.extend(b"0\r\n\r\n");
        let (follower, ended) = follow(&puppet, &clients, &bytes).await;
        let name = &stream.name;
        let got: Vec<_> = follower.updates.iter().map(|update| update.cursor.offset).collect();
        assert_eq!(got, stream.updates, "{name}, which ended with {ended:?}");
        follower.assert_never_reset();
        let held = follower.session.cursor().map(|cursor| cursor.offset);
        assert_eq!(held, got.last().copied(), "{name}: what is held is what was handed out");
        match (&ended, stream.end) {
            (SessionError::Ended, End::Ended) | (SessionError::Protocol(_), End::Refused) => {}
            _ => panic!("{name}: {ended:?}, not {:?}", stream.end),
        }
    }
}

/// Chunks that are none, and a stream that breaks off: an error below the stream.
#[tokio::test]
async fn broken_chunks_end_the_session() {
    let puppet = Puppet::start().await;
    let clients = puppet.clients();
    let one = event(1);
    let whole = format!("{HEAD}{:x}\r\n{one}\r\n", one.len());
    for broken in [
        "zz\r\n",
        "-1\r\nx\r\n",
        "fffffffffffffffff\r\nx\r\n",
        "5\r\nxxxxxxxxx\r\n",
        "\r\n\r\n",
        "400\r\nxx",
        "",
    ] {
        let (follower, ended) = follow(&puppet, &clients, format!("{whole}{broken}").as_bytes()).await;
        assert_eq!(follower.updates.len(), 1, "{broken:?}");
        assert!(matches!(ended, SessionError::Http(_)), "{broken:?}: {ended:?}");
    }
}

#[tokio::test]
async fn answers_that_are_no_stream_are_refused() {
    let puppet = Puppet::start().await;
    let clients = puppet.clients();
    let row = by_id("sse").expect("a row");
    let body = format!("content-length: {}\r\n\r\n{}", event(1).len(), event(1));
    for head in [
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n",
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-streams\r\n",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 204 No Content\r\ncontent-type: text/event-stream\r\n",
        "HTTP/1.1 301 Moved Permanently\r\nlocation: /elsewhere\r\ncontent-type: text/event-stream\r\n",
        "HTTP/1.1 500 Internal Server Error\r\ncontent-type: text/event-stream\r\n",
        "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-type: text/event-stream\r\n",
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx : y\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
    ] {
        let answering = async {
            let mut peer = puppet.accept().await;
            let _ = peer.try_send(format!("{head}{body}").as_bytes()).await;
        };
        let (_, opened) = join(answering, clients.try_open(row, None)).await;
        assert!(opened.is_err(), "{head:?} was taken for a stream");
    }
    let shouted = "HTTP/1.1 200 OK\r\ncontent-type: TEXT/Event-Stream ; charset=utf-8\r\n";
    let (follower, ended) = follow(&puppet, &clients, format!("{shouted}{body}").as_bytes()).await;
    assert_eq!(follower.updates.len(), 1, "{ended:?}");
}

/// Answers one session with these bytes and closes; follows it to its end.
async fn follow(puppet: &Puppet, clients: &Clients, bytes: &[u8]) -> (Follower, SessionError) {
    let answering = async {
        let mut peer = puppet.accept().await;
        // It may have enough before the end.
        let _ = peer.try_send(bytes).await;
    };
    let following = async {
        let mut follower = clients.open(by_id("sse").expect("a row"), None).await;
        loop {
            if let Err(error) = follower.next().await {
                return (follower, error);
            }
        }
    };
    let ((), done) = join(answering, following).await;
    done
}
