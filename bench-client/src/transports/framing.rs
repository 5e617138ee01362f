//! How many bytes a transport puts on the wire for what: what the model of a row counts with (see [`crate::oracle`]).
//!
//! ```text
//! transports/<id>.rs: requests as the client builds them, answers as they stand on the wire -> Framing -> oracle/bytes.rs
//! ```
//!
//! Requests are measured on the very request that is sent. Answers are written out here as the protocol has them, and not taken
//! from the server's code: a server (or a proxy) that answers with other headers is then seen.

use std::time::Duration;

use server::wire::Cursor;

use super::Endpoint;

/// A transport's bytes, as functions of who asks for what.
pub struct Framing {
    /// A request from where the client stands; without a cursor, the one that opens its session.
    pub request: fn(&Endpoint, Option<Cursor>) -> u64,
    /// The answer to it: a poll's with the updates it brings, a stream's head.
    pub answer: fn(&Endpoint, Answer) -> u64,
    /// What a stream says behind its head, before any update.
    pub preamble: u64,
    /// An encoded update of so many bytes on an open stream; None where updates come in answers.
    pub pushed: Option<fn(Cursor, u64) -> u64>,
    /// What keeps an open stream from passing for dead; None where nothing does.
    pub heartbeat: Option<Heartbeat>,
}

/// A sign of life, every [`HEARTBEAT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heartbeat {
    /// Both ways.
    pub bytes: u64,
    /// True where it comes however much is sent, because it is the client that must show it lives.
    pub even_when_busy: bool,
}

/// The server's default, which its own child keeps.
pub const HEARTBEAT: Duration = Duration::from_secs(15);

/// What an answer brings.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    /// Where the client stands with it.
    pub cursor: Cursor,
    pub updates: u64,
    /// Size of each encoded update.
    pub update_bytes: u64,
}

/// A date as every answer carries it (RFC 9110, 5.6.7): always as long.
pub const DATE: &str = "Thu, 20 Nov 2026 12:00:00 GMT";

/// What a server adds to an answer after which it closes the connection, because the client asked it to.
pub fn close_header(endpoint: &Endpoint) -> &'static str {
    if endpoint.keep_alive {
        ""
    } else {
        "connection: close\r\n"
    }
}
