//! A client as the plan has it, at an address and a place in the log that look like any: for counting its bytes without a server.

use std::{net::SocketAddr, sync::Arc};

use server::wire::Cursor;

use crate::{
    record::Plan,
    run::clients,
    transports::{Endpoint, PollGrid},
};

/// Milliseconds since 1970, as an epoch is: 13 digits.
const EPOCH: u64 = 1_763_631_127_000;
/// Five digits, as ephemeral ports have.
const ADDRESS: ([u8; 4], u16) = ([127, 0, 0, 1], 40_000);

/// A client of the topic with this index, or of all.
pub fn endpoint(plan: &Plan, topic: Option<u64>) -> Endpoint {
    let address = SocketAddr::from(ADDRESS);
    let topic = topic.map(|topic| format!("match-{}", topic + 1));
    // When it polls changes no byte.
    let polls = PollGrid {
        first_us: 0,
        interval_us: 1,
    };
    clients::endpoint(plan, (address, address.to_string()), topic, Arc::default(), polls)
}

pub fn cursor(offset: u64) -> Cursor {
    Cursor { epoch: EPOCH, offset }
}
