//! Where connections come from: a machine has about 28,000 ports for one source address and destination, and 127.0.0.0/8 is full of addresses.
//!
//! ```text
//! Sources (so many addresses) -> next(destination): 127.0.0.1, .2, … in turn -> a socket bound to it -> connect()
//! ```
//!
//! Over loopback alone: any other network knows this machine by the addresses it has. Where one address is enough nothing is bound, and
//! the kernel chooses as it always does.

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    os::fd::AsRawFd,
    sync::Arc,
};

use nix::{
    errno::Errno,
    sys::socket::{
        AddressFamily, SockFlag, SockProtocol, SockType, SockaddrIn, bind, connect, setsockopt, socket, sockopt,
    },
};
use parking_lot::Mutex;

/// Connections of one source address to one destination, closed ones that keep their port for a minute included. Well below the kernel's
/// range of about 28,000, where looking for a free port takes long.
pub const CONNECTIONS_PER_SOURCE: u64 = 20_000;
/// 127.0.0.1 to 127.0.0.254.
pub const SOURCES_MOST: u64 = 254;

/// The addresses that a thread's connections come from, in turn.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// 0 and 1: the kernel chooses.
    count: u8,
    /// Connections to each destination so far: clients of several nodes must not fall in step with the turns.
    turns: Arc<Mutex<HashMap<SocketAddr, u64>>>,
}

/// Addresses that so many connections to one destination need, of so many connections each.
pub fn needed(connections: u64, each: u64) -> u8 {
    let sources = connections.div_ceil(each.max(1)).clamp(1, SOURCES_MOST);
    // Within the range of a byte.
    u8::try_from(sources).unwrap_or(u8::MAX)
}

impl Sources {
    /// So many addresses from 127.0.0.1 on.
    pub fn new(count: u8) -> Self {
        Self {
            count: count.min(SOURCES_MOST as u8),
            turns: Arc::default(),
        }
    }

    /// The address the next connection comes from; None where the kernel is to choose.
    pub fn next(&self, destination: SocketAddr) -> Option<Ipv4Addr> {
        let loopback = matches!(destination, SocketAddr::V4(to) if to.ip().is_loopback());
        if self.count < 2 || !loopback {
            return None;
        }
        let mut turns = self.turns.lock();
        let turn = turns.entry(destination).or_default();
        let source = (*turn % u64::from(self.count)) as u8;
        *turn += 1;
        Some(Ipv4Addr::new(127, 0, 0, source + 1))
    }
}

/// A socket that connects from this address and never blocks. The kernel chooses its port when it connects: only then does it know that a
/// port may serve many destinations.
pub fn socket_from(source: Ipv4Addr) -> io::Result<TcpStream> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let socket = socket(AddressFamily::Inet, SockType::Stream, flags, SockProtocol::Tcp)?;
    setsockopt(&socket, sockopt::IpBindAddressNoPort, &true)?;
    let [a, b, c, d] = source.octets();
    bind(socket.as_raw_fd(), &SockaddrIn::new(a, b, c, d, 0))?;
    Ok(socket.into())
}

/// Begins to connect from this address: there, or refused, when it is writable.
pub fn connect_from(source: Ipv4Addr, destination: SocketAddr) -> io::Result<TcpStream> {
    let SocketAddr::V4(to) = destination else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "an IPv4 source reaches no IPv6 address",
        ));
    };
    let socket = socket_from(source)?;
    match connect(socket.as_raw_fd(), &SockaddrIn::from(to)) {
        Ok(()) | Err(Errno::EINPROGRESS) => Ok(socket),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use server::clock::Clock;

    use super::*;
    use crate::net::Net;

    #[test]
    fn as_many_addresses_as_the_connections_need() {
        let of = |connections| needed(connections, CONNECTIONS_PER_SOURCE);
        assert_eq!([0, 1, 20_000, 20_001, 50_000].map(of), [1, 1, 1, 2, 3]);
        assert_eq!(of(u64::MAX), 254);
    }

    #[test]
    fn one_address_or_another_network_leaves_the_choice_to_the_kernel() {
        let loopback = "127.0.0.1:80".parse().unwrap();
        assert_eq!(Sources::default().next(loopback), None);
        assert_eq!(Sources::new(1).next(loopback), None);
        for elsewhere in ["192.0.2.1:80", "[::1]:80"] {
            assert_eq!(Sources::new(3).next(elsewhere.parse().unwrap()), None, "{elsewhere}");
        }
    }

    #[test]
    fn clients_of_two_nodes_do_not_fall_in_step_with_two_addresses() {
        let nodes: [SocketAddr; 2] = ["127.0.0.1:81", "127.0.0.1:82"].map(|node| node.parse().unwrap());
        let sources = Sources::new(2);
        let taken = |client: usize| (client % 2, sources.next(nodes[client % 2]).unwrap().octets()[3]);
        let taken: Vec<_> = (0..8).map(taken).collect();
        for pair in [(0, 1), (0, 2), (1, 1), (1, 2)] {
            assert_eq!(
                taken.iter().filter(|one| **one == pair).count(),
                2,
                "{pair:?} of {taken:?}"
            );
        }
    }

    #[tokio::test]
    async fn connections_come_from_each_address_in_turn() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let net = Net {
            sources: Sources::new(needed(6, 2)),
            ..Net::new(Clock::start())
        };
        let mut seen = BTreeMap::new();
        for _ in 0..3 {
            let (_stream, accepted) = (net.connect(address).await.unwrap(), listener.accept().await.unwrap());
            *seen.entry(accepted.1.ip().to_string()).or_insert(0) += 1;
            let (_bare, accepted) = (net.connect_bare(address).unwrap(), listener.accept().await.unwrap());
            *seen.entry(accepted.1.ip().to_string()).or_insert(0) += 1;
        }
        let expected = ["127.0.0.1", "127.0.0.2", "127.0.0.3"].map(|ip| (ip.to_owned(), 2));
        assert_eq!(seen, expected.into());
    }
}
