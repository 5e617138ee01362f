//! A cursor that cannot be continued is answered with a reset and the newest state: never with silence, never with a gap.

use bench_client::transports::ALL;
use server::{settings::ServerSettings, wire::Cursor};

use crate::{
    rig::{Clients, assert_same, of_topic},
    support::{Published, TestServer, settings},
    tap::{Said, Tap},
};

const TOPICS: usize = 2;
/// Enough for the log below and for a mebibyte of large ones.
const UPDATES: usize = 40;
const LARGE_BYTES: usize = 60_000;

/// A log that holds few updates, by count or by bytes.
fn small_logs() -> [(&'static str, ServerSettings, Option<usize>); 2] {
    let (mut by_count, mut by_bytes) = (settings(), settings());
    by_count.log_updates = 5;
    by_bytes.log_mib = 1;
    [
        ("evicted by the count", by_count, None),
        ("evicted by the bytes", by_bytes, Some(LARGE_BYTES)),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_bad_cursor_is_answered_with_a_reset_and_the_newest_state() {
    for (evicted, settings, update_bytes) in small_logs() {
        let mut server = TestServer::of(crate::support::matches(TOPICS), update_bytes, settings);
        for number in 0..UPDATES {
            server.publish(number % TOPICS);
        }
        let last = server.cursor(UPDATES as u64);
        let bad = [
            (evicted, "evicted", server.cursor(1)),
            (
                "of another epoch",
                "other_epoch",
                Cursor {
                    epoch: last.epoch - 1,
                    ..last
                },
            ),
            ("ahead", "ahead", server.cursor(last.offset + 1)),
        ];
        for topic in [None, Some(1)] {
            let newest = newest(&of_topic(&server.hand.published, topic));
            for (kind, reason, cursor) in bad {
                for row in &ALL {
                    let who = format!("{}, a cursor {kind}, topic {topic:?}", row.id);
                    let mut follower = Clients::of(&server).following(topic).open(row, Some(cursor)).await;
                    follower.through(last.offset).await;
                    assert_eq!(follower.resets, [0], "{who}: a reset first");
                    assert_same(&follower.got(), &newest, &who);

                    let name = topic.map_or("all".into(), |topic| format!("match-{}", topic + 1));
                    let query = format!("?topic={name}&since={cursor}");
                    let mut tap = Tap::connect(row.id, server.address, &query).await;
                    let mut said = Vec::new();
                    while said.is_empty() {
                        said = tap.next().await;
                    }
                    assert_eq!(said[0], Said::Reset(reason.into()), "{who}: its reason");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_oldest_cursor_that_can_be_continued_is() {
    for (kind, settings, update_bytes) in small_logs() {
        let mut server = TestServer::of(crate::support::matches(TOPICS), update_bytes, settings);
        for number in 0..UPDATES {
            server.publish(number % TOPICS);
        }
        let log = server.running.hub.log_stats();
        assert!(log.evicted_through > 0, "{kind}: nothing left the log");
        let oldest = server.cursor(log.evicted_through);
        for row in &ALL {
            let mut follower = Clients::of(&server).open(row, Some(oldest)).await;
            follower.through(UPDATES as u64).await;
            follower.assert_never_reset();
            let expected = &server.hand.published[log.evicted_through as usize..];
            assert_same(&follower.got(), expected, row.id);
        }
    }
}

/// A session that is cut right after the word "reset", before the newest state came, must not take itself for whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_between_reset_and_newest_state_loses_nothing_in_silence() {
    let mut server = TestServer::start(TOPICS, settings());
    for number in 0..UPDATES {
        server.publish(number % TOPICS);
    }
    let ahead = server.cursor(UPDATES as u64 + 1);
    for row in &ALL {
        let mut follower = Clients::of(&server).open(row, Some(ahead)).await;
        while follower.resets.is_empty() {
            follower
                .next()
                .await
                .unwrap_or_else(|error| panic!("{}: {error}", row.id));
        }
        let held = follower.got();
        let cursor = follower.session.cursor();
        drop(follower);
        let mut resumed = Clients::of(&server).open(row, cursor).await;
        let newest = newest(&server.hand.published);
        if held != newest {
            resumed.through(UPDATES as u64).await;
            let both = [held, resumed.got()].concat();
            assert!(
                newest.iter().all(|one| both.contains(one)),
                "{}: the newest state is lost",
                row.id
            );
        }
    }
}

/// The newest update of each topic, in order of offset.
fn newest(published: &[Published]) -> Vec<Published> {
    let is_newest = |one: &&Published| {
        !published
            .iter()
            .any(|other| other.topic == one.topic && other.seq > one.seq)
    };
    published.iter().filter(is_newest).copied().collect()
}
