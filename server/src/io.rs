//! The accepted socket: counts its bytes, gives up on a peer that takes none or is gone, and holds the connection's place under the cap.
//!
//! hyper has no write timeout of its own; this is the one place that every transport's writes pass through, an upgraded
//! WebSocket's too.

use std::{
    collections::VecDeque,
    future::poll_fn,
    io::{self, Read},
    mem,
    net::Shutdown,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, Bytes};
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, Interest, ReadBuf},
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    time::{Instant, Sleep, sleep_until},
};

use crate::{
    peer,
    settings::ServerSettings,
    stats::{GaugeGuard, Stats},
};

/// A peer is looked at twice before it counts as gone, the first time by this part of its time earlier: a probe may be on its way just
/// then. Looks are no closer than that.
const SUSPECTED_EARLIER: u32 = 10;

/// What a peer may send behind a request that is not answered yet, and how much of it is read at once.
const TAKEN_IN_MAX_BYTES: usize = 16 * 1024;
const TAKEN_IN_AT_ONCE: usize = 4 * 1024;

/// An accepted socket. Several may write to it, one at a time: whose turn it is, is theirs to know (see [`crate::fanout`]).
pub struct Socket {
    stream: TcpStream,
    stats: Arc<Stats>,
    _permit: OwnedSemaphorePermit,
    _open: GaugeGuard,
}

impl Socket {
    /// Writes what the kernel takes now. The runtime is not asked whether it takes anything: that costs more than to try.
    ///
    /// # Errors
    /// `WouldBlock` when it takes nothing; what else the kernel says of a broken connection.
    pub fn write_now(&self, bytes: &[u8]) -> io::Result<usize> {
        let written = SockRef::from(&self.stream).send(bytes)?;
        self.stats.bytes_sent.inc_by(written as u64);
        Ok(written)
    }

    /// Reads what is there, to the buffer's size.
    fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let socket = SockRef::from(&self.stream);
        let mut part = None;
        let result = self.stream.try_io(Interest::READABLE, || {
            let read = (&*socket).read(buffer)?;
            if 0 < read && read < buffer.len() {
                // There is no more: known without a system call that finds nothing. What comes from now on is announced (epoll(7), the
                // ninth question).
                part = Some(read);
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(read)
        });
        let read = part.map_or(result, Ok)?;
        self.stats.bytes_received.inc_by(read as u64);
        Ok(read)
    }
}

/// A connection, from accept to close: the end that its task reads and writes.
pub struct Connection {
    socket: Arc<Socket>,
    /// Read already, and given back to be read once more.
    replay: Bytes,
    write_timeout: Duration,
    /// Runs while a write waits for the peer; gone as soon as a byte went out.
    stall: Option<Pin<Box<Sleep>>>,
    /// How long the peer's kernel may say nothing. It is asked something every heartbeat of silence: data, or a probe.
    silence: Duration,
    /// Runs while a read waits, to the next look at the peer.
    look: Option<Pin<Box<Sleep>>>,
    /// The last look found nobody.
    suspect: bool,
    /// Rings when something is due. It is set anew when it rings, not for each thing: most are never due.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    pub fn new(stream: TcpStream, stats: Arc<Stats>, settings: &ServerSettings, permit: OwnedSemaphorePermit) -> Self {
        stats.connections_total.inc();
        let open = GaugeGuard::new(&stats.connections);
        let socket = Socket {
            stream,
            stats,
            _permit: permit,
            _open: open,
        };
        Self {
            socket: Arc::new(socket),
            replay: Bytes::new(),
            write_timeout: settings.write_timeout,
            stall: None,
            silence: settings.heartbeat + settings.peer_timeout,
            look: None,
            suspect: false,
            alarm: None,
        }
    }

    pub fn stream(&self) -> &TcpStream {
        &self.socket.stream
    }

    /// The socket, for whoever writes to it in this connection's place.
    pub fn socket(&self) -> Arc<Socket> {
        self.socket.clone()
    }

    /// Gives back what was read of it: whoever reads next reads it first.
    pub fn give_back(&mut self, bytes: Bytes) {
        self.replay = match self.has_more() {
            false => bytes,
            // It was more than one read took.
            true => [bytes, mem::take(&mut self.replay)].concat().into(),
        };
    }

    /// True when something was read already that is to be read again.
    pub fn has_more(&self) -> bool {
        !self.replay.is_empty()
    }

    /// Returns true when the peer has said something new or closed, false at `due`; an error when it is gone. Cancel safe.
    pub async fn readable_by(&mut self, due: Instant) -> io::Result<bool> {
        poll_fn(|cx| {
            if let Poll::Ready(ready) = self.socket.stream.poll_read_ready(cx) {
                return Poll::Ready(ready.map(|()| true));
            }
            if let Poll::Ready(gone) = self.watch(cx) {
                return Poll::Ready(Err(gone));
            }
            self.poll_due(cx, due).map(|()| Ok(false))
        })
        .await
    }

    fn poll_due(&mut self, cx: &mut Context<'_>, due: Instant) -> Poll<()> {
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(due)));
        if alarm.deadline() > due {
            alarm.as_mut().reset(due);
        }
        loop {
            ready!(alarm.as_mut().poll(cx));
            if Instant::now() >= due {
                return Poll::Ready(());
            }
            // It was set for something else.
            alarm.as_mut().reset(due);
        }
    }

    /// Reads what is there now: first what was given back.
    ///
    /// # Errors
    /// `WouldBlock` when nothing is there; what else the kernel says of a broken connection.
    pub fn read_now(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.has_more() {
            return self.socket.try_read(buffer);
        }
        let length = self.replay.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.replay.split_to(length));
        Ok(length)
    }

    /// Reads what is there now, to be read again later. False when there is too much of it.
    ///
    /// # Errors
    /// When the peer has closed, or the connection broke.
    pub fn take_in(&mut self) -> io::Result<bool> {
        let mut bytes = [0; TAKEN_IN_AT_ONCE];
        match self.socket.try_read(&mut bytes) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => self.replay = [&self.replay[..], &bytes[..read]].concat().into(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(self.replay.len() <= TAKEN_IN_MAX_BYTES)
    }

    /// Returns when the peer has closed, or is gone. A peer that has nothing to say here and says it all the same is read and not heard.
    pub async fn gone(&mut self) -> io::Error {
        let mut unheard = [0; 64];
        loop {
            match self.read(&mut unheard).await {
                Ok(0) => return io::ErrorKind::UnexpectedEof.into(),
                Ok(_) => {}
                Err(error) => return error,
            }
        }
    }

    /// Pending for as long as the peer is there.
    fn watch(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let (gone, suspect) = (self.silence, self.silence - self.silence / SUSPECTED_EARLIER);
        let look = self.look.get_or_insert_with(|| Box::pin(tokio::time::sleep(suspect)));
        loop {
            ready!(look.as_mut().poll(cx));
            let signs = peer::signs(&self.socket.stream).filter(|signs| signs.asked);
            let silent_for = signs.map_or(Duration::ZERO, |signs| signs.silent_for);
            if self.suspect && silent_for >= gone {
                self.socket.stats.vanished_peers.inc();
                return Poll::Ready(io::Error::new(io::ErrorKind::TimedOut, "the peer is gone"));
            }
            self.suspect = silent_for >= suspect;
            let next = if self.suspect { gone } else { suspect }.saturating_sub(silent_for);
            look.as_mut()
                .reset(Instant::now() + next.max(suspect / SUSPECTED_EARLIER));
        }
    }

    /// Writes with `write` as soon as the kernel takes something; gives up on a peer that takes nothing for too long.
    fn poll_written(
        &mut self,
        cx: &mut Context<'_>,
        write: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let Self {
            socket,
            stall,
            write_timeout,
            ..
        } = self;
        while socket.stream.poll_write_ready(cx)?.is_ready() {
            match write(&socket.stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => {
                    *stall = None;
                    if let Ok(bytes) = result {
                        socket.stats.bytes_sent.inc_by(bytes as u64);
                    }
                    return Poll::Ready(result);
                }
            }
        }
        let stall = stall.get_or_insert_with(|| Box::pin(tokio::time::sleep(*write_timeout)));
        ready!(stall.as_mut().poll(cx));
        socket.stats.write_stalls.inc();
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the peer took no byte in time",
        )))
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while self.has_more() || self.socket.stream.poll_read_ready(cx)?.is_ready() {
            match self.read_now(buf.initialize_unfilled()) {
                Ok(read) => {
                    buf.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        self.watch(cx).map(Err)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_written(cx, |stream| stream.try_write(buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_written(cx, |stream| stream.try_write_vectored(bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Nothing waits here: what was written is the kernel's.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(SockRef::from(&self.socket.stream).shutdown(Shutdown::Write))
    }
}

/// Buffers the kernel is handed at once.
const SLICES: usize = 64;

/// Writes these frames one behind the other, in as few writes as it takes. They are shared with other connections, and not copied.
///
/// # Errors
/// What the writer says; and when it takes nothing any more.
pub async fn write_frames(to: &mut (impl AsyncWrite + Unpin), frames: Vec<Bytes>) -> io::Result<()> {
    let mut frames: VecDeque<Bytes> = frames.into();
    while let Some(first) = frames.front() {
        if first.is_empty() {
            frames.pop_front();
            continue;
        }
        let mut written = poll_fn(|cx| {
            let mut slices = [io::IoSlice::new(&[]); SLICES];
            for (slice, frame) in slices.iter_mut().zip(&frames) {
                *slice = io::IoSlice::new(frame);
            }
            let used = frames.len().min(SLICES);
            Pin::new(&mut *to).poll_write_vectored(cx, &slices[..used])
        })
        .await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        while let Some(first) = frames.front_mut().filter(|_| written > 0) {
            let taken = written.min(first.len());
            written -= taken;
            first.advance(taken);
            if first.is_empty() {
                frames.pop_front();
            }
        }
    }
    Ok(())
}
