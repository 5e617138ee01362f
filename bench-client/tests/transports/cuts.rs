//! A client that is cut again and again, and resumes each time where it stood, holds everything once.

use std::sync::Arc;

use bench_client::transports::{ALL, ClientTransport};
use futures_util::future::join_all;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{
    rig::{Clients, assert_same, below, cut_after, of_topic, published, random},
    support::{Hand, TestServer, settings, soon},
};

const SEED: u64 = 20_251_120;
const TOPICS: usize = 2;
/// Two of them follow all topics, two follow one.
const CLIENTS: usize = 4;
const CUTS_PER_CLIENT: usize = 300;
/// Updates published ahead of the slowest client: enough to be behind at times, few enough to be at the newest at others.
const AHEAD: usize = 60;
const BURST_MOST: u32 = 20;

#[tokio::test]
async fn what_was_not_handed_out_yet_is_not_held() {
    let mut server = TestServer::start(1, settings());
    server.publish(0);
    for row in &ALL {
        let mut follower = Clients::of(&server).open(row, Some(server.cursor(0))).await;
        assert_eq!(follower.session.cursor(), Some(server.cursor(0)), "{}: opened", row.id);
        follower.through(1).await;
        assert_eq!(
            follower.session.cursor(),
            Some(server.cursor(1)),
            "{}: handed out",
            row.id
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_random_cuts_lose_nothing_and_repeat_nothing() {
    for row in &ALL {
        let mut server_settings = settings();
        server_settings.log_updates = 1_000_000;
        let server = TestServer::start(TOPICS, server_settings);
        let clients = Clients::of(&server);
        let since = server.cursor(0);
        let credits: Vec<_> = (0..CLIENTS).map(|_| Arc::new(Semaphore::new(AHEAD))).collect();
        let done = CancellationToken::new();
        let publishing = tokio::spawn(publish(server.hand, credits.clone(), done.clone()));
        let cut = credits.into_iter().enumerate().map(|(index, credit)| {
            let topic = (index % 2 == 1).then_some(index / 2);
            let client = CutClient {
                row,
                clients: clients.following(topic),
                credit,
                seed: SEED + index as u64,
            };
            async move { (topic, client.run(since).await) }
        });
        let got = join_all(cut).await;
        done.cancel();
        let hand = soon("the publisher ends", publishing).await.expect("publishing");
        for (topic, got) in got {
            let expected = of_topic(&hand, topic);
            assert!(got.len() > CUTS_PER_CLIENT, "{}: only {} updates", row.id, got.len());
            assert_same(&got, &expected[..got.len()], row.id);
        }
    }
}

/// Publishes in bursts, as far ahead of the clients as they give credit for.
async fn publish(
    mut hand: Hand,
    credits: Vec<Arc<Semaphore>>,
    done: CancellationToken,
) -> Vec<crate::support::Published> {
    let mut random = random(SEED, "bursts");
    let publishing = async {
        loop {
            let burst = 1 + below(&mut random, BURST_MOST);
            for credit in &credits {
                credit.acquire_many(burst).await.expect("never closed").forget();
            }
            for _ in 0..burst {
                // In turn: no topic is silent for longer than the credit lasts.
                hand.publish(hand.published.len() % TOPICS);
            }
        }
    };
    tokio::select! {
        () = publishing => {}
        () = done.cancelled() => {}
    }
    hand.published
}

struct CutClient {
    row: &'static ClientTransport,
    clients: Clients,
    credit: Arc<Semaphore>,
    seed: u64,
}

impl CutClient {
    /// Everything it got over all its sessions.
    async fn run(self, since: server::wire::Cursor) -> Vec<crate::support::Published> {
        let mut random = random(self.seed, self.row.id);
        let mut cursor = since;
        let mut got = Vec::new();
        for _ in 0..CUTS_PER_CLIENT {
            // Some are cut while they connect, some while they wait, the others after a number of updates.
            let patience = match below(&mut random, 4) {
                0 => 1 + below(&mut random, 8),
                _ => u32::MAX,
            };
            let Some(opened) = cut_after(patience, self.clients.try_open(self.row, Some(cursor))).await else {
                continue;
            };
            let mut session = opened.unwrap_or_else(|error| panic!("{}: {error}", self.row.id));
            let enough = below(&mut random, 30) as usize;
            while session.updates.len() < enough {
                match session.next_within(patience).await {
                    Some(Ok(())) => {}
                    Some(Err(error)) => panic!("{}: {error}", self.row.id),
                    None => break,
                }
                let held = session.session.cursor().expect("it resumed");
                self.credit.add_permits((held.offset - cursor.offset) as usize);
                cursor = held;
            }
            session.assert_never_reset();
            // What was handed out before the cut is held, and the cursor says so.
            let held = session.session.cursor().expect("it resumed");
            self.credit.add_permits((held.offset - cursor.offset) as usize);
            cursor = held;
            got.extend(published(&session.updates));
        }
        // The others go on without this one.
        self.credit.add_permits(Semaphore::MAX_PERMITS / 2);
        got
    }
}
