//! One socket of the null server: what it has said so far, and what it would not take yet.

use std::{
    io::{self, Read, Write},
    time::Instant,
};

use bytes::{Buf, BytesMut};
use mio::net::TcpStream;

use super::request::Kind;
use crate::{http::FeedQuery, stats::GaugeGuard, wire::Cursor};

/// What waits for a socket that takes nothing. The first frame always waits, however large: a client must get on.
const BACKLOG_MAX_BYTES: usize = 1024 * 1024;
/// A request's head, and what is sent behind one that is still held.
const UNREAD_MAX_BYTES: usize = 16 * 1024;

/// A client's connection.
pub struct Connection {
    stream: TcpStream,
    /// Sent by the client, not understood yet; unused once it is a stream.
    pub unread: Vec<u8>,
    /// Written when the socket takes bytes again.
    backlog: BytesMut,
    /// What it waits for; None between two polls.
    pub waits: Option<Waits>,
    /// Closed as soon as everything is written.
    pub last: bool,
    _open: GaugeGuard,
}

/// A stream, or a poll that is held.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    pub kind: Kind,
    pub query: FeedQuery,
    /// Everything it follows up to here has been written to it, or was held by it already.
    pub held: Cursor,
    /// When a held poll is answered without news; None for a stream.
    pub until: Option<Instant>,
    /// The connection ends with the answer.
    pub close: bool,
}

/// Why a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The client went, or said nothing that is understood.
    Closed,
    /// It takes less than it is sent.
    TooSlow,
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Closed
    }
}

impl Connection {
    pub fn new(stream: TcpStream, open: GaugeGuard) -> Self {
        Self {
            stream,
            unread: Vec::new(),
            backlog: BytesMut::new(),
            waits: None,
            last: false,
            _open: open,
        }
    }

    /// Writes now; what the socket does not take waits in its turn.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), End> {
        if !self.backlog.is_empty() {
            if self.backlog.len() + bytes.len() > BACKLOG_MAX_BYTES {
                return Err(End::TooSlow);
            }
            self.backlog.extend_from_slice(bytes);
            return Ok(());
        }
        let written = write_some(&mut self.stream, bytes)?;
        self.backlog.extend_from_slice(&bytes[written..]);
        self.done()
    }

    /// Goes on with what waits, when the socket takes bytes again.
    pub fn flush(&mut self) -> Result<(), End> {
        if !self.backlog.is_empty() {
            let written = write_some(&mut self.stream, &self.backlog)?;
            self.backlog.advance(written);
        }
        self.done()
    }

    fn done(&self) -> Result<(), End> {
        match self.last && self.backlog.is_empty() {
            true => Err(End::Closed),
            false => Ok(()),
        }
    }

    /// Takes in what the client has sent. Streams have nothing to say: theirs is dropped.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<(), End> {
        loop {
            match self.stream.read(buffer) {
                Ok(0) => return Err(End::Closed),
                Ok(read) => {
                    if !self.is_stream() {
                        self.unread.extend_from_slice(&buffer[..read]);
                    }
                    if self.unread.len() > UNREAD_MAX_BYTES {
                        return Err(End::Closed);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn is_stream(&self) -> bool {
        self.waits.is_some_and(|waits| waits.until.is_none())
    }
}

/// As much as the socket takes: to the end, or until it would block, so that it says when it takes more.
fn write_some(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let mut written = 0;
    while written < bytes.len() {
        match stream.write(&bytes[written..]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => written += n,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(written)
}
