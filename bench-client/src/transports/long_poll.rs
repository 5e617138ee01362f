//! Long polling: ask, be held, be answered, ask again at once.

use std::sync::Arc;

use futures_util::{FutureExt, future::LocalBoxFuture};
use server::wire::Cursor;

use super::{
    Arrivals, Endpoint, Session, SessionError,
    framing::Framing,
    poll::{self, Poller},
};
use crate::net::Net;

pub const ID: &str = "long-poll";

pub const FRAMING: Framing = Framing {
    request: |endpoint, since| poll::request_bytes(ID, endpoint, since),
    answer: poll::answer_bytes,
    preamble: 0,
    pushed: None,
    heartbeat: None,
};

pub fn open<'a>(
    net: &'a Net,
    endpoint: &'a Arc<Endpoint>,
    since: Option<Cursor>,
) -> LocalBoxFuture<'a, Result<Box<dyn Session>, SessionError>> {
    async move { Ok(Box::new(LongPoll(Poller::open(ID, net, endpoint, since).await?)) as Box<dyn Session>) }
        .boxed_local()
}

struct LongPoll(Poller);

impl Session for LongPoll {
    fn next<'a>(&'a mut self, arrivals: &'a mut Arrivals) -> LocalBoxFuture<'a, Result<(), SessionError>> {
        async move {
            match self.0.take_first(arrivals) {
                true => Ok(()),
                false => self.0.poll_all(arrivals).await,
            }
        }
        .boxed_local()
    }

    fn cursor(&self) -> Option<Cursor> {
        self.0.cursor()
    }

    fn setup_bytes(&self) -> u64 {
        self.0.setup_bytes
    }
}
