//! What the model of a transport counts with is what goes over the socket, to the byte: requests, answers, events, frames.

use std::sync::atomic::Ordering::Relaxed;

use bench_client::{
    headers::HeaderSet,
    transports::{ALL, ClientTransport, Endpoint, framing::Answer},
};
use server::wire::{Cursor, Mode};

use crate::{
    rig::Clients,
    support::{TestServer, matches, settings},
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
