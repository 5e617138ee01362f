//! A whole virtual client against a hostile server: every fault is counted, it comes back each time from where it stood, and at the
//! end it holds every update once.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use bench_client::{
    transports::{ALL, ClientTransport},
    virtual_client::{ClientLog, VirtualClient},
};
use tokio::sync::Semaphore;

use crate::{
    puppet::{EPOCH, Peer, Puppet, answer, cursor, event, update, with_length},
    rig::Clients,
    support::soon,
};

/// What follows an update, one for each connection.
fn faults(id: &str) -> Vec<Vec<u8>> {
    let chunk = |data: &[u8]| [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat();
    match id {
        "websocket" => vec![
            b"\x81\x02\xff\xfe".to_vec(),
            b"\x83\x00".to_vec(),
            b"\x88\x01x".to_vec(),
            b"\x88\x02\x03\xe9".to_vec(),
            b"\x82\x01x".to_vec(),
            b"\x81\x02{}".to_vec(),
        ],
        "sse" => vec![
            b"zz\r\n".to_vec(),
            b"0\r\n\r\n".to_vec(),
            chunk(b"data: \xff\n\n"),
            chunk(b"event: update\ndata: {}\n\n"),
            chunk(b"event: goal\ndata: {}\n\n"),
            chunk(b"event: reset\ndata: now\n\n"),
        ],
        _ => vec![
            with_length("500 Internal Server Error", "text/plain", "oops").into_bytes(),
            with_length("503 Service Unavailable", "text/plain", "full").into_bytes(),
            with_length("200 OK", "application/json", "{\"updates\":[").into_bytes(),
            with_length("200 OK", "text/html", "<p>sign in</p>").into_bytes(),
            with_length(
                "200 OK",
                "application/json",
                &format!("{{\"updates\":[{},1],\"cursor\":\"{EPOCH}-9\"}}", update(9)),
            )
            .into_bytes(),
            b"HTTP/1.1 301 Moved Permanently\r\nlocation: /\r\ncontent-length: 0\r\n\r\n".to_vec(),
        ],
    }
}

#[tokio::test]
async fn a_client_counts_every_fault_and_comes_back_from_where_it_stood() {
    for row in &ALL {
        let puppet = Puppet::start().await;
        let Clients { net, endpoint } = puppet.clients();
        let faults = faults(row.id);
        let position = Arc::new(AtomicU64::new(0));
        let client = VirtualClient {
            index: 0,
            topic: None,
            transport: row,
            endpoint: Arc::new(endpoint),
            position: position.clone(),
            live: None,
            seed: 1,
            churn: None,
            backoff_jitter: true,
            restarts: false,
        };
        let mut log = ClientLog::default();
        soon(row.id, async {
            tokio::select! {
                () = client.run(net.clone(), Arc::new(Semaphore::new(1)), &mut log) => unreachable!("it runs until it is dropped"),
                () = play(&puppet, row, &faults, &position) => {}
            }
        })
        .await;
        let seqs: Vec<_> = log.receipts.iter().map(|receipt| receipt.seq).collect();
        let last = faults.len() as u64 + 1;
        assert_eq!(seqs, (1..=last).collect::<Vec<_>>(), "{}: every update once", row.id);
        let errors = net.counters.errors.load(Relaxed);
        assert_eq!(
            errors,
            faults.len() as u64,
            "{}: errors, such as {:?}",
            row.id,
            log.errors
        );
        assert_eq!(
            net.counters.reconnects.load(Relaxed),
            faults.len() as u64,
            "{}: reconnects",
            row.id
        );
    }
}

/// A connection for every fault, each with one update before it; and one more, which stays.
async fn play(puppet: &Puppet, row: &ClientTransport, faults: &[Vec<u8>], position: &AtomicU64) {
    for (number, fault) in faults.iter().map(Some).chain([None]).enumerate() {
        let mut peer = puppet.accept().await;
        let held = number as u64;
        assert_eq!(
            peer.since(),
            (held > 0).then(|| cursor(held)),
            "{}: asked in {}",
            row.id,
            peer.head
        );
        peer.raw.send(delivery(&peer, row.id, held + 1)).await;
        if row.id.ends_with("poll") {
            // The next question, which the fault answers.
            peer.raw.head().await;
        }
        match fault {
            Some(fault) => peer.raw.send(fault).await,
            None => crate::support::until("the last update", async || position.load(Relaxed) > held).await,
        }
    }
}

/// The update at this offset, as the first thing that a connection brings.
fn delivery(peer: &Peer, id: &str, offset: u64) -> Vec<u8> {
    match id {
        "websocket" => {
            let text = update(offset);
            let length = (text.len() as u16).to_be_bytes();
            [peer.switching().as_bytes(), &[0x81, 126], &length, text.as_bytes()].concat()
        }
        "sse" => {
            let event = event(offset);
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
            format!("{head}{:x}\r\n{event}\r\n", event.len()).into_bytes()
        }
        _ => answer(&[update(offset)], cursor(offset)).into_bytes(),
    }
}
