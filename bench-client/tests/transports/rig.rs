//! The real client of each transport, as the tests hold it.

use std::{future::Future, net::SocketAddr, pin::pin, sync::Arc, task::Poll};

use bench_client::{
    headers::HeaderSet,
    net::Net,
    transports::{ALL, Arrival, Arrivals, ClientTransport, Endpoint, PollGrid, Session, SessionError},
};
use rand_pcg::{
    Pcg32,
    rand_core::{RngCore, SeedableRng},
};
use server::{
    clock::Clock,
    wire::{Cursor, Mode},
};

use crate::support::{Published, SOON, TestServer, soon};

/// Short polling's interval: a test waits for it, so it is as short as makes sense.
const POLL_INTERVAL_US: u64 = 2_000;

/// What sessions of a server are opened with.
#[derive(Clone)]
pub struct Clients {
    pub net: Net,
    pub endpoint: Endpoint,
}

impl Clients {
    /// Clients that follow all topics and want every update.
    pub fn of(server: &TestServer) -> Self {
        let names = server.matches.iter().map(|one| one.topic.clone());
        let mut clients = Self::at(server.address, names);
        clients.net.clock = server.running.hub.clock;
        clients.endpoint.polls.first_us = clients.net.clock.now_us();
        clients
    }

    /// The same of whoever listens there, with these topics.
    pub fn at(address: SocketAddr, topics: impl IntoIterator<Item = String>) -> Self {
        let clock = Clock::start();
        Self {
            net: Net::new(clock),
            endpoint: Endpoint {
                address,
                authority: address.to_string(),
                topic: None,
                topics: Arc::new(topics.into_iter().zip(0..).collect()),
                mode: Mode::Every,
                wait_ms: SOON.as_millis() as u64,
                headers: HeaderSet::Browser,
                keep_alive: true,
                polls: PollGrid {
                    first_us: clock.now_us(),
                    interval_us: POLL_INTERVAL_US,
                },
            },
        }
    }

    /// The same, following one topic or all.
    pub fn following(&self, topic: Option<usize>) -> Self {
        let mut clients = self.clone();
        clients.endpoint.topic = topic.map(|topic| format!("match-{}", topic + 1));
        clients
    }

    /// The same in another mode.
    pub fn in_mode(&self, mode: Mode) -> Self {
        let mut clients = self.clone();
        clients.endpoint.mode = mode;
        clients
    }

    /// Opens one session.
    pub async fn try_open(&self, row: &ClientTransport, since: Option<Cursor>) -> Result<Follower, SessionError> {
        let endpoint = Arc::new(self.endpoint.clone());
        let session = (row.open)(&self.net, &endpoint, since).await?;
        Ok(Follower {
            name: row.id,
            session,
            updates: Vec::new(),
            resets: Vec::new(),
        })
    }

    /// Opens one session, which must succeed.
    pub async fn open(&self, row: &ClientTransport, since: Option<Cursor>) -> Follower {
        match soon(row.id, self.try_open(row, since)).await {
            Ok(follower) => follower,
            Err(error) => panic!("{}: {error}", row.id),
        }
    }

    /// One session of every transport, each with the newest state in its hands.
    pub async fn open_all(&self, newest: u64) -> Vec<Follower> {
        let mut followers = Vec::new();
        for row in &ALL {
            let mut follower = self.open(row, None).await;
            follower.through(newest).await;
            followers.push(follower);
        }
        followers
    }
}

/// A session and everything it delivered.
pub struct Follower {
    pub name: &'static str,
    pub session: Box<dyn Session>,
    pub updates: Vec<Arrival>,
    /// Before which of the updates a reset was said.
    pub resets: Vec<usize>,
}

impl Follower {
    /// Waits for one delivery. What came with an error is kept too.
    pub async fn next(&mut self) -> Result<(), SessionError> {
        let mut arrivals = Arrivals::default();
        let next = soon(self.name, self.session.next(&mut arrivals)).await;
        self.keep(arrivals);
        next
    }

    /// The same for a client that loses its patience (or its network) while it waits: after `polls` looks it is gone.
    pub async fn next_within(&mut self, polls: u32) -> Option<Result<(), SessionError>> {
        let mut arrivals = Arrivals::default();
        let next = soon(self.name, cut_after(polls, self.session.next(&mut arrivals))).await;
        self.keep(arrivals);
        next
    }

    fn keep(&mut self, arrivals: Arrivals) {
        if arrivals.reset {
            self.resets.push(self.updates.len());
        }
        self.updates.extend(arrivals.updates);
    }

    /// Follows until the update at this offset, or a later one, is there.
    pub async fn through(&mut self, offset: u64) {
        let what = format!("{}: offset {offset}", self.name);
        // Around all of it: polls that bring nothing are deliveries too.
        soon(&what, async {
            while self.updates.last().is_none_or(|last| last.cursor.offset < offset) {
                if let Err(error) = self.next().await {
                    panic!("{what}: {error}");
                }
            }
        })
        .await;
    }

    #[track_caller]
    pub fn assert_never_reset(&self) {
        assert!(
            self.resets.is_empty(),
            "{}: resets before updates {:?}",
            self.name,
            self.resets
        );
    }

    /// What it got, as the publisher would say it.
    pub fn got(&self) -> Vec<Published> {
        published(&self.updates)
    }
}

pub fn published(updates: &[Arrival]) -> Vec<Published> {
    let one = |arrival: &Arrival| Published {
        topic: arrival.topic as usize,
        offset: arrival.cursor.offset,
        seq: arrival.seq,
        due_us: arrival.due_us,
    };
    updates.iter().map(one).collect()
}

/// The updates a client gets that follows this.
pub fn of_topic(published: &[Published], topic: Option<usize>) -> Vec<Published> {
    let follows = |one: &&Published| topic.is_none_or(|topic| topic == one.topic);
    published.iter().filter(follows).copied().collect()
}

/// Compares two sequences and, where they part, says where: the sequences themselves are too long to read.
#[track_caller]
pub fn assert_same(got: &[Published], expected: &[Published], who: &str) {
    let apart = got.iter().zip(expected).position(|(got, expected)| got != expected);
    if let Some(at) = apart {
        panic!("{who}: update {at} is {:?}, expected {:?}", got[at], expected[at]);
    }
    assert_eq!(got.len(), expected.len(), "{who}: number of updates");
}

/// Drives a future for at most so many polls, then drops it; None when it was not done by then.
pub async fn cut_after<F: Future>(polls: u32, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    std::future::poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        left = left.saturating_sub(1);
        if left == 0 { Poll::Ready(None) } else { Poll::Pending }
    })
    .await
}

/// Random numbers that can be had again: the seed stands in the test's output.
pub fn random(seed: u64, what: &str) -> Pcg32 {
    println!("{what}: seed {seed}");
    Pcg32::seed_from_u64(seed)
}

/// A number below `end`.
pub fn below(random: &mut Pcg32, end: u32) -> u32 {
    random.next_u32() % end
}
