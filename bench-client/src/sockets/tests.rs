//! Real connections on loopback, ended in every way there is.

use std::{
    io::{Read, Write},
    net::TcpListener,
};

use super::*;

/// A connection on loopback: three bytes there, five back.
#[test]
fn the_kernels_counts_are_those_of_the_exchange() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let sockets = Arc::<Sockets>::default();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let watched = Watched::new(stream, sockets.clone());
        let (mut peer, _) = listener.accept().unwrap();
        watched.stream.writable().await.unwrap();
        assert_eq!(watched.stream.try_write(b"abc").unwrap(), 3);
        let mut three = [0; 3];
        peer.read_exact(&mut three).unwrap();
        peer.write_all(b"12345").unwrap();
        watched.stream.readable().await.unwrap();

        let open = sockets.counts(true);
        assert_eq!((open.unread_sockets, open.unread_bytes), (1, 5));
        assert_eq!(watched.stream.try_read(&mut [0; 8]).unwrap(), 5);
        assert_eq!(sockets.counts(true).unread_bytes, 0);
        drop(watched);
        let closed = sockets.counts(true).wire;
        assert_eq!(closed.connections_opened, 1);
        assert_eq!((closed.payload_bytes_sent, closed.payload_bytes_received), (3, 5));
        assert_eq!(closed.retransmitted_segments, 0);
        let header = IPV4_HEADER_BYTES + TCP_HEADER_BYTES + TIMESTAMPS_BYTES;
        assert_eq!(closed.bytes_sent, 3 + closed.segments_sent * header + SYN_OPTIONS_BYTES);
        // SYN, the ACK that ends the handshake, and the data.
        assert!(closed.segments_sent >= 3, "{closed:?}");
        assert_eq!(sockets.0.lock().open.len(), 0, "a closed socket is forgotten");
    });
}

/// Whichever way a connection ends, its payload is what was said: the end of the stream is no byte of it, nor is a reset.
#[test]
fn an_end_and_a_reset_are_no_payload() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for (reset, said) in [(true, &b""[..]), (true, b"12"), (false, b""), (false, b"12")] {
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let sockets = Arc::<Sockets>::default();
            let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let watched = Watched::new(stream, sockets.clone());
            let (mut peer, _) = listener.accept().unwrap();
            peer.write_all(said).unwrap();
            if reset {
                // Zero: what is left is thrown away, and the peer is told with a reset.
                let peer = socket2::SockRef::from(&peer);
                peer.set_linger(Some(std::time::Duration::ZERO)).unwrap();
            }
            drop(peer);
            // Its end, or the reset, has arrived when a read says so.
            let mut buffer = [0; 8];
            loop {
                watched.stream.readable().await.unwrap();
                match watched.stream.try_read(&mut buffer) {
                    Ok(1..) => {}
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                    _ => break,
                }
            }
            drop(watched);
            let wire = sockets.counts(false).wire;
            assert_eq!(
                wire.payload_bytes_received,
                said.len() as u64,
                "reset: {reset}, said: {said:?}"
            );
        });
    }
}

/// A server that is killed ends its stream, and answers what is still sent to it with a reset.
#[test]
fn an_end_with_a_reset_behind_it_is_no_payload_either() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for reads_the_end in [true, false] {
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let sockets = Arc::<Sockets>::default();
            let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let watched = Watched::new(stream, sockets.clone());
            let (mut peer, _) = listener.accept().unwrap();
            peer.write_all(b"12").unwrap();
            peer.shutdown(std::net::Shutdown::Write).unwrap();
            for expected in [2, 0].into_iter().take(if reads_the_end { 2 } else { 1 }) {
                watched.stream.readable().await.unwrap();
                let read = watched.stream.try_read(&mut [0; 8]);
                assert_eq!(*read.as_ref().unwrap(), expected);
                watched.noticed(&read);
            }
            socket2::SockRef::from(&peer)
                .set_linger(Some(std::time::Duration::ZERO))
                .unwrap();
            drop(peer);
            // The reset has arrived when a write says so.
            loop {
                watched.stream.writable().await.unwrap();
                let wrote = watched.stream.try_write(b"x");
                if !matches!(&wrote, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
                    watched.noticed(&wrote);
                }
                if wrote.is_err() {
                    break;
                }
            }
            drop(watched);
            assert_eq!(
                sockets.counts(false).wire.payload_bytes_received,
                2,
                "reads the end: {reads_the_end}"
            );
        });
    }
}
