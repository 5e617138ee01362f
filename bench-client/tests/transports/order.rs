//! Same updates, same order, whatever carries them.

use bench_client::transports::ALL;
use futures_util::future::join_all;
use server::wire::Mode;

use crate::{
    rig::{Clients, assert_same, of_topic},
    support::{TestServer, settings},
};

const TOPICS: usize = 3;
/// Not a multiple of the topics: the last update is of the first topic, which all here follow.
const UPDATES: usize = 601;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_transport_delivers_the_same_updates_in_the_same_order() {
    for topic in [None, Some(0)] {
        let mut server = TestServer::start(TOPICS, settings());
        for topic in (0..TOPICS).rev() {
            server.publish(topic);
        }
        let newest = TOPICS as u64;
        let mut followers = Clients::of(&server).following(topic).open_all(newest).await;
        let mut hand = server.hand;
        let publishing = tokio::task::spawn_blocking(move || {
            for number in 0..UPDATES {
                hand.publish(number % TOPICS);
            }
            hand.published
        });
        let last = newest + UPDATES as u64;
        join_all(followers.iter_mut().map(|follower| follower.through(last))).await;
        let expected = of_topic(&publishing.await.expect("publishing"), topic);
        for follower in &followers {
            assert_same(&follower.got(), &expected, follower.name);
            follower.assert_never_reset();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_missed_comes_at_once_even_when_the_feed_is_silent() {
    let mut server = TestServer::start(1, settings());
    server.publish(0);
    server.publish(0);
    for row in &ALL {
        let mut follower = Clients::of(&server).open(row, Some(server.cursor(1))).await;
        follower.through(2).await;
        assert_same(&follower.got(), &server.hand.published[1..], row.id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn latest_jumps_over_nothing_for_a_client_that_keeps_up() {
    for topic in [None, Some(0)] {
        let mut server = TestServer::start(TOPICS, settings());
        for topic in (0..TOPICS).rev() {
            server.publish(topic);
        }
        let clients = Clients::of(&server).following(topic).in_mode(Mode::Latest);
        let mut followers = clients.open_all(TOPICS as u64).await;
        for number in 0..30 {
            let published = server.publish(number % TOPICS);
            if topic.is_none_or(|topic| topic == published.topic) {
                join_all(followers.iter_mut().map(|one| one.through(published.offset))).await;
            }
        }
        let expected = of_topic(&server.hand.published, topic);
        for follower in &followers {
            assert_same(&follower.got(), &expected, follower.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn latest_ends_with_the_newest_for_a_client_that_is_behind() {
    for topic in [None, Some(0)] {
        let mut server = TestServer::start(TOPICS, settings());
        for topic in (0..TOPICS).rev() {
            server.publish(topic);
        }
        let clients = Clients::of(&server).following(topic).in_mode(Mode::Latest);
        let mut followers = clients.open_all(TOPICS as u64).await;
        // In one go, before anyone reads.
        for number in 0..UPDATES {
            server.publish(number % TOPICS);
        }
        let last = server.hand.published.last().expect("updates").offset;
        join_all(followers.iter_mut().map(|follower| follower.through(last))).await;
        for follower in &followers {
            let name = follower.name;
            follower.assert_never_reset();
            for one in 0..TOPICS {
                let got = of_topic(&follower.got(), Some(one));
                if topic.is_some_and(|topic| topic != one) {
                    assert_eq!(got, [], "{name}: topic {one} is not followed");
                    continue;
                }
                assert!(
                    got.is_sorted_by(|a, b| a.seq < b.seq),
                    "{name}: seqs of topic {one} increase"
                );
                let newest = of_topic(&server.hand.published, Some(one)).pop();
                assert_eq!(got.last(), newest.as_ref(), "{name}: the newest of topic {one}");
            }
        }
    }
}
