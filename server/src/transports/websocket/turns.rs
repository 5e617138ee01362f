//! One socket, two writers: the session's task, which may be tungstenite, and the fan-out.
//!
//! ```text
//! tungstenite (pong, ping, close) -+-> Turns: the turn is taken, what the fan-out left unsent goes first -> Connection
//! session (what it catches up)    -+                                          fan-out, while it has the turn -> Socket
//! ```

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{fanout::Seat, hub::Position, io::Connection};

/// The connection as tungstenite has it: what is written through it (a pong, the answer to a close) takes the turn from the fan-out first.
pub struct Turns {
    connection: Connection,
    pub seat: Seat,
    /// Of the fan-out's last frame, to be written before anything else.
    unsent: Bytes,
}

impl Turns {
    /// `unsent`: what is to be written before anything else.
    pub fn new(connection: Connection, seat: Seat, unsent: Bytes) -> Self {
        Self {
            connection,
            seat,
            unsent,
        }
    }

    /// Takes the turn, where it is not the session's already. Returns how far the session has been served.
    pub fn take(&mut self) -> Position {
        let turn = self.seat.take();
        if !turn.unsent.is_empty() {
            self.unsent = turn.unsent;
        }
        turn.position
    }

    fn poll_unsent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.take();
        while !self.unsent.is_empty() {
            let written = ready!(Pin::new(&mut self.connection).poll_write(cx, &self.unsent))?;
            let _ = self.unsent.split_to(written);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Turns {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_read(cx, buf)
    }
}

impl AsyncWrite for Turns {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_unsent(cx))?;
        Pin::new(&mut self.connection).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_unsent(cx))?;
        Pin::new(&mut self.connection).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_unsent(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_shutdown(cx)
    }
}
