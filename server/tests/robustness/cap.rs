//! Above the connection cap: 503 with Retry-After for whoever comes, no gap for whoever is inside, and a place that becomes free is given away.

use tokio::sync::watch;

use crate::{
    figure,
    peer::{Contiguous, Peer, Said, TRANSPORTS, many},
    process::Server,
    support::{
        raw::{Raw, WEBSOCKET_HEADERS, get},
        soon, until,
    },
};

const CAP: usize = 20;
const NEWCOMERS: usize = 60;
/// Updates that those inside must get while the newcomers knock.
const UPDATES: u64 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn newcomers_above_the_cap_are_told_and_those_inside_unaffected() {
    let _machine = crate::alone().await;
    for id in TRANSPORTS {
        let server = Server::start(&format!("--max-connections {} --rate 20 --heartbeat 60", CAP + 1)).await;
        let address = server.address;
        // It has a place too, and tells when the one that asked before it has left.
        let mut control = Raw::connect(address).await;
        until("only this connection", async || {
            control.send_head("GET", "/api/stats", &[]).await;
            control.answer().await.json()["connections"] == 1
        })
        .await;
        let mut inside = Vec::new();
        let (tell, mut told) = watch::channel(0);
        for index in 0..CAP {
            let mut peer = Peer::connect(id, address, "topic=match-1").await;
            peer.first_update().await;
            let tell = tell.clone();
            inside.push(tokio::spawn(async move {
                let mut order = Contiguous::default();
                loop {
                    for said in peer.next().await {
                        order.check(id, &said);
                        if let (0, Said::Update { seq, .. }) = (index, said) {
                            tell.send_replace(seq);
                        }
                    }
                }
            }));
        }
        let from = soon("an update", told.wait_for(|&seq| seq > 0))
            .await
            .map(|seq| *seq)
            .expect("it is followed");
        let refused = many(NEWCOMERS, move |_| async move {
            let headers: &[_] = if id == "websocket" { &WEBSOCKET_HEADERS } else { &[] };
            let answer = get(address, &format!("/feed/{id}"), headers).await;
            answer.status() == 503 && answer.header("retry-after") == Some("1") && answer.error().contains("full")
        })
        .await;
        assert!(refused.iter().all(|&refused| refused), "{id}: {refused:?}");
        let through = from + UPDATES;
        soon("those inside go on", told.wait_for(|&seq| seq >= through))
            .await
            .expect("it is followed");
        assert!(
            inside.iter().all(|peer| !peer.is_finished()),
            "{id}: someone inside had a gap"
        );
        if let Some(one) = inside.pop() {
            one.abort();
        }
        until("a free place", async || {
            get(address, "/healthz", &[]).await.status() == 200
        })
        .await;
        figure(&format!(
            "above the cap, {id}: {NEWCOMERS} of {NEWCOMERS} newcomers got 503 with Retry-After; {CAP} inside got every update"
        ));
        inside.iter().for_each(|peer| peer.abort());
    }
}
