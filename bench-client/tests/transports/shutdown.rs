//! The end of sessions, from either side: who leaves is forgotten; who is left is told, within a deadline; nothing goes on unseen.

use std::time::Duration;

use bench_client::transports::{ALL, SessionError};
use futures_util::future::{join, join_all};
use tokio::{runtime::Handle, time::timeout};

use crate::{
    rig::Clients,
    slow_reader::pushing,
    support::{TestServer, counter, matches, raw::Raw, settings, soon, until},
    tap::Tap,
};

/// Returns once the runtime runs no task any more.
async fn no_task_left() {
    until("the last task ends", async || {
        Handle::current().metrics().num_alive_tasks() == 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_open_stream_is_told_and_ends() {
    let mut server = TestServer::start(1, settings());
    server.publish(0);
    let deadline = settings().drain_deadline;
    let mut taps = Vec::new();
    for row in &ALL {
        let mut tap = Tap::connect(row.id, server.address, "?topic=all").await;
        tap.updates(1).await;
        tap.wait().await;
        taps.push(tap);
    }
    until("the poll is held", async || {
        counter(&server.stats().await, "long-poll", "subscribers") == 1
    })
    .await;
    let farewells = join_all(taps.iter_mut().map(|tap| tap.farewell()));
    // Half the deadline: nothing was cut.
    let (stopped, _) = join(timeout(deadline / 2, server.running.stop()), farewells).await;
    stopped.expect("all were told, so none was waited for");
    no_task_left().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_leaves_leaves_nothing_behind() {
    for row in &ALL {
        let mut server = TestServer::start(1, settings());
        server.publish(0);
        let mut tap = Tap::connect(row.id, server.address, "?topic=all").await;
        tap.updates(1).await;
        tap.wait().await;
        drop(tap);
        // Though nothing is published that could fail to reach it.
        until(row.id, async || {
            let stats = server.stats().await;
            counter(&stats, row.id, "subscribers") == 0 && stats["connections"] == 1
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_sessions_end_with_the_server() {
    for row in pushing() {
        let mut server = TestServer::start(1, settings());
        server.publish(0);
        let mut follower = Clients::of(&server).open(row, None).await;
        follower.through(1).await;
        let following = async move {
            // The last word of a stream may be a delivery of its own.
            let mut ended = follower.next().await;
            if ended.is_ok() {
                ended = follower.next().await;
            }
            (ended, follower.updates.len())
        };
        let ((ended, updates), ()) = join(following, server.running.stop()).await;
        assert!(matches!(ended, Err(SessionError::Ended)), "{}: {ended:?}", row.id);
        assert_eq!(updates, 1, "{}", row.id);
        no_task_left().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_that_do_not_read_are_cut_at_the_deadline() {
    const UPDATE_BYTES: usize = 16 * 1024;
    for row in pushing() {
        let mut settings = settings();
        settings.drain_deadline = Duration::from_millis(200);
        let mut server = TestServer::of(matches(1), Some(UPDATE_BYTES), settings);
        server.publish(0);
        let mut stalled = Tap::open(row.id, Raw::connect_narrow(server.address).await, "?topic=all").await;
        stalled.updates(1).await;
        // More than the kernel takes, eight updates: the session is left within a write.
        for _ in 0..1_000 {
            server.publish(0);
        }
        until("the session sends", async || {
            counter(&server.stats().await, row.id, "deliveries") > 8
        })
        .await;
        let name = row.id;
        soon(name, server.running.stop()).await;
        soon(name, no_task_left()).await;
        drop(stalled);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_is_not_held_up_by_a_peer_that_answers_no_close() {
    let mut settings = settings();
    settings.drain_deadline = Duration::from_millis(200);
    let mut server = TestServer::start(1, settings);
    server.publish(0);
    let mut taps = Vec::new();
    for row in pushing() {
        let mut tap = Tap::connect(row.id, server.address, "?topic=all").await;
        tap.updates(1).await;
        taps.push(tap);
    }
    // They are open, and read nothing any more.
    soon("the stop", server.running.stop()).await;
    no_task_left().await;
    drop(taps);
}
