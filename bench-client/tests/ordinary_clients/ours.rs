//! Our own sessions, as one more kind of client: cut like the others, resumed by their cursor.

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use bench_client::{
    headers::HeaderSet,
    net::Net,
    transports::{Arrivals, ClientTransport, Endpoint, PollGrid, TopicIndex},
};
use server::{
    clock::Clock,
    wire::{Mode, ResetReason},
};
use tokio::task::JoinHandle;

use crate::heard::{Got, Heard, Line, Notebook};

const PAUSE: Duration = Duration::from_millis(100);
const POLL_INTERVAL_US: u64 = 50_000;
const WAIT_MS: u64 = 5_000;

/// Follows all topics until it is aborted. Needs a [`tokio::task::LocalSet`]: a session stays on its thread.
pub fn follow(
    row: &'static ClientTransport,
    address: SocketAddr,
    topics: &[String],
    notebook: Arc<Notebook>,
) -> JoinHandle<()> {
    let clock = Clock::start();
    let net = Net::new(clock);
    let index: TopicIndex = topics.iter().cloned().zip(0..).collect();
    let names: HashMap<u32, String> = index.iter().map(|(name, topic)| (*topic, name.clone())).collect();
    let endpoint = Arc::new(Endpoint {
        address,
        authority: address.to_string(),
        topic: None,
        topics: Arc::new(index),
        mode: Mode::Every,
        wait_ms: WAIT_MS,
        headers: HeaderSet::Browser,
        keep_alive: true,
        polls: PollGrid {
            first_us: clock.now_us(),
            interval_us: POLL_INTERVAL_US,
        },
    });
    tokio::task::spawn_local(async move {
        let mut cursor = None;
        loop {
            let why = match (row.open)(&net, &endpoint, cursor).await {
                Err(error) => error,
                Ok(mut session) => {
                    notebook.note(Heard::Said(Line::Open));
                    loop {
                        let mut arrivals = Arrivals::default();
                        let next = session.next(&mut arrivals).await;
                        if arrivals.reset {
                            // Which one, a session does not hand out; there is but one that this test calls for.
                            notebook.note(Heard::Reset(ResetReason::OtherEpoch));
                        }
                        for arrival in arrivals.updates {
                            notebook.note(Heard::Update(Got {
                                topic: names[&arrival.topic].clone(),
                                epoch: arrival.cursor.epoch,
                                offset: arrival.cursor.offset,
                                seq: arrival.seq,
                                due_us: arrival.due_us,
                                bytes: arrival.bytes as usize,
                                text: None,
                            }));
                        }
                        cursor = session.cursor();
                        if let Err(error) = next {
                            break error;
                        }
                    }
                }
            };
            println!("our {}: {why}", row.id);
            notebook.note(Heard::Said(Line::Cut));
            tokio::time::sleep(PAUSE).await;
        }
    })
}
