//! The floor: a row beside the techniques that shows what delivering the same updates to the same clients costs at all.
//!
//! ```text
//! the null server (server/src/null): framed once, write() to each socket -> reader.rs (a thread per core, epoll) -> client.rs
//!   -> ClientLog, counters: what every row is made from -> run/ -> record -> report/floor.rs
//! ```
//!
//! Its clients, rate, bytes, phases and processes are those of every other row. It is no technique: nothing is resumed, nobody is
//! told that the stream ends, and it stands in no comparison.

pub mod client;
mod frames;
pub mod multiples;
pub mod reader;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures_util::{FutureExt, future::LocalBoxFuture};
use server::wire::Cursor;

pub use server::null::floor::{DESCRIPTION, ID};

use crate::{
    net::Net,
    record::{FeedPlan, Mode, Plan},
    transports::{
        self, Asks, ClientTransport, Endpoint, Session, SessionError,
        framing::{Answer, Framing},
        websocket,
    },
};

/// As far as it is like a transport: when it asks, and its bytes on the wire, for the models.
static FLOOR: ClientTransport = ClientTransport {
    id: ID,
    asks: Asks::Once,
    framing: Framing {
        request: request_bytes,
        answer: no_answer,
        preamble: 0,
        pushed: Some(websocket::message_bytes),
        heartbeat: None,
    },
    open: no_session,
};

/// What a row is a row of: a transport of this client, or the floor.
pub fn contender(id: &str) -> Option<&'static ClientTransport> {
    transports::by_id(id).or_else(|| (id == ID).then_some(&FLOOR))
}

/// Everything a plan may name: the transports, and the floor.
pub fn contender_ids() -> impl Iterator<Item = &'static str> {
    transports::ALL.iter().map(|row| row.id).chain([ID])
}

/// Why a plan can have no floor, as the end of a sentence; None where it can.
pub fn unfit(plan: &Plan) -> Option<&'static str> {
    let elsewhere = plan.remote || matches!(plan.feed, FeedPlan::Target { .. });
    let silent = matches!(plan.feed, FeedPlan::Simulated { rate_hz, .. } if rate_hz == 0.0);
    let reasons = [
        (elsewhere, "with --target: it is written by a server of our own"),
        (silent, "without updates: it is what delivering them costs"),
        (plan.mode == Mode::Latest, "in mode latest: it delivers every update"),
        (!plan.variants.is_empty(), "with variants: it has none"),
        (
            !plan.keep_alive,
            "without keep-alive: it asks once and keeps its connection",
        ),
        (plan.churn.is_some(), "with churn: its clients stay"),
        (plan.restart.is_some(), "with a restart: its clients do not come back"),
        (
            plan.stalled_clients > 0,
            "beside stalled_clients: it spares nobody from them",
        ),
    ];
    reasons.into_iter().find_map(|(unfit, why)| unfit.then_some(why))
}

/// Why a plan that names every transport has no floor; None where it has one, or nobody would expect it.
pub fn left_out(plan: &Plan) -> Option<&'static str> {
    let every = transports::ALL
        .iter()
        .all(|row| plan.transports.iter().any(|id| id == row.id));
    let has = plan.transports.iter().any(|id| id == ID);
    unfit(plan).filter(|_| every && !has)
}

fn request_bytes(endpoint: &Endpoint, _: Option<Cursor>) -> u64 {
    // An address that makes no request has sent none.
    client::request(endpoint).map_or(0, |request| request.len() as u64)
}

fn no_answer(_: &Endpoint, _: Answer) -> u64 {
    0
}

/// Its reader opens its connections, all of a thread together.
fn no_session<'a>(
    _: &'a Net,
    _: &'a Arc<Endpoint>,
    _: Option<Cursor>,
) -> LocalBoxFuture<'a, Result<Box<dyn Session>, SessionError>> {
    std::future::ready(Err(SessionError::Protocol("the floor has no sessions".into()))).boxed_local()
}
