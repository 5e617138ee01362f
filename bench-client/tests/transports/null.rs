//! The null server, as the bench client's own sessions see it: the same updates in the same order, with other due times.

use bench_client::transports::ALL;
use futures_util::future::join_all;
use server::{null::Null, wire::Mode};

use crate::{
    rig::{Clients, Follower, assert_same, of_topic},
    support::{Published, TestServer, settings},
};

const TOPICS: usize = 3;
/// Not a multiple of the topics: the last update is of the first topic, which all here follow.
const UPDATES: usize = 301;

/// A server with a null server beside it, and clients of the null server.
fn servers() -> (TestServer, Null, Clients) {
    let server = TestServer::start(TOPICS, settings());
    let null = server.running.start_null().expect("port 0 is always free");
    let mut clients = Clients::of(&server);
    (clients.endpoint.address, clients.endpoint.authority) = (null.address, null.address.to_string());
    (server, null, clients)
}

/// What it got, with the due times of what was published: the null server sets its own, between then and the receipt.
#[track_caller]
fn put_right(follower: &Follower, published: &[Published], since_us: u64) -> Vec<Published> {
    let mut got = follower.got();
    for (got, arrival) in got.iter_mut().zip(&follower.updates) {
        assert!(
            (since_us..=arrival.received_us).contains(&arrival.due_us),
            "{}: {arrival:?}",
            follower.name
        );
        got.due_us = published[got.offset as usize - 1].due_us;
    }
    got
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_session_gets_every_update_in_order() {
    for (topic, keep_alive) in [(None, true), (Some(0), true), (Some(0), false)] {
        let (mut server, _null, mut clients) = servers();
        clients.endpoint.keep_alive = keep_alive;
        let since_us = clients.net.clock.now_us();
        for topic in (0..TOPICS).rev() {
            server.publish(topic);
        }
        let newest = TOPICS as u64;
        let mut followers = clients.following(topic).open_all(newest).await;
        let mut hand = server.hand;
        let publishing = tokio::task::spawn_blocking(move || {
            for number in 0..UPDATES {
                hand.publish(number % TOPICS);
            }
            hand.published
        });
        let last = newest + UPDATES as u64;
        join_all(followers.iter_mut().map(|follower| follower.through(last))).await;
        let published = publishing.await.expect("publishing");
        for follower in &followers {
            let got = put_right(follower, &published, since_us);
            assert_same(&got, &of_topic(&published, topic), follower.name);
            follower.assert_never_reset();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_comes_back_goes_on_where_it_was() {
    let (mut server, _null, clients) = servers();
    for topic in [0, 1, 2, 0, 0] {
        server.publish(topic);
    }
    for row in &ALL {
        let since = Some(server.cursor(2));
        let mut follower = clients.open(row, since).await;
        follower.through(5).await;
        let got = put_right(&follower, &server.hand.published, 0);
        assert_same(&got, &server.hand.published[2..], row.id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_mode_latest_polls_get_the_newest_of_each_topic() {
    let (mut server, _null, clients) = servers();
    let clients = clients.in_mode(Mode::Latest);
    for topic in [0, 1, 0, 1, 0, 2] {
        server.publish(topic);
    }
    for row in ALL.iter().filter(|row| row.id.ends_with("poll")) {
        let mut follower = clients.open(row, Some(server.cursor(1))).await;
        follower.through(6).await;
        let got: Vec<_> = follower.got().iter().map(|one| one.offset).collect();
        assert_eq!(got, [4, 5, 6], "{}", row.id);
    }
}
