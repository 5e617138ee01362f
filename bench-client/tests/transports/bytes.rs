//! What the client counts is what was on the wire, to the byte: a relay between the two holds every byte of the exchange.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, atomic::Ordering::Relaxed},
};

use bench_client::{headers::HeaderSet, transports::ALL};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

use crate::{
    rig::Clients,
    support::{TestServer, matches, settings, until},
};

const UPDATE_BYTES: usize = 300;

/// What one connection carried.
#[derive(Default)]
pub struct Carried {
    pub up: Vec<u8>,
    pub down: Vec<u8>,
}

pub type Connections = Arc<Mutex<Vec<Carried>>>;

/// Carries connections to `target` and keeps a copy of all their bytes.
pub async fn relay(target: SocketAddr) -> (SocketAddr, Connections) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port 0 is always free");
    let address = listener.local_addr().expect("it is bound");
    let connections = Connections::default();
    let kept = connections.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(target).await.expect("the server listens");
            let index = {
                let mut kept = kept.lock().expect("no panic under it");
                kept.push(Carried::default());
                kept.len() - 1
            };
            let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
            let (up, down) = (kept.clone(), kept.clone());
            tokio::spawn(carry(from_client, to_server, move |bytes| {
                up.lock().expect("no panic under it")[index].up.extend(bytes);
            }));
            tokio::spawn(carry(from_server, to_client, move |bytes| {
                down.lock().expect("no panic under it")[index].down.extend(bytes);
            }));
        }
    });
    (address, connections)
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, keep: impl Fn(&[u8])) {
    let mut piece = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        keep(&piece[..read]);
        if to.write_all(&piece[..read]).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counters_agree_with_the_wire_to_the_byte() {
    for row in &ALL {
        for (headers, keep_alive) in [
            (HeaderSet::Browser, true),
            (HeaderSet::Minimal, true),
            (HeaderSet::Browser, false),
        ] {
            let who = format!("{}, {headers:?} headers, keep-alive {keep_alive}", row.id);
            let mut server = TestServer::of(matches(1), Some(UPDATE_BYTES), settings());
            server.publish(0);
            let (address, connections) = relay(server.address).await;
            let mut clients = Clients::of(&server);
            clients.endpoint.address = address;
            clients.endpoint.headers = headers;
            clients.endpoint.keep_alive = keep_alive;
            let mut follower = clients.open(row, None).await;
            follower.through(1).await;
            server.publish(0);
            follower.through(2).await;
            let sizes: Vec<_> = follower.updates.iter().map(|update| update.bytes as usize).collect();
            assert_eq!(sizes, [UPDATE_BYTES; 2], "{who}");

            let counted = &clients.net.counters;
            let carried = || {
                let connections = connections.lock().expect("no panic under it");
                let up: usize = connections.iter().map(|one| one.up.len()).sum();
                let down: usize = connections.iter().map(|one| one.down.len()).sum();
                (up as u64, down as u64)
            };
            let agree = || carried() == (counted.bytes_sent.load(Relaxed), counted.bytes_received.load(Relaxed));
            // The end of the last chunk or close may lie unread behind the update: whoever waits for more reads it.
            for _ in 0..1_000 {
                if agree() {
                    break;
                }
                follower.next_within(1).await;
                tokio::task::yield_now().await;
            }
            let (up, down) = carried();
            assert_eq!(counted.bytes_sent.load(Relaxed), up, "{who}: bytes sent");
            assert_eq!(counted.bytes_received.load(Relaxed), down, "{who}: bytes received");
            let connections = connections.lock().expect("no panic under it");
            let heads = |one: &Carried| String::from_utf8_lossy(&one.up).matches(" HTTP/1.1\r\n").count();
            let requests: usize = connections.iter().map(heads).sum();
            assert_eq!(counted.requests.load(Relaxed), requests as u64, "{who}: requests");
            assert_eq!(
                counted.connections.load(Relaxed),
                connections.len() as u64,
                "{who}: connections"
            );
            assert!(down > 2 * UPDATE_BYTES as u64, "{who}: {down} bytes");
        }
    }
}

/// The server's own count, seen from outside: everything between two readings of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_counts_the_same_bytes() {
    for row in &ALL {
        let mut server = TestServer::of(matches(1), Some(UPDATE_BYTES), settings());
        server.publish(0);
        let clients = Clients::of(&server);
        let mut follower = clients.open(row, None).await;
        follower.through(1).await;
        server.publish(0);
        follower.through(2).await;
        let counted = &clients.net.counters;
        let sent = counted.bytes_sent.load(Relaxed);
        // A reading does not count its own answer, but its own question.
        let question = "GET /api/stats HTTP/1.1\r\nhost: feed.test\r\n\r\n".len() as u64;
        let mut questions = 0;
        until(row.id, async || {
            questions += 1;
            let stats = server.stats().await;
            stats["bytes_received"] == sent + questions * question
        })
        .await;
    }
}
