//! Relays between real sockets. Times are judged from below alone: a busy machine may be late.

use std::time::Instant;

use server::Stop;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    runtime::Runtime,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{
    pipe::Stall,
    relay::{CONNECTIONS_MAX, Way, start},
    *,
};

/// How long anything that must happen may take.
const SOON: Duration = Duration::from_secs(60);
const MS: fn(u64) -> Duration = Duration::from_millis;

fn way(delay: Duration) -> Way {
    Way {
        delay,
        stall: None,
        write_timeout: SOON,
    }
}

/// A relay in front of a listener of the test's own.
struct Lane {
    server: TcpListener,
    relay: SocketAddr,
    stop: Stop,
}

impl Lane {
    async fn new(way: Way) -> Self {
        let server = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let (relay, stop) = (listener.local_addr().unwrap(), Stop::default());
        let cap = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        start(listener, server.local_addr().unwrap(), way, cap, stop.clone());
        Self { server, relay, stop }
    }

    async fn client(&self) -> TcpStream {
        TcpStream::connect(self.relay).await.expect("the relay listens")
    }

    /// Both ends of a connection through it.
    async fn ends(&self) -> (TcpStream, TcpStream) {
        let client = self.client().await;
        let (server, _) = self.server.accept().await.expect("the relay connects");
        (client, server)
    }
}

#[track_caller]
fn within_time<T>(test: impl Future<Output = T>) -> T {
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(async { timeout(SOON, test).await.expect("in time") })
}

#[test]
fn a_round_trip_takes_the_delay_twice_and_the_first_one_a_handshake_more() {
    within_time(async {
        let lane = Lane::new(way(MS(50))).await;
        let asked = Instant::now();
        let mut client = lane.client().await;
        client.write_all(b"a").await.unwrap();
        let (mut server, _) = lane.server.accept().await.unwrap();
        assert!(asked.elapsed() >= MS(100), "a handshake: {:?}", asked.elapsed());
        assert_eq!(server.read_u8().await.unwrap(), b'a');
        assert!(asked.elapsed() >= MS(150), "and one way: {:?}", asked.elapsed());
        server.write_all(b"b").await.unwrap();
        assert_eq!(client.read_u8().await.unwrap(), b'b');
        assert!(asked.elapsed() >= MS(200), "and back: {:?}", asked.elapsed());
        let again = Instant::now();
        client.write_all(b"c").await.unwrap();
        assert_eq!(server.read_u8().await.unwrap(), b'c');
        server.write_all(b"d").await.unwrap();
        assert_eq!(client.read_u8().await.unwrap(), b'd');
        assert!(again.elapsed() >= MS(100), "{:?}", again.elapsed());
    });
}

#[test]
fn megabytes_each_way_at_once_come_out_as_they_went_in() {
    // More than the queue of this delay holds, in words that repeat nowhere.
    let bytes: Vec<u8> = (0..1_000_000u32).flat_map(|word| word.to_le_bytes()).collect();
    within_time(async {
        let lane = Lane::new(way(MS(10))).await;
        let (client, server) = lane.ends().await;
        let exchange = |stream: TcpStream, bytes: Vec<u8>| async move {
            let (mut read, mut write) = stream.into_split();
            let sending = tokio::spawn(async move {
                write.write_all(&bytes).await.expect("it is taken");
                // Says that this is all: the end of the stream, while the other direction goes on.
                write.shutdown().await.expect("it is open");
            });
            let mut got = Vec::new();
            read.read_to_end(&mut got).await.expect("it ends in good order");
            sending.await.expect("sending does not panic");
            got
        };
        let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
        let there = tokio::spawn(exchange(client, bytes.clone()));
        let back = exchange(server, reversed.clone()).await;
        assert!(back == bytes && there.await.unwrap() == reversed);
        lane.stop.tasks.close();
        lane.stop.begun.cancel();
        lane.stop.tasks.wait().await;
    });
}

#[test]
fn the_end_of_one_direction_leaves_the_other_open() {
    within_time(async {
        let lane = Lane::new(way(MS(20))).await;
        let (mut client, mut server) = lane.ends().await;
        client.write_all(b"all of it").await.unwrap();
        let asked = Instant::now();
        client.shutdown().await.unwrap();
        let mut got = Vec::new();
        server.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, b"all of it");
        assert!(asked.elapsed() >= MS(20), "{:?}", asked.elapsed());
        server.write_all(b"an answer").await.unwrap();
        drop(server);
        got.clear();
        client.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, b"an answer");
    });
}

#[test]
fn a_reset_passes_with_its_delay_in_both_directions() {
    within_time(async {
        let lane = Lane::new(way(MS(50))).await;
        for by_client in [true, false] {
            let (client, server) = lane.ends().await;
            let (one, mut other) = if by_client { (client, server) } else { (server, client) };
            one.set_zero_linger().unwrap();
            let asked = Instant::now();
            drop(one);
            let error = other.read_u8().await.expect_err("a reset is no end");
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "by client: {by_client}");
            assert!(asked.elapsed() >= MS(50), "{:?}", asked.elapsed());
        }
    });
}

#[test]
fn a_client_is_reset_where_the_way_leads_nowhere() {
    within_time(async {
        // Bound, so that nobody else gets the port, and not listening.
        let nobody = TcpSocket::new_v4().unwrap();
        nobody.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (relay, cap) = (listener.local_addr().unwrap(), Arc::new(Semaphore::new(1)));
        start(listener, nobody.local_addr().unwrap(), way(MS(1)), cap, Stop::default());
        let mut client = TcpStream::connect(relay).await.unwrap();
        let error = client.read_u8().await.expect_err("nobody is there");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_slow_reader_takes_nothing_for_its_time_and_loses_nothing() {
    let slow = Way {
        stall: Some(Stall {
            quiet: MS(600),
            cycle: MS(800),
        }),
        ..way(Duration::ZERO)
    };
    within_time(async {
        let lane = Lane::new(slow).await;
        let (client, mut server) = lane.ends().await;
        let starved = CancellationToken::new();
        let enough = starved.clone();
        let sending = tokio::spawn(async move {
            let mut sent = 0u32;
            while !enough.is_cancelled() {
                server.write_u32_le(sent).await.expect("it is taken in the end");
                sent += 1;
            }
            sent
        });
        let mut client = tokio::io::BufReader::new(client);
        let (mut got, mut last) = (0, Instant::now());
        while let Ok(word) = client.read_u32_le().await {
            assert_eq!(word, got);
            got += 1;
            // The last of what was taken may come out late, so not all of the 600 ms are seen here.
            if last.elapsed() >= MS(300) {
                starved.cancel();
            }
            last = Instant::now();
        }
        assert!(starved.is_cancelled(), "it never starved");
        assert_eq!(sending.await.expect("sending does not panic"), got);
    });
}

#[test]
fn connections_are_bounded_and_all_of_them_end_with_the_server() {
    within_time(async {
        let lane = Lane::new(way(MS(1))).await;
        let mut open = Vec::new();
        for _ in 0..CONNECTIONS_MAX {
            open.push(lane.ends().await);
        }
        let mut one_more = lane.client().await;
        assert_eq!(one_more.read(&mut [0]).await.unwrap(), 0, "closed");
        // A place that is given back is taken again.
        drop(open.pop());
        let (mut again, mut nothing) = (lane.client().await, [0]);
        loop {
            tokio::select! {
                _ = lane.server.accept() => break,
                // Too early: the relay has not seen the other one go.
                _ = again.read(&mut nothing) => again = lane.client().await,
            }
        }

        lane.stop.tasks.close();
        lane.stop.begun.cancel();
        // A server that has said everything closes; what neither end closes is cut.
        let (mut client, server) = open.pop().expect("there are some");
        drop(server);
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
        lane.stop.cut.cancel();
        lane.stop.tasks.wait().await;
        for (mut client, _server) in open {
            assert!(matches!(client.read(&mut [0]).await, Ok(0) | Err(_)));
        }
    });
}
