//! What the kernel counts of the load's sockets: segments, bytes and retransmissions (TCP_INFO, tcp(7)), and what waits unread (FIONREAD).
//!
//! ```text
//! net.rs: connect() -> Watched (the socket, known here while it is open) -> counts() at the window's edges: open + closed ones
//! ```
//!
//! The second method beside the byte counters of [`crate::net`]: those count what was read and written, this what was sent and received.
//! Here stand the only system calls of this program that have no safe wrapper.

#![expect(
    unsafe_code,
    reason = "ioctl(FIONREAD) and shutdown() of a raw socket have no safe wrapper in nix or socket2"
)]

use std::{
    cell::Cell,
    collections::HashMap,
    io,
    mem::offset_of,
    net::SocketAddr,
    os::fd::{AsRawFd, RawFd},
    ptr,
    sync::Arc,
};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use server::peer;
use tokio::net::TcpStream;

use crate::record::WireCounts;

/// IP headers without options (RFC 791, RFC 8200).
const IPV4_HEADER_BYTES: u64 = 20;
const IPV6_HEADER_BYTES: u64 = 40;
/// TCP's header, and the timestamps option as Linux pads it (RFC 9293, RFC 7323).
const TCP_HEADER_BYTES: u64 = 20;
const TIMESTAMPS_BYTES: u64 = 12;
/// What SYN and SYN-ACK carry besides timestamps: segment size, selective acknowledgement, window scale, padded by Linux.
const SYN_OPTIONS_BYTES: u64 = 8;
const SYN_OPTIONS_ALONE_BYTES: u64 = 12;
/// `TCPI_OPT_TIMESTAMPS` of linux/tcp.h.
const TIMESTAMPS_OPTION: u8 = 1;

/// States of linux/tcp_states.h in which the peer has closed its side: TIME_WAIT, CLOSE_WAIT, LAST_ACK and CLOSING.
const PEER_ENDED: [u8; 4] = [6, 8, 9, 11];
/// Both have ended, or the connection was reset.
const CLOSE: u8 = 7;
/// Our end of the stream is under way, or acknowledged; the peer's is still to come.
const FIN_WAIT_1: u8 = 4;
const FIN_WAIT_2: u8 = 5;

/// The sockets of one thread's clients.
#[derive(Debug, Default)]
pub struct Sockets(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Each belongs to a living [`Watched`], which takes it out under this lock before it closes it. With the length of its IP headers.
    open: HashMap<RawFd, u64>,
    closed: Counts,
}

/// Sums over sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// `*_at_1500` are not of this module and stay 0.
    pub wire: WireCounts,
    pub mtu_bytes: u32,
    /// Of open sockets now, and of closed ones when they were closed.
    pub unread_sockets: u64,
    pub unread_bytes: u64,
    /// IP and TCP header of one segment.
    pub header_bytes: u64,
}

/// A connection, of whichever event loop.
pub trait Socket: AsRawFd {
    fn peer(&self) -> io::Result<SocketAddr>;
    fn error(&self) -> io::Result<Option<io::Error>>;
}

impl Socket for TcpStream {
    fn peer(&self) -> io::Result<SocketAddr> {
        self.peer_addr()
    }

    fn error(&self) -> io::Result<Option<io::Error>> {
        self.take_error()
    }
}

impl Socket for mio::net::TcpStream {
    fn peer(&self) -> io::Result<SocketAddr> {
        self.peer_addr()
    }

    fn error(&self) -> io::Result<Option<io::Error>> {
        self.take_error()
    }
}

/// An open socket whose counters can be read by whoever holds the [`Sockets`].
pub struct Watched<S: Socket = TcpStream> {
    pub stream: S,
    sockets: Arc<Sockets>,
    /// How the peer's side ended, by the first read or write that noticed.
    end: Cell<Option<PeerEnd>>,
}

/// After a reset the kernel tells no more whether the peer had ended its stream before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PeerEnd {
    OfStream,
    Reset,
}

impl<S: Socket> Watched<S> {
    pub fn new(stream: S, sockets: Arc<Sockets>) -> Self {
        let ip_header_bytes = match stream.peer() {
            Ok(SocketAddr::V6(_)) => IPV6_HEADER_BYTES,
            _ => IPV4_HEADER_BYTES,
        };
        let mut known = sockets.0.lock();
        known.open.insert(stream.as_raw_fd(), ip_header_bytes);
        known.closed.wire.connections_opened += 1;
        drop(known);
        Self {
            stream,
            sockets,
            end: Cell::default(),
        }
    }

    /// A read into room, or a write, has come to this.
    pub fn noticed(&self, result: &io::Result<usize>) {
        let end = match result {
            Ok(1..) => return,
            Ok(0) => PeerEnd::OfStream,
            // What the kernel says (tcp_reset of Linux) when the reset came behind the end of the stream.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => PeerEnd::OfStream,
            Err(_) => PeerEnd::Reset,
        };
        // Errors are told once: whatever is noticed later says nothing.
        if self.end.get().is_none() {
            self.end.set(Some(end));
        }
    }
}

impl<S: Socket> Drop for Watched<S> {
    fn drop(&mut self) {
        if let Ok(Some(error)) = self.stream.error() {
            self.noticed(&Err(error));
        }
        let ended = self.end.get() == Some(PeerEnd::OfStream);
        let descriptor = self.stream.as_raw_fd();
        end(descriptor);
        let mut known = self.sockets.0.lock();
        if let Some(header_bytes) = known.open.remove(&descriptor) {
            known.closed.add_closing(descriptor, header_bytes, ended);
        }
    }
}

impl Sockets {
    /// The counters of all sockets so far, open and closed; with `unread`, what waits in the open ones now, and without it what waited in
    /// the closed ones when they were closed.
    pub fn counts(&self, unread: bool) -> Counts {
        let known = self.0.lock();
        let mut counts = known.closed;
        if unread {
            (counts.unread_sockets, counts.unread_bytes) = (0, 0);
        }
        for (descriptor, header_bytes) in &known.open {
            if unread {
                counts.add_unread(unread_bytes(*descriptor));
            }
            if let Some(info) = tcp_info(*descriptor) {
                counts.add_info(&info, *header_bytes, false);
            }
        }
        counts
    }
}

impl Counts {
    pub fn add(&mut self, other: &Counts) {
        self.wire.add(&other.wire);
        self.mtu_bytes = self.mtu_bytes.max(other.mtu_bytes);
        self.header_bytes = self.header_bytes.max(other.header_bytes);
        self.unread_sockets += other.unread_sockets;
        self.unread_bytes += other.unread_bytes;
    }

    fn add_unread(&mut self, bytes: Option<u64>) {
        if let Some(bytes @ 1..) = bytes {
            self.unread_sockets += 1;
            self.unread_bytes += bytes;
        }
    }

    /// The last reading of a socket, which has ended its side. What the peer still sends, and our answer to it, nobody can count on a
    /// socket that is gone: it is added here. Where our end is not acknowledged yet, the peer's carries that as well.
    /// `peer_ended`: the end of its stream was read.
    fn add_closing(&mut self, descriptor: RawFd, ip_header_bytes: u64, peer_ended: bool) {
        /// Data, or the peer's end, may come in between the two readings, and within TCP_INFO between its state and its counters: then they
        /// are taken again.
        const TRIES: usize = 8;
        let read = || {
            let (unread, info) = (unread_bytes(descriptor), tcp_info(descriptor));
            let at = info.map(|info| (info.tcpi_state, info.tcpi_bytes_received));
            (unread, info, at)
        };
        let (mut unread, mut info, mut at) = read();
        for _ in 0..TRIES {
            let again = read();
            let settled = (again.0, again.2) == (unread, at);
            (unread, info, at) = again;
            if settled {
                break;
            }
        }
        self.add_unread(unread);
        let Some(info) = info else { return };
        self.add_info(&info, ip_header_bytes, peer_ended);
        if matches!(info.tcpi_state, FIN_WAIT_1 | FIN_WAIT_2) {
            self.wire.segments_received += 1;
            self.wire.segments_sent += 1;
            self.wire.bytes_received += self.header_bytes;
            self.wire.bytes_sent += self.header_bytes;
        }
    }

    fn add_info(&mut self, info: &libc::tcp_info, ip_header_bytes: u64, peer_ended: bool) {
        let timestamps = info.tcpi_options & TIMESTAMPS_OPTION != 0;
        let (options, of_syn) = if timestamps {
            (TIMESTAMPS_BYTES, SYN_OPTIONS_BYTES)
        } else {
            (0, SYN_OPTIONS_ALONE_BYTES)
        };
        let header = ip_header_bytes + TCP_HEADER_BYTES + options;
        let (sent, received) = (u64::from(info.tcpi_segs_out), u64::from(info.tcpi_segs_in));
        // A retransmission counts before it is known to have left.
        let sent_once = info.tcpi_bytes_sent.saturating_sub(info.tcpi_bytes_retrans);
        // The end of the peer's stream takes a number of its own, which the kernel counts as a byte. In CLOSE, both have ended when our own
        // end was acknowledged (the start of our stream is, too); otherwise the connection was reset, maybe behind the end of the peer's stream.
        let ended = match info.tcpi_state {
            CLOSE => peer_ended || info.tcpi_bytes_acked > sent_once + 1,
            state => PEER_ENDED.contains(&state),
        };
        let received_once = info.tcpi_bytes_received.saturating_sub(u64::from(ended));
        let wire = &mut self.wire;
        wire.segments_sent += sent;
        wire.segments_received += received;
        wire.payload_bytes_sent += sent_once;
        wire.payload_bytes_received += received_once;
        wire.retransmitted_segments += u64::from(info.tcpi_total_retrans);
        wire.retransmitted_bytes += info.tcpi_bytes_retrans;
        wire.out_of_order_segments_received += u64::from(info.tcpi_rcv_ooopack);
        wire.bytes_sent += info.tcpi_bytes_sent + sent * header + of_syn;
        wire.bytes_received += received_once + received * header + of_syn;
        self.header_bytes = header;
        self.mtu_bytes = self.mtu_bytes.max(info.tcpi_pmtu);
    }
}

impl WireCounts {
    pub fn add(&mut self, other: &WireCounts) {
        self.each(other, |own, other| *own += other);
    }

    /// What was counted since `earlier`. A socket that tells nothing any more makes a counter go back: then nothing is known to have come.
    pub fn since(&self, earlier: &WireCounts) -> WireCounts {
        let mut counts = *self;
        counts.each(earlier, |own, earlier| *own = own.saturating_sub(earlier));
        counts
    }

    fn each(&mut self, other: &WireCounts, change: impl Fn(&mut u64, u64)) {
        change(&mut self.connections_opened, other.connections_opened);
        change(&mut self.segments_sent, other.segments_sent);
        change(&mut self.segments_received, other.segments_received);
        change(&mut self.payload_bytes_sent, other.payload_bytes_sent);
        change(&mut self.payload_bytes_received, other.payload_bytes_received);
        change(&mut self.retransmitted_segments, other.retransmitted_segments);
        change(&mut self.retransmitted_bytes, other.retransmitted_bytes);
        change(
            &mut self.out_of_order_segments_received,
            other.out_of_order_segments_received,
        );
        change(&mut self.bytes_sent, other.bytes_sent);
        change(&mut self.bytes_received, other.bytes_received);
        change(&mut self.bytes_sent_at_1500, other.bytes_sent_at_1500);
        change(&mut self.bytes_received_at_1500, other.bytes_received_at_1500);
    }
}

/// None for what is no TCP socket, and on kernels before 4.19, which do not count bytes sent.
fn tcp_info(descriptor: RawFd) -> Option<libc::tcp_info> {
    peer::tcp_info(descriptor, offset_of!(libc::tcp_info, tcpi_dsack_dups))
}

/// Ends our side of the stream while its segments can still be counted: closing the socket would do the same a moment later.
fn end(descriptor: RawFd) {
    // SAFETY: it takes two integers; what is no connected socket is an error, and there is nothing to end then.
    unsafe { libc::shutdown(descriptor, libc::SHUT_WR) };
}

/// Bytes that arrived and that nobody has read yet.
fn unread_bytes(descriptor: RawFd) -> Option<u64> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: FIONREAD writes one int, and `bytes` has room for it.
    let result = unsafe { libc::ioctl(descriptor, libc::FIONREAD, ptr::from_mut(&mut bytes)) };
    (result == 0).then(|| u64::try_from(bytes).ok()).flatten()
}

#[cfg(test)]
mod tests;
