//! Short polling: a poll at every due time of the client's grid, whatever the last answer took; one under way at a time.

use std::sync::Arc;

use futures_util::{FutureExt, future::LocalBoxFuture};
use server::wire::Cursor;

use super::{
    Arrivals, Endpoint, PollGrid, Session, SessionError,
    framing::Framing,
    poll::{self, Poller, Polling, Steps},
};
use crate::net::{Net, count};

pub const ID: &str = "short-poll";

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
        let next_poll = endpoint.polls.first_after(net.clock.now_us());
        let short_poll = ShortPoll {
            net: net.clone(),
            grid: endpoint.polls,
            next_poll,
            poller,
        };
        Ok(Box::new(Polling::new(short_poll, since, setup_bytes)) as Box<dyn Session>)
    }
    .boxed_local()
}

struct ShortPoll {
    net: Net,
    grid: PollGrid,
    /// Number of the next poll on the grid.
    next_poll: u64,
    poller: Poller,
}

impl Steps for ShortPoll {
    async fn step(&mut self, arrivals: &mut Arrivals) -> Result<(), SessionError> {
        if self.poller.take_first(arrivals) {
            return Ok(());
        }
        tokio::time::sleep(self.net.clock.until(self.grid.due_us(self.next_poll))).await;
        self.poller.poll_all(arrivals).await?;
        let next = self.grid.first_after(self.net.clock.now_us()).max(self.next_poll + 1);
        count(&self.net.counters.polls_skipped, next - self.next_poll - 1);
        self.next_poll = next;
        Ok(())
    }

    fn cursor(&self) -> Option<Cursor> {
        self.poller.cursor()
    }
}

impl PollGrid {
    /// Number of the first poll due after `now_us`.
    fn first_after(&self, now_us: u64) -> u64 {
        match now_us.checked_sub(self.first_us) {
            None => 0,
            Some(since_first) => since_first / self.interval_us + 1,
        }
    }

    fn due_us(&self, poll: u64) -> u64 {
        self.first_us + poll * self.interval_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polls_are_due_on_the_grid() {
        let grid = PollGrid {
            first_us: 1_000,
            interval_us: 500,
        };
        for (now, due) in [(0, 1_000), (999, 1_000), (1_000, 1_500), (1_499, 1_500), (1_500, 2_000)] {
            assert_eq!(grid.due_us(grid.first_after(now)), due, "at {now}");
        }
    }
}
