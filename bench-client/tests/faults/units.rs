//! What a server says, cut into whole things: an answer, a chunk, a frame. Bytes stay as they are, so that a relay that changes nothing
//! adds nothing.

use serde::Deserialize;

/// How what follows a head is framed, by transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Polls: each answer has a head and a `content-length`.
    Answers,
    /// Server-Sent Events: one head, then a chunk per event.
    Chunks,
    /// WebSocket: one head, then a frame per message.
    Frames,
}

/// One whole thing.
#[derive(Debug, Default)]
pub struct Unit {
    /// Status line and headers with the empty line; empty where there is none.
    pub head: Vec<u8>,
    /// What follows, its framing included.
    pub body: Vec<u8>,
}

/// Cuts one connection's bytes.
pub struct Units {
    framing: Framing,
    /// The stream's head has passed.
    streaming: bool,
    unread: Vec<u8>,
}

/// What is read of an update to choose it, and to tell afterwards whether it belonged to the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Stamp {
    pub seq: u64,
    pub due_us: u64,
}

impl Units {
    pub fn new(framing: Framing) -> Self {
        Self {
            framing,
            streaming: false,
            unread: Vec::new(),
        }
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.unread.extend_from_slice(bytes);
    }

    /// The next whole thing, once it is there.
    pub fn next(&mut self) -> Option<Unit> {
        let head = if self.streaming {
            0
        } else {
            position(&self.unread, b"\r\n\r\n")? + 4
        };
        let rest = &self.unread[head..];
        let body = match self.framing {
            Framing::Answers => content_length(&self.unread[..head]),
            // The head of a stream goes on by itself.
            _ if head > 0 => 0,
            Framing::Chunks => chunk(rest)?,
            Framing::Frames => frame(rest)?,
        };
        if rest.len() < body {
            return None;
        }
        self.streaming = self.framing != Framing::Answers;
        let mut head: Vec<u8> = self.unread.drain(..head + body).collect();
        let body = head.split_off(head.len() - body);
        Some(Unit { head, body })
    }
}

/// The update that a chunk or a frame carries; none where it is something else.
pub fn stamp(body: &[u8]) -> Option<Stamp> {
    let json = &body[position(body, br#"{"topic""#)?..];
    serde_json::Deserializer::from_slice(json).into_iter().next()?.ok()
}

pub fn position(bytes: &[u8], of: &[u8]) -> Option<usize> {
    bytes.windows(of.len()).position(|window| window == of)
}

/// Length of the body that this head announces; 0 where it announces none.
fn content_length(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    length.map_or(0, |length| length.trim().parse().expect("a server says a number"))
}

/// Length of a whole chunk (RFC 9112, 7.1).
fn chunk(bytes: &[u8]) -> Option<usize> {
    let line = position(bytes, b"\r\n")?;
    let size = str::from_utf8(&bytes[..line]).expect("a size is text");
    let size = usize::from_str_radix(size, 16).expect("a size is hexadecimal");
    Some(line + 2 + size + 2)
}

/// Length of a whole frame of a server (RFC 6455, 5.2): unmasked.
fn frame(bytes: &[u8]) -> Option<usize> {
    Some(match *bytes.get(1)? {
        126 => 4 + usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)),
        127 => 10 + u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize,
        short => 2 + usize::from(short),
    })
}
