//! Every socket of the load: opened here, its bytes counted here, its receive times taken here.
//!
//! ```text
//! connect() -> Stream (TcpStream + Meter) -> poll_bytes(): what one read brought, in a buffer lent -> transports/<id>.rs
//! bare.rs: connect_bare() -> Bare, for the floor's own event loop
//! ```
//!
//! All sockets of a thread read into one buffer, which is lent to whoever takes the bytes: a connection that waits holds none, and the bytes
//! are read where the kernel wrote them. What is not whole yet, its reader keeps.
//!
//! Bytes are socket payload, below HTTP and WebSocket framing and above TCP. A receive time is the moment the read returned
//! that brought the last byte so far: before any decoding.

pub mod bare;
pub mod sources;

use std::{
    cell::Cell,
    io,
    net::SocketAddr,
    ops::Deref,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use server::clock::Clock;

use crate::sockets::{Sockets, Watched};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpSocket, TcpStream},
};
use tokio_util::sync::CancellationToken;

use sources::Sources;

/// How long one connect() may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Payload of a packet of 1,500 bytes over IPv4, with TCP timestamps: what most networks carry.
const SEGMENT_AT_1500_BYTES: usize = 1_448;
/// What one read may bring: many updates for a client that is behind, little enough to stay in the cache.
const READ_MAX_BYTES: usize = 64 * 1024;

/// What the clients of one thread count: written by that thread alone, read by the coordinator at the window's edges. On cache lines of its
/// own, or whatever lies beside it would be slow to whoever else writes there.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Counters {
    pub connections: AtomicU64,
    pub bytes_sent: AtomicU64,
    pub bytes_received: AtomicU64,
    /// Request heads written, handshakes included.
    pub requests: AtomicU64,
    /// Poll answers without an update.
    pub empty_responses: AtomicU64,
    pub polls_skipped: AtomicU64,
    pub errors: AtomicU64,
    pub reconnects: AtomicU64,
    /// Sessions that clients closed by themselves.
    pub leaves: AtomicU64,
    /// Bytes both ways until sessions delivered.
    pub setup_bytes: AtomicU64,
    /// Clients that have had a session.
    pub connected: AtomicU64,
    /// Updates, for the progress line.
    pub updates: AtomicU64,
    /// Segments more than one per write and read that the same bytes would take in packets of 1,500 bytes.
    pub more_segments_sent: AtomicU64,
    pub more_segments_received: AtomicU64,
}

/// Adds to a counter that only this thread writes.
pub fn count(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Relaxed);
}

/// What a thread's clients need to open connections.
#[derive(Clone)]
pub struct Net {
    pub clock: Clock,
    pub counters: Arc<Counters>,
    pub sockets: Arc<Sockets>,
    /// Set at the end: no client asks for anything any more.
    pub hushed: Arc<AtomicBool>,
    /// Cancelled when the window has ended: nobody leaves any more, and who is away comes back.
    pub gathered: CancellationToken,
    /// What the kernel is asked to keep for each connection until it is read; None: as it likes.
    pub receive_buffer_bytes: Option<u32>,
    /// Where connections over loopback come from.
    pub sources: Sources,
}

/// One connection's own counts, shared with the session that uses it.
#[derive(Debug, Default)]
pub struct Meter {
    bytes: Cell<u64>,
    last_read_us: Cell<u64>,
    head_pending: Cell<bool>,
}

impl Meter {
    /// When the newest byte was read, µs since 1970 by the server's clock.
    pub fn last_read_us(&self) -> u64 {
        self.last_read_us.get()
    }

    /// Bytes so far, both ways.
    pub fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    fn read(&self, bytes: usize, now_us: u64) {
        self.last_read_us.set(now_us);
        self.bytes.set(self.bytes.get() + bytes as u64);
    }

    /// A request was handed to the connection: it counts with the write that carries its head.
    pub fn expect_head(&self) {
        self.head_pending.set(true);
    }
}

impl Net {
    /// What nobody has counted with yet.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            counters: Arc::default(),
            sockets: Arc::default(),
            hushed: Arc::default(),
            gathered: CancellationToken::new(),
            receive_buffer_bytes: None,
            sources: Sources::default(),
        }
    }

    /// Returns when a client that stays so long leaves; never for one that stays, or once they are gathered.
    pub async fn leave(&self, stay: Option<Duration>) {
        let Some(stay) = stay else {
            return std::future::pending().await;
        };
        tokio::time::sleep(stay).await;
        if self.gathered.is_cancelled() {
            std::future::pending::<()>().await;
        }
    }

    /// Returns when a client that has left comes back: after so long, or when they are gathered.
    pub async fn away(&self, away: Duration) {
        tokio::select! {
            () = tokio::time::sleep(away) => {}
            () = self.gathered.cancelled() => {}
        }
    }

    /// Returns at once, until the clients are hushed: from then on never. A request that is cut right after it was written may reach no
    /// server, so clients fall silent before they are stopped, and both ends count the same.
    pub async fn may_ask(&self) {
        if self.hushed.load(Relaxed) {
            std::future::pending::<()>().await;
        }
    }

    async fn connected(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let source = self.sources.next(address);
        if source.is_none() && self.receive_buffer_bytes.is_none() {
            return TcpStream::connect(address).await;
        }
        let socket = match (address, source) {
            (_, Some(source)) => TcpSocket::from_std_stream(sources::socket_from(source)?),
            (SocketAddr::V4(_), None) => TcpSocket::new_v4()?,
            (SocketAddr::V6(_), None) => TcpSocket::new_v6()?,
        };
        if let Some(bytes) = self.receive_buffer_bytes {
            // Before it connects: the handshake tells the peer how much fits.
            socket.set_recv_buffer_size(bytes)?;
        }
        socket.connect(address).await
    }

    /// Opens one real connection.
    pub async fn connect(&self, address: SocketAddr) -> io::Result<Stream> {
        self.may_ask().await;
        let stream = tokio::time::timeout(CONNECT_TIMEOUT, self.connected(address))
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, format!("no connection to {address} in time")))??;
        stream.set_nodelay(true)?;
        count(&self.counters.connections, 1);
        Ok(Stream {
            socket: Watched::new(stream, self.sockets.clone()),
            meter: Rc::default(),
            counters: self.counters.clone(),
            clock: self.clock,
        })
    }
}

/// Rare on the way of small updates: then it costs a comparison.
fn count_more_segments(counter: &AtomicU64, bytes: usize) {
    if bytes > SEGMENT_AT_1500_BYTES {
        count(counter, bytes.div_ceil(SEGMENT_AT_1500_BYTES) as u64 - 1);
    }
}

/// A counted TCP connection.
pub struct Stream {
    socket: Watched,
    meter: Rc<Meter>,
    counters: Arc<Counters>,
    clock: Clock,
}

impl Stream {
    pub fn meter(&self) -> Rc<Meter> {
        self.meter.clone()
    }
}

thread_local! {
    /// The buffer that the sockets of this thread read into, while nobody has it.
    static BUFFER: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// What one read brought. The buffer goes back to its thread when this is dropped; whoever reads meanwhile gets one of their own.
pub struct Lent {
    /// There until it is dropped.
    buffer: Option<Box<[u8]>>,
    length: usize,
}

impl Lent {
    fn new() -> Self {
        let buffer = BUFFER.take();
        Self {
            buffer: Some(buffer.unwrap_or_else(|| vec![0; READ_MAX_BYTES].into())),
            length: 0,
        }
    }
}

impl Deref for Lent {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.buffer.as_deref().map_or(&[], |buffer| &buffer[..self.length])
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        BUFFER.set(self.buffer.take());
    }
}

impl Stream {
    /// Reads once: what came, or nothing at the end of the stream. It came at [`Meter::last_read_us`].
    pub fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Lent>> {
        let mut lent = Lent::new();
        let mut room = ReadBuf::new(lent.buffer.as_deref_mut().unwrap_or_default());
        let read = ready!(Pin::new(&mut self.socket.stream).poll_read(cx, &mut room));
        let received_us = self.clock.now_us();
        let length = room.filled().len();
        let read = read.map(|()| length);
        self.socket.noticed(&read);
        read?;
        lent.length = length;
        if length > 0 {
            self.meter.read(length, received_us);
            count(&self.counters.bytes_received, length as u64);
            count_more_segments(&self.counters.more_segments_received, length);
        }
        Poll::Ready(Ok(lent))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.socket.stream).poll_write(cx, buf));
        if written.is_err() {
            self.socket.noticed(&written);
        }
        let bytes = written?;
        self.meter.bytes.set(self.meter.bytes.get() + bytes as u64);
        count(&self.counters.bytes_sent, bytes as u64);
        count_more_segments(&self.counters.more_segments_sent, bytes);
        if self.meter.head_pending.take() {
            count(&self.counters.requests, 1);
        }
        Poll::Ready(Ok(bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket.stream).poll_shutdown(cx)
    }
}
