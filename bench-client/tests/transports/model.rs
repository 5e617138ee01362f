//! What the model of a transport counts with is what goes over the socket, to the byte: requests, answers, events, frames.

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use bench_client::{
    headers::HeaderSet,
    transports::{
        ALL, ClientTransport, Endpoint,
        framing::{Answer, HEARTBEAT},
    },
};
use server::wire::{Cursor, Mode};

use crate::{
    bytes::relay,
    rig::Clients,
    support::{
        TestServer, matches,
        raw::{PING, PONG},
        settings, soon,
    },
};

/// Updates of one session: the cursor grows from one digit to two.
const UPDATES: u64 = 12;

/// What a session of a poll transport exchanges, or a stream carries, by the model: sent and received.
struct Model<'a> {
    row: &'a ClientTransport,
    endpoint: Endpoint,
    epoch: u64,
    update_bytes: u64,
}

impl Model<'_> {
    fn cursor(&self, offset: u64) -> Cursor {
        Cursor {
            epoch: self.epoch,
            offset,
        }
    }

    fn request(&self, since: Option<u64>) -> u64 {
        (self.row.framing.request)(&self.endpoint, since.map(|offset| self.cursor(offset)))
    }

    fn answer(&self, offset: u64, updates: u64) -> u64 {
        let answer = Answer {
            cursor: self.cursor(offset),
            updates,
            update_bytes: self.update_bytes,
        };
        (self.row.framing.answer)(&self.endpoint, answer)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_model_knows_every_byte() {
    let shapes = [
        (HeaderSet::Browser, true, 300, Mode::Every),
        (HeaderSet::Minimal, true, 300, Mode::Latest),
        (HeaderSet::Browser, false, 300, Mode::Every),
        // Other lengths of WebSocket's length and of the chunk's, and an answer whose length has more digits.
        (HeaderSet::Browser, true, 65_536, Mode::Every),
        (HeaderSet::Minimal, false, 4_096, Mode::Every),
    ];
    for row in &ALL {
        for (headers, keep_alive, update_bytes, mode) in shapes {
            let mut server = TestServer::of(matches(1), Some(update_bytes), settings());
            let mut clients = Clients::of(&server).following(Some(0)).in_mode(mode);
            clients.endpoint.headers = headers;
            clients.endpoint.keep_alive = keep_alive;
            let who = format!(
                "{}, {headers:?}, keep-alive {keep_alive}, {update_bytes} B, {mode:?}",
                row.id
            );
            let model = Model {
                row,
                endpoint: clients.endpoint.clone(),
                epoch: server.epoch,
                update_bytes: update_bytes as u64,
            };
            exchange(&mut server, &clients, &model, &who).await;
        }
    }
}

/// One session that gets one update at a time, compared with the model after each.
async fn exchange(server: &mut TestServer, clients: &Clients, model: &Model<'_>, who: &str) {
    let counted = &clients.net.counters;
    let (sent, received) = (
        || counted.bytes_sent.load(Relaxed),
        || counted.bytes_received.load(Relaxed),
    );
    let (requests, empty) = (
        || counted.requests.load(Relaxed),
        || counted.empty_responses.load(Relaxed),
    );
    let mut follower = clients.open(model.row, None).await;
    let (mut up, mut down) = (model.request(None), model.answer(0, 0));
    assert_eq!(follower.session.setup_bytes(), up + down, "{who}: setting up");
    down += model.row.framing.preamble;
    let (mut asked, mut in_vain) = (requests(), empty());
    for offset in 1..=UPDATES {
        server.publish(0);
        follower.through(offset).await;
        match model.row.framing.pushed {
            Some(pushed) => down += pushed(model.cursor(offset), model.update_bytes),
            None => {
                let (polls, vain) = (requests() - asked, empty() - in_vain);
                up += polls * model.request(Some(offset - 1));
                down += vain * model.answer(offset - 1, 0) + (polls - vain) * model.answer(offset, 1);
                (asked, in_vain) = (asked + polls, in_vain + vain);
            }
        }
        assert_eq!(sent(), up, "{who}: sent with update {offset}");
        if model.row.framing.pushed.is_none() {
            assert_eq!(received(), down, "{who}: received with update {offset}");
        }
    }
    // The end of a chunk may lie unread behind its update: whoever waits for more reads it.
    for _ in 0..1_000 {
        if received() == down {
            break;
        }
        follower.next_within(1).await;
        tokio::task::yield_now().await;
    }
    if model.row.framing.pushed.is_some() {
        assert_eq!(received(), down, "{who}: received in all");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_model_knows_the_signs_of_life() {
    const SIGNS: u64 = 3;
    assert_eq!(settings().heartbeat, HEARTBEAT, "the server's default");
    for row in &ALL {
        let Some(heartbeat) = row.framing.heartbeat else {
            continue;
        };
        let mut settings = settings();
        settings.heartbeat = Duration::from_millis(20);
        let server = TestServer::of(matches(1), Some(300), settings);
        let (address, connections) = relay(server.address).await;
        let mut clients = Clients::of(&server);
        clients.endpoint.address = address;
        let mut follower = clients.open(row, None).await;
        // Behind the heads: pings and their pongs, or comments, and nothing else, because nothing is published.
        let lives = || {
            let connections = connections.lock().expect("no panic under it");
            let behind = |bytes: &[u8]| {
                let head = bytes.windows(4).position(|end| end == b"\r\n\r\n").map(|at| at + 4);
                bytes[head.unwrap_or(bytes.len())..].to_vec()
            };
            let first_chunk = b"C\r\nretry: 1000\n\r\n";
            let down = behind(&connections[0].down);
            let down = down.strip_prefix(first_chunk).unwrap_or(&down).to_vec();
            (behind(&connections[0].up), down)
        };
        let (up, down, signs) = soon(row.id, async {
            loop {
                follower.next_within(1).await;
                tokio::task::yield_now().await;
                let (up, down) = lives();
                let pings = down.chunks(2).filter(|frame| *frame == [PING, 0]).count() as u64;
                let pongs = up.chunks(6).filter(|frame| frame[0] == PONG).count() as u64;
                let comments = String::from_utf8_lossy(&down).matches(":\n\r\n").count() as u64;
                if pings == pongs && pings + comments >= SIGNS {
                    break (up, down, pings + comments);
                }
            }
        })
        .await;
        assert_eq!(
            (up.len() + down.len()) as u64,
            signs * heartbeat.bytes,
            "{}: {up:x?} {down:x?}",
            row.id
        );
    }
}
