//! The client's parsers under attack: for each a `check` of any bytes, which says what holds whatever they are.
//!
//! ```text
//! proptest (tests below each check) -+-> check(bytes) -> the real parser -> assertions
//! cargo fuzz (bench-client/fuzz/)   -+
//! ```
//!
//! Both ask the very same function, so an input that one finds can be given to the other. Compiled for tests and for the feature
//! `fuzzing` alone: nothing that is run has it. What the server reads is checked there.

#[cfg(test)]
use cases::cases;
use server::wire::Cursor;

use crate::transports::{Arrivals, SessionError, TopicIndex, decode::Decoder};

#[cfg(test)]
#[path = "../../server/src/properties/cases.rs"]
mod cases;
pub mod message;
pub mod mutate;
pub mod poll;
pub mod record;
pub mod scenario;
pub mod sse;
pub mod threshold;

/// No fault is told with more words, whatever a server sent: errors are kept.
const FAULT_MAX_BYTES: usize = 2_000;
const RECEIVED_US: u64 = 7;

/// The topics that updates may be of.
fn topics() -> TopicIndex {
    [("match-1".to_owned(), 0), ("match-2".to_owned(), 1)].into()
}

/// A new session's.
fn decoder() -> Decoder {
    Decoder::new(topics().into())
}

/// What is refused brought nothing, and is told in bounded words.
fn refused(error: &SessionError, arrivals: &Arrivals) {
    let said = error.to_string();
    assert!(said.len() < FAULT_MAX_BYTES, "{} bytes of error: {said}", said.len());
    assert!(
        arrivals.updates.is_empty() && !arrivals.reset,
        "refused, and taken all the same: {said}"
    );
}

/// An update is told as it stands in the JSON, by a reader that knows nothing of updates.
fn is_told(json: &str, arrival: &crate::transports::Arrival) {
    assert_eq!((arrival.bytes as usize, arrival.received_us), (json.len(), RECEIVED_US));
    // It goes less deep into what the client skips.
    let Ok(value) = serde_json::from_str::<serde_json::Value>(json) else {
        return;
    };
    let Cursor { epoch, offset } = arrival.cursor;
    let numbers = [
        ("epoch", epoch),
        ("offset", offset),
        ("seq", arrival.seq),
        ("due_us", arrival.due_us),
        ("home_score", arrival.home_score.into()),
        ("away_score", arrival.away_score.into()),
    ];
    for (name, number) in numbers {
        assert_eq!(value[name].as_u64(), Some(number), "{name} of {json}");
    }
    assert_eq!(
        topics().get(value["topic"].as_str().expect("a name")),
        Some(&arrival.topic)
    );
}

/// Updates as the server encodes them, with hostile names.
#[cfg(test)]
fn update() -> impl proptest::strategy::Strategy<Value = server::wire::Update<'static>> {
    use proptest::prelude::*;
    let numbers = (any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>());
    (
        numbers,
        any::<(u16, u16)>(),
        1..=2u8,
        ".{0,20}",
        prop::option::of("x{0,30}"),
    )
        .prop_map(
            |((epoch, offset, seq, due_us), (home_score, away_score), topic, name, pad)| server::wire::Update {
                topic: format!("match-{topic}").into(),
                epoch,
                offset,
                seq,
                due_us,
                sent_us: due_us,
                home: name.clone().into(),
                away: name.clone().into(),
                home_score,
                away_score,
                minute: 0,
                event: "goal".into(),
                player: name.into(),
                pad: pad.map(Into::into),
            },
        )
}

/// A byte of a text replaced, put in or taken out: unlike a changed value, written anew, it stays spelled as the server spells it.
#[cfg(test)]
type Edit = (proptest::sample::Index, u8, u8);

/// A few of them.
#[cfg(test)]
fn edits() -> impl proptest::strategy::Strategy<Value = Vec<Edit>> {
    use proptest::prelude::*;
    let bytes = prop::sample::select(&b"\"\\{}[],:0129.-+eE \n\x00\x7fx\xc3"[..]);
    prop::collection::vec((any::<prop::sample::Index>(), 0..3u8, bytes), 0..4)
}

#[cfg(test)]
fn edited(text: &str, edits: &[Edit]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for (at, how, byte) in edits {
        let at = at.index(bytes.len());
        match how {
            0 => bytes[at] = *byte,
            1 => bytes.insert(at, *byte),
            _ => drop(bytes.remove(at)),
        }
    }
    bytes
}

/// An update's JSON.
#[cfg(test)]
fn encoded(update: &server::wire::Update<'_>) -> String {
    serde_json::to_string(update).expect("plain data")
}
