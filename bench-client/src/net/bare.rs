//! Sockets without a runtime, for a reader with an event loop of its own: opened, counted and timed as all others of the load.
//!
//! ```text
//! connect_bare() -> Connecting -(writable)-> Bare: send(), receive() into the reader's buffer -> floor/client.rs
//! ```

use std::{
    io::{self, Read, Write},
    net::SocketAddr,
};

use mio::net::TcpStream;

use super::{Net, count, count_more_segments, sources};
use crate::sockets::Watched;

/// A connection under way: there, or refused, when it is writable.
pub struct Connecting(TcpStream);

/// A counted connection that never blocks.
pub struct Bare(Watched<TcpStream>);

/// What one read brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// So many bytes, and when the read returned: µs since 1970 by the server's clock.
    Bytes { bytes: usize, at_us: u64 },
    /// Nothing is there yet.
    Nothing,
    /// The peer has ended its stream.
    End,
}

impl Net {
    /// Begins one real connection.
    pub fn connect_bare(&self, address: SocketAddr) -> io::Result<Connecting> {
        let stream = match self.sources.next(address) {
            None => TcpStream::connect(address)?,
            Some(source) => TcpStream::from_std(sources::connect_from(source, address)?),
        };
        Ok(Connecting(stream))
    }
}

impl Connecting {
    /// What the event loop watches, from now until the connection is closed.
    pub fn source(&mut self) -> &mut TcpStream {
        &mut self.0
    }

    /// The connection, or itself where it is still under way.
    ///
    /// # Errors
    /// Why there is none.
    pub fn finish(self, net: &Net) -> io::Result<Result<Bare, Self>> {
        if let Some(error) = self.0.take_error()? {
            return Err(error);
        }
        match self.0.peer_addr() {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => return Ok(Err(self)),
            peer => peer?,
        };
        self.0.set_nodelay(true)?;
        count(&net.counters.connections, 1);
        Ok(Ok(Bare(Watched::new(self.0, net.sockets.clone()))))
    }
}

impl Bare {
    /// Writes what the socket takes now, and says how much; 0 where it takes nothing yet.
    pub fn send(&self, net: &Net, bytes: &[u8]) -> io::Result<usize> {
        match (&self.0.stream).write(bytes) {
            Err(error) if later(&error) => Ok(0),
            result => {
                self.0.noticed(&result);
                let written = result?;
                count(&net.counters.bytes_sent, written as u64);
                count_more_segments(&net.counters.more_segments_sent, written);
                Ok(written)
            }
        }
    }

    /// Reads once.
    pub fn receive(&self, net: &Net, buffer: &mut [u8]) -> io::Result<Received> {
        match (&self.0.stream).read(buffer) {
            Err(error) if later(&error) => Ok(Received::Nothing),
            result => {
                let at_us = net.clock.now_us();
                self.0.noticed(&result);
                let bytes = result?;
                if bytes == 0 {
                    return Ok(Received::End);
                }
                count(&net.counters.bytes_received, bytes as u64);
                count_more_segments(&net.counters.more_segments_received, bytes);
                Ok(Received::Bytes { bytes, at_us })
            }
        }
    }
}

/// An edge-triggered loop is told when to ask again.
fn later(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}
