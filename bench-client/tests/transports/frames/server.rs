//! Our server against hostile clients: each gets what RFC 6455 demands, and meanwhile everybody else gets every update.

use std::time::Duration;

use tokio::time::timeout;

use super::{
    bytes::{BINARY_BEGINS, From, GOES_ON, LAST, Length, TEXT_BEGINS},
    table::{Case, Demand, PROTOCOL, Sender, TOO_LARGE, answers, binary, case, goes_on},
};
use crate::{
    rig::{Clients, Follower, assert_same},
    support::{
        TestServer,
        raw::{CLOSE, PING, PONG, Raw, TEXT, WEBSOCKET_HEADERS},
        settings,
    },
};

/// What a client may say at once, and how long a frame is read to its end before it is refused (see the server's README).
const MESSAGE_MAX_BYTES: usize = 4 * 1024;
const FRAME_MAX_BYTES: usize = 16 * 1024;
/// Behind a case that goes on: its answer shows that all before it was read.
const SYNC: &[u8] = b"all read";
/// How long a session that should end may go on.
const PATIENCE: Duration = Duration::from_secs(10);

/// Returns how many cases there were, and what failed.
pub async fn run() -> (usize, Vec<String>) {
    let mut server = TestServer::start(1, settings());
    server.publish(0);
    let mut witnesses = Clients::of(&server).open_all(1).await;
    let cases = cases();
    let mut failed = Vec::new();
    for case in &cases {
        let outcome = play(&mut server, case).await;
        if outcome != case.demand {
            failed.push(format!("server, {}: {outcome:?}, not {:?}", case.name, case.demand));
        }
        let newest = server.hand.published.len() as u64;
        for witness in &mut witnesses {
            witness.through(newest).await;
        }
    }
    for witness in &witnesses {
        witness.assert_never_reset();
        assert_same(&witness.got(), &server.hand.published, witness.name);
    }
    failed.extend(forgotten(&server, &witnesses).await);
    (cases.len(), failed)
}

/// No hostile client may leave a session behind.
async fn forgotten(server: &TestServer, witnesses: &[Follower]) -> Option<String> {
    let left = async || {
        let stats = server.stats().await;
        crate::support::counter(&stats, "websocket", "subscribers")
    };
    let mine = witnesses.iter().filter(|witness| witness.name == "websocket").count() as i64;
    crate::support::until("hostile sessions end", async || left().await <= mine).await;
    let still = left().await;
    (still != mine).then(|| format!("server: {still} sessions, not {mine}"))
}

fn cases() -> Vec<Case> {
    let from = From::Client;
    let sender = Sender {
        from,
        // Whatever it says is read and dropped.
        message: |text| format!(r#"{{"a client has nothing to say here":"{text}"}}"#).into_bytes(),
    };
    let mut cases = sender.cases();
    cases.extend(binary(from).map(|bytes| case("1.2 a binary message", bytes, goes_on(0))));
    // Limits: 9.* within our bounds.
    let full = vec![b'x'; MESSAGE_MAX_BYTES];
    let over = vec![b'x'; MESSAGE_MAX_BYTES + 1];
    let single: Vec<&[u8]> = full.chunks(1).collect();
    let one_more: Vec<&[u8]> = over.chunks(1).collect();
    let tens: Vec<_> = (0..100).flat_map(|_| from.frame(PING, b"flood")).collect();
    cases.extend([
        case("9.1 the largest message", from.text(&full), goes_on(0)),
        case(
            "9.1 a message of a byte more",
            from.text(&over),
            Demand::Fails(TOO_LARGE),
        ),
        case(
            "9.1 the largest frame that is read to its end",
            from.text(&[b'x'; FRAME_MAX_BYTES]),
            Demand::Fails(TOO_LARGE),
        ),
        case(
            "9.1 a frame of a byte more",
            from.text(&[b'x'; FRAME_MAX_BYTES + 1]),
            Demand::Fails(TOO_LARGE),
        ),
        case(
            "9.1 a gigabyte, announced",
            from.written(TEXT, b"x", Length::Announced(1 << 30)),
            Demand::Fails(TOO_LARGE),
        ),
        case(
            "9.3 the largest message in fragments of a byte",
            from.in_parts(TEXT_BEGINS, &single),
            goes_on(0),
        ),
        case(
            "9.4 a byte more in fragments of a byte",
            from.in_parts(BINARY_BEGINS, &one_more),
            Demand::Fails(TOO_LARGE),
        ),
        case(
            "9.5 a thousand empty fragments",
            [
                from.frame(TEXT_BEGINS, b""),
                from.frame(GOES_ON, b"").repeat(1_000),
                from.frame(LAST, b""),
            ]
            .concat(),
            goes_on(0),
        ),
        case(
            "9.7 a thousand empty messages",
            from.text(b"").repeat(1_000),
            goes_on(0),
        ),
        case(
            "9.8 a hundred pings",
            tens,
            Demand::GoesOn {
                pongs: vec![b"flood".to_vec(); 100],
                messages: 0,
            },
        ),
    ]);
    // 5.1: a server MUST close the connection upon an unmasked frame.
    for (kind, first, payload) in [
        ("text", TEXT, &b"hi"[..]),
        ("empty text", TEXT, b""),
        ("ping", PING, b""),
        ("pong", PONG, b""),
        ("close", CLOSE, b"\x03\xe8"),
    ] {
        cases.push(case(
            format!("5.1 an unmasked {kind}"),
            From::Server.frame(first, payload),
            Demand::Fails(PROTOCOL),
        ));
    }
    let masked_ping = from.frame(PING, b"x");
    cases.push(case(
        "5.1 an unmasked text behind a ping",
        [masked_ping, From::Server.text(b"hi")].concat(),
        Demand::Fails(PROTOCOL),
    ));
    for key in [[0xff; 4], [0, 0, 0, 1], *b"mask"] {
        let frame = from.keyed(PING, b"masked", Length::Shortest, key);
        cases.push(case(
            format!("5.3 masking key {key:02x?}"),
            frame,
            answers(&[b"masked"], 0),
        ));
    }
    cases
}

/// Opens a session, plays the case, and says what came of it, in the words of the demand.
async fn play(server: &mut TestServer, case: &Case) -> Demand {
    let mut raw = Raw::connect(server.address).await;
    let since = server.cursor(server.hand.published.len() as u64);
    let head = raw
        .open(&format!("/feed/websocket?since={since}"), &WEBSOCKET_HEADERS)
        .await;
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    server.publish(0);
    let (first, _) = raw.frame().await;
    assert_eq!(first, TEXT, "{}: it is live", case.name);
    for piece in case.bytes.chunks(if case.byte_by_byte { 1 } else { usize::MAX }) {
        raw.send(piece).await;
    }
    if matches!(case.demand, Demand::GoesOn { .. }) {
        raw.send(From::Client.frame(PING, SYNC)).await;
    }
    // What is due while a case is dealt with must not get between.
    server.publish(0);
    let Ok(outcome) = timeout(PATIENCE, outcome(&mut raw, server, case)).await else {
        // Neither an end nor an answer: it goes on, whatever it should do.
        return goes_on(0);
    };
    outcome
}

async fn outcome(raw: &mut Raw, server: &mut TestServer, case: &Case) -> Demand {
    let mut pongs = Vec::new();
    let mut updates = 0;
    loop {
        if raw.peek().await.is_none() {
            // Gone without a close.
            return Demand::Fails(&[]);
        }
        let (first, payload) = raw.frame().await;
        match first {
            PONG if payload == SYNC => break,
            PONG => pongs.push(payload),
            TEXT => updates += 1,
            CLOSE => {
                assert_eq!(raw.rest().await, b"", "{}: nothing behind a close", case.name);
                return closed(case, &payload);
            }
            other => panic!("{}: a frame {other:#x}", case.name),
        }
    }
    server.publish(0);
    while updates < 2 {
        let (first, _) = raw.frame().await;
        assert_eq!(first, TEXT, "{}: it goes on", case.name);
        updates += 1;
    }
    // Messages are read and dropped: that they were read shows in what came behind them.
    let messages = match case.demand {
        Demand::GoesOn { messages, .. } => messages,
        _ => 0,
    };
    Demand::GoesOn { pongs, messages }
}

/// A close frame: an answer to the case's own, or a word on its fault. Both look alike; which is due, the case knows.
fn closed(case: &Case, payload: &[u8]) -> Demand {
    let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
    match (&case.demand, code) {
        (Demand::Fails(codes), Some(code)) if codes.contains(&code) => case.demand.clone(),
        (_, code) => Demand::Closes(code),
    }
}
