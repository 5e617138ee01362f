//! One row once: a fresh server, its clients, a window.
//!
//! ```text
//! server starts -> RSS -> clients connect -> settle -> RSS -> feed starts -> warm-up -> [T0 window T1) -> drain -> figures
//! ```
//!
//! Updates belong to the window by due time, whenever they arrive; CPU and deliveries by wall clock. T0 stands in the middle between two
//! ticks, so that neither cuts a fan-out in two (unless that takes longer than half a gap, and then both sides are cut alike).

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use bench_client::{
    machine::{self, CpuTicks},
    usage::{CpuSplit, Usage},
};

use super::{
    figures::{Figures, received},
    reader::Reader,
    servers::{Server, ServerKind, Technique},
};

/// How long all clients may take to be answered.
const OPEN_TIMEOUT: Duration = Duration::from_secs(20);
/// From the last answer to the reading of memory: what the server does after it is done by then, polls are held.
const SETTLE: Duration = Duration::from_millis(700);
/// Before the window, and at least so many updates.
const WARM_UP_S: f64 = 0.5;
const WARM_UP_UPDATES: f64 = 3.0;
/// How long the window's last update may take to every client.
pub const DRAIN: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(5);

/// What is measured.
#[derive(Clone, Copy, PartialEq)]
pub struct Row {
    pub server: ServerKind,
    pub technique: Technique,
    pub rate_hz: f64,
}

/// How much of it.
#[derive(Clone, Copy)]
pub struct Load {
    pub clients: usize,
    pub update_bytes: u32,
    pub seconds: f64,
}

/// CPU so far, all read at one moment.
struct Counters {
    at_us: u64,
    server_s: Option<f64>,
    reader_s: Option<f64>,
    split: Option<CpuSplit>,
    machine: Option<CpuTicks>,
}

impl Counters {
    fn read(server: &Server) -> Self {
        Self {
            at_us: server.clock.now_us(),
            server_s: server.cpu_s(),
            reader_s: Usage::own().and_then(|own| own.cpu_s()),
            split: server.cpu_split(),
            machine: machine::counts("").cpu,
        }
    }
}

pub fn measure(row: Row, load: Load) -> anyhow::Result<Figures> {
    let mut server = Server::start(row.server, load.clients, row.rate_hz, load.update_bytes)?;
    let rss_before = server.rss_bytes();
    let reader = Reader::connect(&server.plan(row.technique, load.clients), server.clock)
        .context("the clients could not connect")?;
    let opening = Instant::now();
    while reader.opened() < load.clients {
        if opening.elapsed() > OPEN_TIMEOUT {
            bail!("{} of {} clients were answered in time", reader.opened(), load.clients);
        }
        sleep(LOOK);
    }
    sleep(SETTLE);
    let rss_after = server.rss_bytes();

    let first_us = server.start_feed()?;
    let gap_us = 1e6 / row.rate_hz;
    let skipped = (WARM_UP_S * row.rate_hz).max(WARM_UP_UPDATES).ceil();
    let updates = (load.seconds * row.rate_hz).round().max(1.0);
    let from_us = first_us + ((skipped - 0.5) * gap_us) as u64;
    let to_us = first_us + ((skipped + updates - 0.5) * gap_us) as u64;
    sleep(server.clock.until(from_us));
    let from = Counters::read(&server);
    sleep(server.clock.until(to_us));
    let to = Counters::read(&server);

    let draining = Instant::now();
    let published = loop {
        if let Some(published) = server.published(from_us, to_us)? {
            break published;
        }
        if draining.elapsed() > DRAIN {
            bail!("the feed had not published the window's updates in time");
        }
        sleep(LOOK);
    };
    let last = published.last().context("nothing was published in the window")?.0;
    while reader.held_by_all() < last && draining.elapsed() < DRAIN {
        sleep(LOOK);
    }
    let noted = reader.finish().context("the reader panicked")?;
    drop(server);

    let mut figures = received(&noted, &published, load.clients, (from.at_us, to.at_us), gap_us);
    let between = |to: Option<f64>, from: Option<f64>| Some(to? - from?);
    figures.server_cpu_s = between(to.server_s, from.server_s);
    figures.reader_cpu_s = between(to.reader_s, from.reader_s);
    let splits = to.split.zip(from.split);
    figures.kernel_share = splits.and_then(|(to, from)| to.kernel_share_since(&from));
    figures.others_share = to.machine.zip(from.machine).and_then(|(to, from)| {
        let ticks = to.since(&from);
        let own_s = figures.server_cpu_s? + figures.reader_cpu_s?;
        // Ticks are coarse: a little below zero is none.
        Some((ticks.others_share(own_s) + ticks.stolen_share()).max(0.0))
    });
    figures.idle_bytes = rss_after
        .zip(rss_before)
        .map(|(after, before)| (after as f64 - before as f64) / load.clients as f64);
    Ok(figures)
}
