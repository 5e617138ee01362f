//! Frames that break RFC 6455 or are at its edges, and what it demands of whoever gets them. Sections as Autobahn|Testsuite has them.

mod fragments;
mod messages;
mod single;

use super::bytes::{BINARY, BINARY_BEGINS, From};

pub const PROTOCOL: &[u16] = &[1002];
pub const NOT_TEXT: &[u16] = &[1007];
pub const TOO_LARGE: &[u16] = &[1009];

/// What the receiver must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Demand {
    /// The session goes on: pings are answered with these pongs, in this order; so many of the messages are what
    /// [`Sender::message`] makes, whole.
    GoesOn { pongs: Vec<Vec<u8>>, messages: usize },
    /// The session fails, with one of these close codes where one is said (7.1.7).
    Fails(&'static [u16]),
    /// The closing handshake: the Close is answered with the same code, or with none (5.5.1).
    Closes(Option<u16>),
}

pub fn goes_on(messages: usize) -> Demand {
    Demand::GoesOn {
        pongs: Vec::new(),
        messages,
    }
}

pub fn answers(pongs: &[&[u8]], messages: usize) -> Demand {
    Demand::GoesOn {
        pongs: pongs.iter().map(|pong| pong.to_vec()).collect(),
        messages,
    }
}

/// Bytes for a receiver, and its duty.
pub struct Case {
    pub name: String,
    pub bytes: Vec<u8>,
    /// Sent one by one, so that each read brings little.
    pub byte_by_byte: bool,
    pub demand: Demand,
}

pub fn case(name: impl Into<String>, bytes: impl Into<Vec<u8>>, demand: Demand) -> Case {
    Case {
        name: name.into(),
        bytes: bytes.into(),
        byte_by_byte: false,
        demand,
    }
}

/// Who sends the cases, and a message that its receiver understands, with a text of one's own in it.
pub struct Sender {
    pub from: From,
    pub message: fn(&str) -> Vec<u8>,
}

impl Sender {
    /// What holds in both directions.
    pub fn cases(&self) -> Vec<Case> {
        let parts = [
            self.framing(),
            self.pings(),
            self.reserved(),
            self.fragments(),
            self.texts(),
            self.closes(),
        ];
        let mut cases: Vec<_> = parts.into_iter().flatten().collect();
        // Once more byte by byte, where it is not long: nothing may hang on how bytes fall into reads.
        let short = cases.iter().filter(|case| case.bytes.len() < 600);
        let again = short.map(|case| Case {
            name: format!("{}, byte by byte", case.name),
            bytes: case.bytes.clone(),
            byte_by_byte: true,
            demand: case.demand.clone(),
        });
        let again: Vec<_> = again.collect();
        cases.extend(again);
        cases
    }
}

/// Binary messages break no rule; what they come to is the receiver's own matter.
pub fn binary(from: From) -> [Vec<u8>; 3] {
    [
        from.frame(BINARY, b""),
        from.frame(BINARY, b"\xff\xfe\x00"),
        from.in_parts(BINARY_BEGINS, &[b"\xff", b"\xfe"]),
    ]
}
