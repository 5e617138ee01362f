//! The floor's reader against the null server: the same promises as every client's, and the bytes of its model.
//!
//! ```text
//! Hand (publishes) -> hub -> null server -> plain sockets -> Threads::spread, reader::run -> ClientLog, counters -> compared with the Hand
//! ```

use std::sync::Arc;

use bench_client::{
    fleet::{Muster, Threads, Totals},
    floor::{ID, client::Client, contender, reader},
    virtual_client::{ClientLog, Receipt},
};
use server::null::Null;

use crate::{
    churn::logs,
    rig::Clients,
    support::{Published, TestServer, matches, settings, until},
};

const TOPICS: usize = 3;
const CLIENTS: u32 = 7;
const UPDATES: usize = 300;

/// Clients of the null server on two threads; client i follows topic i mod [`TOPICS`], or all.
fn fleet(server: &TestServer, null: &Null, all: bool) -> Threads {
    let mut clients = Clients::of(server);
    (clients.endpoint.address, clients.endpoint.authority) = (null.address, null.address.to_string());
    let make = |index, position, live| {
        let topic = (!all).then_some(index % TOPICS as u32);
        Client {
            index,
            topic,
            endpoint: Arc::new(clients.following(topic.map(|topic| topic as usize)).endpoint),
            position,
            live,
        }
    };
    Threads::spread(&Muster::all(2, CLIENTS), clients.net.clock, make, reader::run).expect("a fleet")
}

async fn connected(fleet: &Threads) {
    until("all have asked", async || {
        fleet.totals().connected == u64::from(CLIENTS)
    })
    .await;
}

/// What a client must have noted of an update, but for when.
fn fact(one: &Published) -> (u64, u64, u32) {
    (one.seq, one.due_us, one.topic as u32)
}

fn facts(log: &ClientLog) -> Vec<(u64, u64, u32)> {
    let of = |one: &Receipt| (one.seq, one.due_us, one.topic);
    log.receipts.iter().map(of).collect()
}

/// Bytes both ways that the model has for these clients and everything they got.
fn modelled(server: &TestServer, null: &Null, all: bool, logs: &[ClientLog]) -> (u64, u64) {
    let framing = &contender(ID).expect("it has a row").framing;
    let clients = Clients::of(server);
    let request = |log: &ClientLog| {
        let mut endpoint = clients.following(log.topic.map(|topic| topic as usize)).endpoint;
        endpoint.authority = null.address.to_string();
        assert_eq!(endpoint.topic.is_none(), all);
        (framing.request)(&endpoint, None)
    };
    let pushed = framing.pushed.expect("it pushes");
    let received = |one: &Receipt| pushed(server.cursor(one.seq), u64::from(one.bytes));
    let sent = logs.iter().map(request).sum();
    let received = logs.iter().flat_map(|log| &log.receipts).map(received).sum();
    (sent, received)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_client_gets_every_update_once_in_order_to_the_byte() {
    // Below 126 bytes no update can be; the longest takes several reads.
    for (all, update_bytes) in [(false, None), (true, Some(300)), (false, Some(100_000))] {
        let mut server = TestServer::of(matches(TOPICS), update_bytes, settings());
        let null = server.running.start_null().expect("port 0 is always free");
        for topic in 0..TOPICS {
            server.publish(topic);
        }
        let fleet = fleet(&server, &null, all);
        // The newest state of what each follows comes first.
        let state = |_: u32, position: u64| position >= if all { TOPICS as u64 } else { 1 };
        until("all hold the state", async || fleet.holding(state) == CLIENTS as usize).await;
        let count = if update_bytes == Some(100_000) { 30 } else { UPDATES };
        let mut last = [0; TOPICS];
        for number in 0..count {
            last[number % TOPICS] = server.publish(number % TOPICS).offset;
        }
        let newest = |client: u32| {
            if all {
                *last.iter().max().unwrap()
            } else {
                last[client as usize % TOPICS]
            }
        };
        until("all hold the last update", async || {
            fleet.holding(|client, position| position >= newest(client)) == CLIENTS as usize
        })
        .await;
        let counters = fleet.counter_handle();
        let logs = logs(fleet).await;
        let totals: Totals = counters.totals();
        for log in &logs {
            let followed = |one: &&Published| log.topic.is_none_or(|topic| one.topic as u32 == topic);
            let expected: Vec<_> = server.hand.published.iter().filter(followed).map(fact).collect();
            assert_eq!(facts(log), expected, "client {}", log.client);
            assert!(log.receipts.is_sorted_by_key(|one| one.received_us));
            assert!(log.connect_us.is_some() && log.errors.is_empty(), "{:?}", log.errors);
        }
        let (sent, received) = modelled(&server, &null, all, &logs);
        assert_eq!((totals.bytes_sent, totals.bytes_received), (sent, received));
        assert_eq!((totals.setup_bytes, totals.requests), (sent, u64::from(CLIENTS)));
        assert_eq!(totals.connections, u64::from(CLIENTS));
        // The kernel's counts are the same.
        let wire = counters.sockets(false).wire;
        assert_eq!((wire.payload_bytes_sent, wire.payload_bytes_received), (sent, received));
        assert_eq!(wire.connections_opened, u64::from(CLIENTS));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_cut_off_says_so_once_and_stays_away() {
    let server = TestServer::start(TOPICS, settings());
    let null = server.running.start_null().expect("port 0 is always free");
    let fleet = fleet(&server, &null, true);
    connected(&fleet).await;
    drop(null);
    until("all have noticed", async || fleet.totals().errors == u64::from(CLIENTS)).await;
    let totals = fleet.totals();
    assert_eq!((totals.connections, totals.reconnects), (u64::from(CLIENTS), 0));
    for log in logs(fleet).await {
        assert_eq!(log.errors.len(), 1, "{:?}", log.errors);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nobody_listens_every_client_says_so() {
    let server = TestServer::start(TOPICS, settings());
    let null = server.running.start_null().expect("port 0 is always free");
    let address = null.address;
    drop(null);
    let clients = Clients::at(address, ["match-1".to_owned()]);
    let make = |index, position, live| Client {
        index,
        topic: None,
        endpoint: Arc::new(clients.endpoint.clone()),
        position,
        live,
    };
    let fleet = Threads::spread(&Muster::all(1, 3), clients.net.clock, make, reader::run).expect("a fleet");
    until("all have failed", async || fleet.totals().errors == 3).await;
    assert_eq!(fleet.totals().connected, 0);
    for log in logs(fleet).await {
        assert!(log.errors[0].starts_with("connection: "), "{:?}", log.errors);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_threads_answer_the_pinger() {
    let server = TestServer::start(TOPICS, settings());
    let null = server.running.start_null().expect("port 0 is always free");
    let fleet = fleet(&server, &null, true);
    until("both threads have answered", async || {
        let lags = fleet.lags_us(0, u64::MAX);
        lags.len() == 2 && lags.iter().all(|thread| !thread.is_empty())
    })
    .await;
    logs(fleet).await;
}
