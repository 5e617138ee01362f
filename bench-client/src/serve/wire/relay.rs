//! A relay that hands bytes on as they come, and keeps a copy with the time and the side they came from.
//!
//! ```text
//! our client -> 127.0.0.1:0 -> read: time, side, bytes -> Recording -> written -> the server
//!            <-                                                                <-
//! ```
//!
//! A chunk is what one read brought: what a writer wrote at once mostly, though TCP keeps no such borders. On loopback the relay
//! adds some ten µs to each way; the recording shows order and bytes, and is no measurement of latency.

use std::{
    cell::RefCell,
    io,
    mem::offset_of,
    net::{Ipv4Addr, SocketAddr},
    os::fd::{AsRawFd, RawFd},
    rc::Rc,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde::{Serialize, Serializer};
use server::{clock::Clock, peer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::Notify,
    task::JoinSet,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// Bytes a recording keeps, of all its connections and both sides.
const RECORDING_MAX_BYTES: usize = 64 * 1024;
/// Connections of one recording; one that polls without keep-alive opens about ten.
const CONNECTIONS_MAX: usize = 32;
const READ_BYTES: usize = 16 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long both sides may take to end once the client has gone.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// What has passed so far.
#[derive(Debug, Default)]
pub struct Recording {
    pub connections: Vec<Connection>,
    pub truncated: bool,
    pub tcp: Option<Tcp>,
    bytes: usize,
}

/// Times are µs since the recording began.
#[derive(Debug, Serialize)]
pub struct Connection {
    pub opened_us: u64,
    /// When the first side ended; absent while both were open at the end.
    pub closed_us: Option<u64>,
    /// How long connect() took: the three-way handshake.
    pub connect_us: u64,
    pub chunks: Vec<Chunk>,
}

#[derive(Debug, Serialize)]
pub struct Chunk {
    pub at_us: u64,
    pub from: Side,
    #[serde(rename = "base64", serialize_with = "base64")]
    pub bytes: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Client,
    Server,
}

/// What the kernel counted of the connections to the server, from the client's side and until one side ended each: segments with and
/// without payload.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Tcp {
    pub segments_sent: u64,
    pub segments_received: u64,
}

fn base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&BASE64.encode(bytes))
}

/// Where the tasks of a recording write; all of them are on one thread.
struct Kept {
    recording: RefCell<Recording>,
    full: Notify,
    clock: Clock,
    began_us: u64,
}

impl Kept {
    fn now_us(&self) -> u64 {
        self.clock.now_us().saturating_sub(self.began_us)
    }

    /// The number of a new connection.
    fn open(&self, opened_us: u64, connect_us: u64) -> usize {
        let connections = &mut self.recording.borrow_mut().connections;
        connections.push(Connection {
            opened_us,
            closed_us: None,
            connect_us,
            chunks: Vec::new(),
        });
        connections.len() - 1
    }

    /// One side has ended; the first one counts, and the kernel's counters until then.
    fn close(&self, number: usize, descriptor: RawFd) {
        let recording = &mut *self.recording.borrow_mut();
        let connection = &mut recording.connections[number];
        if connection.closed_us.is_some() {
            return;
        }
        connection.closed_us = Some(self.now_us());
        if let Some(info) = peer::tcp_info(descriptor, offset_of!(libc::tcp_info, tcpi_delivery_rate)) {
            let tcp = recording.tcp.get_or_insert_default();
            tcp.segments_sent += u64::from(info.tcpi_segs_out);
            tcp.segments_received += u64::from(info.tcpi_segs_in);
        }
    }

    fn keep(&self, connection: usize, from: Side, bytes: &[u8]) {
        let recording = &mut *self.recording.borrow_mut();
        let room = RECORDING_MAX_BYTES - recording.bytes;
        let kept = &bytes[..bytes.len().min(room)];
        if kept.len() < bytes.len() {
            recording.truncated = true;
            self.full.notify_one();
        }
        recording.bytes += kept.len();
        if !kept.is_empty() {
            recording.connections[connection].chunks.push(Chunk {
                at_us: self.now_us(),
                from,
                bytes: kept.to_vec(),
            });
        }
    }
}

/// A listening relay; its tasks end with [`Relay::finish`], or when it is dropped.
pub struct Relay {
    pub address: SocketAddr,
    kept: Rc<Kept>,
    closing: CancellationToken,
    accepting: JoinSet<()>,
}

impl Relay {
    /// To be called within a `LocalSet`.
    ///
    /// # Errors
    /// Where no port can be had.
    pub async fn open(server: SocketAddr, clock: Clock) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let kept = Rc::new(Kept {
            recording: RefCell::default(),
            full: Notify::new(),
            clock,
            began_us: clock.now_us(),
        });
        let closing = CancellationToken::new();
        let mut accepting = JoinSet::new();
        accepting.spawn_local(accept(listener, server, kept.clone(), closing.clone()));
        Ok(Self {
            address,
            kept,
            closing,
            accepting,
        })
    }

    /// Returns when there was more to keep than there is room.
    pub async fn full(&self) {
        self.kept.full.notified().await;
    }

    /// What was recorded. The client is gone by now, so its connections end; a server that does not end them is not waited for.
    pub async fn finish(&mut self) -> Recording {
        self.closing.cancel();
        let _ = timeout(LAST_WORDS, self.accepting.join_next()).await;
        self.accepting.shutdown().await;
        self.kept.recording.take()
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, kept: Rc<Kept>, closing: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = closing.cancelled() => break,
            Ok((client, _)) = listener.accept(), if connections.len() < CONNECTIONS_MAX => {
                connections.spawn_local(relay(client, server, kept.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
    while connections.join_next().await.is_some() {}
}

/// One connection, until both sides have ended. Where the server cannot be reached the client sees its connection end.
async fn relay(mut client: TcpStream, address: SocketAddr, kept: Rc<Kept>) {
    let opened_us = kept.now_us();
    let Ok(Ok(mut server)) = timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await else {
        return;
    };
    let connect_us = kept.now_us() - opened_us;
    // Small pieces leave as they came: without this they would be gathered. A socket that refuses is recorded as it is.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let number = kept.open(opened_us, connect_us);
    let descriptor = server.as_raw_fd();
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    // Borrowed halves: the descriptor is open until both have ended.
    tokio::join!(
        async {
            hand_on(&kept, number, Side::Client, from_client, to_server).await;
            kept.close(number, descriptor);
        },
        async {
            hand_on(&kept, number, Side::Server, from_server, to_client).await;
            kept.close(number, descriptor);
        },
    );
}

/// Hands on what one side says until it ends, and tells the other.
async fn hand_on(kept: &Kept, number: usize, from: Side, mut reads: ReadHalf<'_>, mut writes: WriteHalf<'_>) {
    let mut buffer = vec![0; READ_BYTES];
    while let Ok(length @ 1..) = reads.read(&mut buffer).await {
        kept.keep(number, from, &buffer[..length]);
        if writes.write_all(&buffer[..length]).await.is_err() {
            break;
        }
    }
    // It may be gone already.
    let _ = writes.shutdown().await;
}
