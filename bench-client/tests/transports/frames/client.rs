//! Our client against a hostile server: it delivers what is whole and right, or ends the session with an error. Never a wrong update,
//! never silence.
//!
//! ```text
//! update 1, the case, a ping, update 2 -> session.next() until an error, or update 2
//! ```

use bench_client::transports::{SessionError, by_id};
use futures_util::{FutureExt, future::join};

use super::{
    bytes::{From, GOES_ON, LAST, Length, TEXT_BEGINS},
    refusals,
    table::{Case, Demand, PROTOCOL, Sender, TOO_LARGE, answers, binary, case, goes_on},
};
use crate::{
    puppet::{Peer, Puppet, update, update_by},
    rig::{Clients, Follower},
    support::raw::{CLOSE, PING, PONG},
};

/// Offsets of the updates around a case, and of those within.
const BEFORE: u64 = 1;
const WITHIN: u64 = 2;
const BEHIND: u64 = 3;
/// The largest message that our client takes.
const MESSAGE_MAX_BYTES: usize = 256 * 1024;
const SYNC: &[u8] = b"all read";
/// Not understood: the protocol of the feed has no word for it, and RFC 6455 none against it.
const NOT_UNDERSTOOD: &[u16] = &[];

/// Returns how many cases there were, and what failed.
pub async fn run() -> (usize, Vec<String>) {
    let puppet = Puppet::start().await;
    let clients = puppet.clients();
    let cases = cases();
    let mut failed = Vec::new();
    for case in &cases {
        if let Err(error) = play(&puppet, &clients, case).await {
            failed.push(format!("client, {}: {error}", case.name));
        }
    }
    let (refusals, taken) = refusals::run(&puppet, &clients).await;
    failed.extend(taken);
    (cases.len() + refusals, failed)
}

fn cases() -> Vec<Case> {
    let from = From::Server;
    let sender = Sender {
        from,
        message: |text| update_by(WITHIN, text).into_bytes(),
    };
    let mut cases = sender.cases();
    let not_understood = |name: String, bytes: Vec<u8>| case(name, bytes, Demand::Fails(NOT_UNDERSTOOD));
    cases.extend(binary(from).map(|bytes| not_understood("1.2 a binary message".into(), bytes)));
    let whole = update(WITHIN);
    cases.push(not_understood(
        "1.2 an update in a binary message".into(),
        from.frame(0x82, whole.as_bytes()),
    ));
    for text in [
        "",
        " ",
        "{",
        "[]",
        "null",
        "1",
        "\"update\"",
        "{}",
        "{\"reset\"",
        "{\"reset\":{}}",
        "{\"reset\":{\"reason\":\"evicted\"}}",
        "{\"reset\":{\"reason\":\"no such\"},\"cursor\":\"1-1\"}",
        "{\"reset\":{\"reason\":\"evicted\"},\"cursor\":\"x\"}",
    ] {
        cases.push(not_understood(format!("a text {text:?}"), from.text(text.as_bytes())));
    }
    for (from_text, to_text) in [
        ("match-1", "match-9"),
        ("\"offset\":2", "\"offset\":-2"),
        ("\"offset\":2", "\"offset\":2.5"),
        ("\"offset\":2", "\"offset\":18446744073709551616"),
        ("\"seq\":2", "\"seq\":\"2\""),
        ("\"home_score\":2", "\"home_score\":65536"),
        ("\"seq\":2", "\"no_seq\":2"),
    ] {
        let broken = whole.replacen(from_text, to_text, 1);
        assert_ne!(broken, whole);
        cases.push(not_understood(
            format!("an update with {to_text}"),
            from.text(broken.as_bytes()),
        ));
    }
    cases.push(not_understood(
        "half an update".into(),
        from.text(&whole.as_bytes()[..whole.len() / 2]),
    ));
    cases.push(not_understood(
        "two updates in a message".into(),
        from.text(format!("{whole}{whole}").as_bytes()),
    ));
    // 5.1: a client MUST close a connection if it detects a masked frame.
    for (kind, first, payload) in [
        ("text", 0x81, whole.as_bytes()),
        ("ping", PING, b"x"),
        ("pong", PONG, b""),
        ("close", CLOSE, b"\x03\xe8"),
    ] {
        cases.push(case(
            format!("5.1 a masked {kind}"),
            From::Client.frame(first, payload),
            Demand::Fails(PROTOCOL),
        ));
    }
    let large = update_by(WITHIN, &"x".repeat(MESSAGE_MAX_BYTES - 1_000)).into_bytes();
    let over = vec![b' '; MESSAGE_MAX_BYTES + 1];
    let parts: Vec<_> = large.chunks(1_000).collect();
    let over_parts: Vec<_> = over.chunks(1_000).collect();
    cases.extend([
        case("9.1 a large update", from.text(&large), goes_on(1)),
        case(
            "9.3 a large update in fragments",
            from.in_parts(TEXT_BEGINS, &parts),
            goes_on(1),
        ),
        case(
            "9.1 a message of a byte too much",
            from.text(&over),
            Demand::Fails(TOO_LARGE),
        ),
        case(
            "9.3 the same in fragments",
            from.in_parts(TEXT_BEGINS, &over_parts),
            Demand::Fails(TOO_LARGE),
        ),
        case(
            "9.1 a gigabyte, announced",
            from.written(0x81, b"x", Length::Announced(1 << 30)),
            Demand::Fails(TOO_LARGE),
        ),
        case(
            "9.5 a thousand empty fragments",
            [
                from.frame(TEXT_BEGINS, b""),
                from.frame(GOES_ON, b"").repeat(1_000),
                from.frame(LAST, whole.as_bytes()),
            ]
            .concat(),
            goes_on(1),
        ),
        case(
            "9.8 pings and pongs",
            from.frame(PONG, b"x")
                .repeat(500)
                .into_iter()
                .chain(from.frame(PING, b"last"))
                .collect::<Vec<_>>(),
            answers(&[b"last"], 0),
        ),
    ]);
    cases
}

/// Plays a case between two updates, and compares what the session made of it with the demand.
async fn play(puppet: &Puppet, clients: &Clients, case: &Case) -> Result<(), String> {
    let row = by_id("websocket").expect("a row");
    let opening = async {
        let mut peer = puppet.accept().await;
        peer.raw.send(peer.switching()).await;
        peer.raw.send(From::Server.text(update(BEFORE).as_bytes())).await;
        peer
    };
    let (mut peer, opened) = join(opening, clients.try_open(row, None)).await;
    let mut follower = opened.map_err(|error| format!("not opened: {error}"))?;
    while follower.updates.is_empty() {
        follower
            .next()
            .await
            .map_err(|error| format!("before the case: {error}"))?;
    }
    let hostile = async {
        let behind = [
            From::Server.frame(PING, SYNC),
            From::Server.text(update(BEHIND).as_bytes()),
        ]
        .concat();
        for piece in case.bytes.chunks(if case.byte_by_byte { 1 } else { usize::MAX }) {
            // A client that has gone takes no more.
            if peer.try_send(piece).await.is_err() {
                return;
            }
        }
        let _ = peer.try_send(&behind).await;
    };
    let (_, ended) = join(hostile, end(&mut follower)).await;
    // A pong that could not be written at once, because this task had used up its turn, leaves when the session is looked at again.
    tokio::task::yield_now().await;
    if ended.is_none() {
        let _ = follower.next().now_or_never();
    }
    let got: Vec<_> = follower.updates.iter().map(|update| update.cursor.offset).collect();
    let held = follower.session.cursor().map(|cursor| cursor.offset);
    drop(follower);
    let said = said(&mut peer).await;
    judge(&case.demand, ended, &got, held, &said)
}

/// Follows until the update behind the case, or until an error.
async fn end(follower: &mut Follower) -> Option<SessionError> {
    while follower.updates.last().is_none_or(|last| last.cursor.offset < BEHIND) {
        if let Err(error) = follower.next().await {
            return Some(error);
        }
    }
    None
}

/// Everything the client said, to the end of its connection.
async fn said(peer: &mut Peer) -> Vec<(u8, Vec<u8>)> {
    let mut said = Vec::new();
    while let Some(frame) = peer.frame().await {
        said.push(frame);
    }
    said
}

fn judge(
    demand: &Demand,
    ended: Option<SessionError>,
    got: &[u64],
    held: Option<u64>,
    said: &[(u8, Vec<u8>)],
) -> Result<(), String> {
    let closes: Vec<_> = said.iter().filter(|(first, _)| *first == CLOSE).collect();
    let pongs: Vec<_> = said
        .iter()
        .filter(|(first, _)| *first == PONG)
        .map(|(_, payload)| payload.clone())
        .collect();
    // What was held is what was handed out, or the next session would ask for the wrong thing.
    if held != got.last().copied() {
        return Err(format!("it holds {held:?} and handed out {got:?}"));
    }
    match (demand, ended) {
        (Demand::GoesOn { pongs: due, messages }, None) => {
            let within = vec![WITHIN; *messages];
            let updates = [vec![BEFORE], within, vec![BEHIND]].concat();
            let due: Vec<_> = due.iter().cloned().chain([SYNC.to_vec()]).collect();
            if got != updates {
                return Err(format!("updates {got:?}, not {updates:?}"));
            }
            (pongs == due)
                .then_some(())
                .ok_or_else(|| format!("pongs {pongs:?}, not {due:?}"))
        }
        (Demand::Fails(_), Some(SessionError::WebSocket(_) | SessionError::Protocol(_))) => {
            // Whole messages that came before the fault are right.
            let fair = got.first() == Some(&BEFORE) && got[1..].iter().all(|offset| *offset == WITHIN);
            fair.then_some(()).ok_or_else(|| format!("updates {got:?}"))
        }
        // A code that may not be sent is answered as the fault it is, and ends the session like any close.
        (Demand::Fails(_), Some(SessionError::Ended)) if !closes.is_empty() => Ok(()),
        (Demand::Closes(code), Some(SessionError::Ended)) => {
            let expected = code.map_or(Vec::new(), |code| code.to_be_bytes().to_vec());
            match closes[..] {
                [(_, payload)] if payload.get(..2).unwrap_or_default() == expected => Ok(()),
                _ => Err(format!("the close was answered with {said:?}")),
            }
        }
        (_, ended) => Err(format!("ended with {ended:?} after updates {got:?}, not {demand:?}")),
    }
}
