//! tungstenite on a counted stream: the handshake straight on it, and later only the bytes that it is given.
//!
//! ```text
//! handshake:  Stream -> Link -> tungstenite, up to the end of the head; what came behind it waits in `behind`
//! afterwards: give(bytes) -> Link -> tungstenite -> replies -> Stream
//! ```

use std::{
    future::poll_fn,
    io::{self, Read, Write},
    pin::Pin,
    task::{Context, Poll, Waker},
};

use bytes::{Buf, BytesMut};
use http::Request;
use tokio::io::AsyncWrite;
use tokio_tungstenite::tungstenite::{
    ClientHandshake, Error, HandshakeError, WebSocket,
    handshake::client::Response,
    protocol::{Role, WebSocketConfig},
};

use crate::{
    net::{Lent, Stream},
    transports::http::head_end,
};

/// What tungstenite reads from and writes to.
pub struct Link {
    stream: Stream,
    /// Who waits for the stream.
    waker: Waker,
    /// In the handshake; afterwards nothing is read from the stream here.
    shaking_hands: bool,
    /// The head so far.
    head: Vec<u8>,
    /// Bytes for tungstenite; in the handshake also what came behind the head.
    given: BytesMut,
    /// So many of them, from the first on, are the head's.
    of_head: usize,
    /// The stream has ended, and with what was given it is at its end.
    ended: bool,
}

/// Performs tungstenite's handshake, which leaves it without a byte of what follows.
pub async fn shake_hands(
    stream: Stream,
    request: Request<()>,
    config: WebSocketConfig,
) -> Result<(WebSocket<Link>, Response), Error> {
    let link = Link {
        stream,
        waker: Waker::noop().clone(),
        shaking_hands: true,
        head: Vec::new(),
        given: BytesMut::new(),
        of_head: 0,
        ended: false,
    };
    let mut under_way = Some(ClientHandshake::start(link, request, Some(config))?);
    poll_fn(|cx| {
        // It is put back whenever it is to be polled again.
        let Some(mut shaking) = under_way.take() else {
            return Poll::Pending;
        };
        shaking.get_mut().get_mut().wake(cx.waker());
        match shaking.handshake() {
            Ok((socket, answer)) => {
                // The room in which it read the head goes with it: 4 KiB, in which nothing is left.
                let mut link = socket.into_inner();
                (link.shaking_hands, link.head) = (false, Vec::new());
                let socket = WebSocket::from_raw_socket(link, Role::Client, Some(config));
                Poll::Ready(Ok((socket, answer)))
            }
            Err(HandshakeError::Failure(error)) => Poll::Ready(Err(error)),
            Err(HandshakeError::Interrupted(shaking)) => {
                under_way = Some(shaking);
                Poll::Pending
            }
        }
    })
    .await
}

impl Link {
    /// Whoever is to be woken when something can be read or written.
    pub fn wake(&mut self, waker: &Waker) {
        self.waker.clone_from(waker);
    }

    /// What the stream brought, past tungstenite.
    pub fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Lent>> {
        self.stream.poll_bytes(cx)
    }

    /// What came with the end of the head, once.
    pub fn take_behind(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.given).into()
    }

    /// tungstenite reads this next.
    pub fn give(&mut self, bytes: &[u8]) {
        self.given.extend_from_slice(bytes);
    }

    /// Behind what it was given, tungstenite reads the end.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Reads more of the head. A refusal is handed out with all that comes: its words stand behind the head.
    fn read_head(&mut self) -> io::Result<()> {
        const SWITCHING: &[u8] = b"HTTP/1.1 101";
        let mut cx = Context::from_waker(&self.waker);
        let lent = match self.stream.poll_bytes(&mut cx)? {
            Poll::Ready(lent) => lent,
            Poll::Pending => return Err(io::ErrorKind::WouldBlock.into()),
        };
        let seen = self.head.len();
        self.head.extend_from_slice(&lent);
        let end = match self.head.starts_with(SWITCHING) {
            true => head_end(&self.head, seen),
            false => None,
        };
        self.of_head = end.map_or(lent.len(), |end| end - seen);
        self.given.extend_from_slice(&lent);
        Ok(())
    }
}

impl Read for Link {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.shaking_hands && self.of_head == 0 {
            // None come at the end of the stream.
            self.read_head()?;
        }
        let most = if self.shaking_hands {
            self.of_head
        } else {
            self.given.len()
        };
        if most == 0 && !self.shaking_hands && !self.ended {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let taken = most.min(room.len());
        room[..taken].copy_from_slice(&self.given[..taken]);
        // tungstenite takes a few bytes at a time: what is left stays where it lies.
        self.given.advance(taken);
        self.of_head = self.of_head.saturating_sub(taken);
        if self.given.is_empty() {
            // Rarely used: nothing is kept for the next time.
            self.given = BytesMut::new();
        }
        Ok(taken)
    }
}

impl Write for Link {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut cx = Context::from_waker(&self.waker);
        match Pin::new(&mut self.stream).poll_write(&mut cx, bytes) {
            Poll::Ready(written) => written,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// A TCP stream keeps nothing back.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
