//! Sessions that open with an old cursor while updates are published: from history into live without a seam.

use std::sync::Arc;

use bench_client::transports::ALL;
use futures_util::future::join_all;
use tokio::sync::Semaphore;

use crate::{
    rig::{Clients, assert_same, below, of_topic, random},
    support::{TestServer, settings, soon},
};

const SEED: u64 = 7;
const TOPICS: usize = 2;
const HISTORY: usize = 100;
const SESSIONS_PER_TRANSPORT: usize = 8;
/// Published at full speed around each step of each session.
const RUSH: usize = 50;
/// Before it connects, when it is open, and after its first delivery.
const STEPS: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_runs_into_live_without_a_gap() {
    for topic in [None, Some(0)] {
        let mut server = TestServer::start(TOPICS, settings());
        for number in 0..HISTORY {
            server.publish(number % TOPICS);
        }
        let rushes = ALL.len() * SESSIONS_PER_TRANSPORT * STEPS;
        let (starts, epoch) = (Arc::new(Semaphore::new(0)), server.epoch);
        let clients = Clients::of(&server).following(topic);
        let mut hand = server.hand;
        let publishing = tokio::spawn({
            let starts = starts.clone();
            async move {
                for _ in 0..rushes {
                    starts.acquire().await.expect("never closed").forget();
                    for _ in 0..RUSH {
                        hand.publish(hand.published.len() % TOPICS);
                    }
                }
                // The last is of a topic that all follow.
                hand.publish(0);
                hand.published
            }
        });
        let last = (HISTORY + rushes * RUSH + 1) as u64;
        let mut random = random(SEED, "cursors");
        let sessions = ALL
            .iter()
            .flat_map(|row| (0..SESSIONS_PER_TRANSPORT).map(move |_| row))
            .map(|row| {
                let offset = u64::from(below(&mut random, HISTORY as u32));
                let (clients, starts) = (&clients, &starts);
                async move {
                    starts.add_permits(1);
                    let since = server::wire::Cursor { epoch, offset };
                    let mut follower = clients.open(row, Some(since)).await;
                    starts.add_permits(1);
                    follower
                        .next()
                        .await
                        .unwrap_or_else(|error| panic!("{}: {error}", row.id));
                    starts.add_permits(1);
                    follower.through(last).await;
                    (offset, follower)
                }
            });
        let followers = join_all(sessions.collect::<Vec<_>>()).await;
        let published = soon("the publisher ends", publishing).await.expect("publishing");
        for (since, follower) in followers {
            let expected = of_topic(&published[since as usize..], topic);
            assert_same(&follower.got(), &expected, follower.name);
            follower.assert_never_reset();
        }
    }
}
