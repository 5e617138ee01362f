//! Long polling: ask, be held, be answered, ask again at once.

use std::sync::Arc;

use futures_util::{FutureExt, future::LocalBoxFuture};
use server::wire::Cursor;

use super::{
    Arrivals, Endpoint, Session, SessionError,
    framing::Framing,
    poll::{self, Poller, Polling, Steps},
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
    async move {
        let (poller, setup_bytes) = Poller::open(ID, net, endpoint, since).await?;
        Ok(Box::new(Polling::new(LongPoll(poller), since, setup_bytes)) as Box<dyn Session>)
    }
    .boxed_local()
}

struct LongPoll(Poller);

impl Steps for LongPoll {
    async fn step(&mut self, arrivals: &mut Arrivals) -> Result<(), SessionError> {
        match self.0.take_first(arrivals) {
            true => Ok(()),
            false => self.0.poll_all(arrivals).await,
        }
    }

    fn cursor(&self) -> Option<Cursor> {
        self.0.cursor()
    }
}
