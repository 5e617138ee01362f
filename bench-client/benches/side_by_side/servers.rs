//! The servers under test as processes of their own: how each is started, asked, fed and ended.
//!
//! ```text
//! ours, floor  <- child.rs, the bench-client binary: `serve --child --null`; its address on stdout, `start` and the end on its stdin
//! Nchan        <- nchan.rs: nginx, and a publisher
//! ```
//!
//! Whoever drops a [`Server`] has killed it, and one whose parent is killed ends by itself: its stdin ends.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use bench_client::usage::{CpuSplit, Usage};
use clap::ValueEnum;
use server::{
    clock::Clock,
    wire::{ClockAnswer, PublishedAnswer},
};

use super::{
    child::{OwnChild, get},
    long_poll::{LongPoll, Resumes},
    nchan::Nchan,
    reader::Plan,
};

pub const TOPIC: &str = "match-1";
/// What the null server is asked as the floor: a stream of bare frames without a head.
pub const FLOOR: &str = "floor";
/// From telling a feed to start until its first update is due.
const FEED_LEAD_US: u64 = 50_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ServerKind {
    Floor,
    Ours,
    Nchan,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Technique {
    /// What the floor speaks
    Bare,
    Websocket,
    Sse,
    LongPoll,
}

impl ServerKind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Ours => "ours",
            Self::Nchan => "Nchan",
        }
    }

    pub fn techniques(self) -> &'static [Technique] {
        match self {
            Self::Floor => &[Technique::Bare],
            Self::Ours | Self::Nchan => &[Technique::Websocket, Technique::Sse, Technique::LongPoll],
        }
    }
}

impl Technique {
    pub fn id(self) -> &'static str {
        match self {
            Self::Bare => FLOOR,
            Self::Websocket => "websocket",
            Self::Sse => "sse",
            Self::LongPoll => "long-poll",
        }
    }
}

/// A running server.
pub struct Server {
    kind: ServerKind,
    pub address: SocketAddr,
    /// By which its updates are due.
    pub clock: Clock,
    rate_hz: f64,
    process: Process,
}

enum Process {
    Ours { child: OwnChild, api: SocketAddr },
    Nchan(Box<Nchan>),
}

impl Server {
    /// Starts one for so many clients, which publishes nothing before [`Server::start_feed`].
    pub fn start(kind: ServerKind, clients: usize, rate_hz: f64, update_bytes: u32) -> anyhow::Result<Self> {
        if kind == ServerKind::Nchan {
            let nchan = Nchan::start(clients, update_bytes)?;
            return Ok(Self {
                kind,
                address: nchan.address,
                clock: nchan.clock,
                rate_hz,
                process: Process::Nchan(Box::new(nchan)),
            });
        }
        let rate = rate_hz.to_string();
        let payload = update_bytes.to_string();
        let mut flags = vec!["--rate", &rate, "--payload", &payload];
        // Beside ours it would be woken for every update, for nobody.
        flags.extend((kind == ServerKind::Floor).then_some("--null"));
        let (child, said) = OwnChild::start(&flags)?;
        let address =
            |key: &str| -> Option<SocketAddr> { said.get(key)?.as_str()?.trim_start_matches("http://").parse().ok() };
        let api = address("listening").context("the server said no address")?;
        let serving = match kind {
            ServerKind::Floor => address("null").context("the null server said no address")?,
            _ => api,
        };
        let clock: ClockAnswer = get(api, "/api/clock")?;
        Ok(Self {
            kind,
            address: serving,
            clock: Clock::with_offset(clock.offset_us),
            rate_hz,
            process: Process::Ours { child, api },
        })
    }

    /// What its clients say.
    pub fn plan(&self, technique: Technique, clients: usize) -> Plan {
        let target = format!("/feed/{}?topic={TOPIC}", technique.id());
        let more = match technique.id() {
            "websocket" => {
                "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                 Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            }
            // Without it Nchan refuses.
            "sse" => "Accept: text/event-stream\r\n",
            _ => "",
        };
        let resumes = match self.kind {
            ServerKind::Nchan => Resumes::Headers,
            _ => Resumes::Cursor,
        };
        // Nchan answers a first poll when there is something; ours at once.
        let held = technique == Technique::LongPoll && self.kind == ServerKind::Nchan;
        Plan {
            address: self.address,
            clients,
            request: format!("GET {target} HTTP/1.1\r\nHost: bench\r\n{more}\r\n"),
            head: technique.id() != "floor" && !held,
            long_poll: (technique == Technique::LongPoll).then(|| LongPoll::new(resumes, &target)),
        }
    }

    /// Starts its updates; returns when the first is due.
    pub fn start_feed(&mut self) -> anyhow::Result<u64> {
        let first_us = self.clock.now_us() + FEED_LEAD_US;
        match &mut self.process {
            Process::Ours { child, .. } => child.say(&format!("start {first_us}\n"))?,
            Process::Nchan(nchan) => nchan.publish(first_us, self.rate_hz)?,
        }
        Ok(first_us)
    }

    /// Seq and due time of each update that was due in the range; None while some of them may still come.
    pub fn published(&self, from_us: u64, to_us: u64) -> anyhow::Result<Option<Vec<(u32, u64)>>> {
        let api = match &self.process {
            Process::Nchan(nchan) => return nchan.published(from_us, to_us),
            Process::Ours { api, .. } => *api,
        };
        let path = format!("/api/published?from_us={from_us}&to_us={to_us}&detail=true");
        let answer: PublishedAnswer = get(api, &path)?;
        if answer.truncated {
            bail!("part of the window has left the publish log");
        }
        let topic = answer.topics.into_iter().find(|topic| topic.topic == TOPIC);
        let updates = topic.context("the server has another topic")?.updates;
        let lines = updates.iter().map(|update| (update.seq as u32, update.due_us));
        Ok(answer.complete.then(|| lines.collect()))
    }

    /// Its processes.
    pub fn pids(&self) -> Vec<u32> {
        match &self.process {
            Process::Ours { child, .. } => vec![child.0.id()],
            Process::Nchan(nchan) => nchan.pids.clone(),
        }
    }

    /// CPU time so far of all its processes, in seconds.
    pub fn cpu_s(&self) -> Option<f64> {
        self.pids().into_iter().map(|pid| Usage::of(pid)?.cpu_s()).sum()
    }

    /// Resident memory of all its processes, in bytes.
    pub fn rss_bytes(&self) -> Option<u64> {
        self.pids().into_iter().map(|pid| Usage::of(pid)?.rss_bytes()).sum()
    }

    /// The same CPU time by where it was spent.
    pub fn cpu_split(&self) -> Option<CpuSplit> {
        let of = |pid| Usage::of(pid)?.cpu_split();
        let mut splits = self.pids().into_iter().map(of);
        splits.try_fold(CpuSplit::default(), |sum, one| Some(sum.plus(one?)))
    }
}
