//! A peer that stops reading holds up nobody, costs no more than the log, and learns aloud what it lost.

use std::time::Duration;

use bench_client::transports::{ALL, ClientTransport};
use server::wire::{Delivery, Update};

use crate::{
    rig::{Clients, assert_same},
    support::{TestServer, counter, matches, raw::Raw, settings, until},
    tap::{Said, Tap},
};

/// 16 MiB in all: several times what the kernel and the log take.
const UPDATES: u64 = 1_024;
const UPDATE_BYTES: usize = 16 * 1024;
const LOG_UPDATES: usize = 50;
/// Published before the client that keeps up is waited for.
const BURST: u64 = 16;

/// The transports that write without being asked.
pub fn pushing() -> impl Iterator<Item = &'static ClientTransport> {
    let pushes = |row: &&ClientTransport| {
        let mut served = server::transports::ALL.iter();
        served.any(|served| served.id() == row.id && served.description.delivery == Delivery::Push)
    };
    ALL.iter().filter(pushes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stalled_peer_holds_up_nobody_and_learns_what_it_lost() {
    for row in pushing() {
        let mut settings = settings();
        settings.log_updates = LOG_UPDATES;
        let mut server = TestServer::of(matches(1), Some(UPDATE_BYTES), settings);
        server.publish(0);
        let mut stalled = Tap::open(row.id, Raw::connect_narrow(server.address).await, "?topic=match-1").await;
        let mut received = vec![seq(&stalled.updates(1).await[0])];
        let mut keeps_up = Clients::of(&server).open(row, None).await;
        keeps_up.through(1).await;
        while server.hand.published.len() < UPDATES as usize {
            for _ in 0..BURST {
                server.publish(0);
            }
            keeps_up.through(server.hand.published.len() as u64).await;
        }
        assert_same(&keeps_up.got(), &server.hand.published, row.id);
        keeps_up.assert_never_reset();
        let log = server.running.hub.log_stats();
        assert!(
            log.updates <= LOG_UPDATES,
            "{}: {} updates in the log",
            row.id,
            log.updates
        );

        // It reads again, and gets on: what is published now reaches it too.
        let (mut jumps, mut reset) = (0, false);
        let last = server.publish(0).seq;
        while *received.last().expect("the first") < last {
            for said in stalled.next().await {
                match said {
                    Said::Heartbeat => {}
                    Said::Reset(reason) => {
                        assert_eq!(reason, "evicted", "{}", row.id);
                        reset = true;
                    }
                    Said::Update(json) => {
                        let (before, now) = (*received.last().expect("the first"), seq(&json));
                        assert!(now > before, "{}: seq {now} after {before}", row.id);
                        assert!(
                            reset || now == before + 1,
                            "{}: a silent gap, {before} to {now}",
                            row.id
                        );
                        jumps += now - before - 1;
                        reset = false;
                        received.push(now);
                    }
                }
            }
        }
        let stats = server.stats().await;
        assert!(jumps > 0, "{}: nothing was lost, so nothing was tested", row.id);
        assert_eq!(counter(&stats, row.id, "lagged"), jumps as i64, "{}: lagged", row.id);
        assert_eq!(counter(&stats, row.id, "resets"), 1, "{}: resets", row.id);
    }
}

/// In mode latest nothing is lost that counts: the peer gets the newest, and no reset.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stalled_peer_that_wants_the_latest_gets_it_without_a_reset() {
    for row in pushing() {
        let mut settings = settings();
        settings.log_updates = LOG_UPDATES;
        let mut server = TestServer::of(matches(1), Some(UPDATE_BYTES), settings);
        server.publish(0);
        let query = "?topic=match-1&mode=latest";
        let mut stalled = Tap::open(row.id, Raw::connect_narrow(server.address).await, query).await;
        let mut held = seq(&stalled.updates(1).await[0]);
        for _ in 0..UPDATES {
            server.publish(0);
        }
        let last = server.publish(0).seq;
        let mut received = 1;
        while held < last {
            // No reset: reading updates alone would say so.
            let now = seq(&stalled.updates(1).await[0]);
            assert!(now > held, "{}: seq {now} after {held}", row.id);
            (held, received) = (now, received + 1);
        }
        assert!(received < last, "{}: nothing was jumped over", row.id);
        let stats = server.stats().await;
        assert_eq!(counter(&stats, row.id, "lagged"), 0, "{}: lagged", row.id);
        assert_eq!(counter(&stats, row.id, "resets"), 0, "{}: resets", row.id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_takes_nothing_is_given_up_after_the_write_timeout() {
    for row in pushing() {
        let mut settings = settings();
        settings.write_timeout = Duration::from_millis(200);
        let mut server = TestServer::of(matches(1), Some(UPDATE_BYTES), settings);
        server.publish(0);
        let mut stalled = Tap::open(row.id, Raw::connect_narrow(server.address).await, "?topic=all").await;
        stalled.updates(1).await;
        for _ in 0..UPDATES {
            server.publish(0);
        }
        until(row.id, async || {
            let stats = server.stats().await;
            stats["write_stalls"] == 1 && counter(&stats, row.id, "subscribers") == 0
        })
        .await;
        drop(stalled);
    }
}

fn seq(json: &str) -> u64 {
    let update: Update<'_> = serde_json::from_str(json).expect("an update");
    update.seq
}
