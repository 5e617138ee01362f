//! Whether the other end of a socket is still there, and how much the kernel may hold for it.
//!
//! ```text
//! io.rs: a read that waits -> every heartbeat + peer timeout: TCP_INFO (tcp(7)) -> still answers? go on : the connection ends
//! ```
//!
//! Why not the kernel's own TCP_USER_TIMEOUT alone: it also ends a connection whose peer answers every probe but takes nothing. That
//! is a slow reader, which gets the write timeout, may come back and is told what it lost. Here stands the only system call of this
//! server that has no safe wrapper.

#![expect(unsafe_code, reason = "TCP_INFO has no safe wrapper in nix or socket2")]

use std::{
    io,
    mem::{MaybeUninit, offset_of},
    os::fd::{AsRawFd, RawFd},
    ptr,
    time::Duration,
};

use socket2::SockRef;
use tokio::net::TcpStream;

/// What the kernel takes for a peer beyond what it has sent: on loopback it would be 4 MB, and a stalled reader costs as much.
/// Twice the largest update; what is sent and not acknowledged is not in it, so it slows nobody who reads.
pub const UNSENT_MAX_BYTES: u32 = 128 * 1024;

/// What the kernel knows of the peer.
#[derive(Debug, Clone, Copy)]
pub struct Signs {
    /// Since its last acknowledgement, of data or of a probe.
    pub silent_for: Duration,
    /// Something it should have acknowledged is on its way: data, or a probe.
    pub asked: bool,
}

/// None where the kernel does not say.
pub fn signs(stream: &TcpStream) -> Option<Signs> {
    let info = tcp_info(stream.as_raw_fd(), offset_of!(libc::tcp_info, tcpi_pmtu))?;
    Some(Signs {
        silent_for: Duration::from_millis(info.tcpi_last_ack_recv.into()),
        asked: info.tcpi_unacked > 0 || info.tcpi_probes > 0,
    })
}

/// What the kernel counts of a connection. None for what is no TCP socket, and on kernels that fill less than the first `least_bytes` of it.
pub fn tcp_info(descriptor: RawFd, least_bytes: usize) -> Option<libc::tcp_info> {
    let mut info = MaybeUninit::<libc::tcp_info>::zeroed();
    let mut length = size_of::<libc::tcp_info>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes to `info`, which has as many; a descriptor that is none is an error.
    let result = unsafe {
        libc::getsockopt(
            descriptor,
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            ptr::from_mut(&mut length),
        )
    };
    if result != 0 || (length as usize) < least_bytes {
        return None;
    }
    // SAFETY: all fields are integers, and every byte is initialised: to zero where the kernel wrote none.
    Some(unsafe { info.assume_init() })
}

/// Bounds what the kernel holds for a peer that does not read.
pub fn bound_unsent(stream: &TcpStream) -> io::Result<()> {
    SockRef::from(stream).set_tcp_notsent_lowat(UNSENT_MAX_BYTES)
}
