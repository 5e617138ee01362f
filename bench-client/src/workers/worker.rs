//! What a worker does: an ordinary fleet of its part of the clients, told what to do by stdin and telling by stdout.
//!
//! ```text
//! stdin -> thread "orders" -> channel -> run(): Threads, Sampler -> stdout: progress ten times a second; at the end everything
//! ```
//!
//! It ends when its stdin does, whatever it was about: then its coordinator is gone.

use std::{
    io::{BufReader, BufWriter, Stdout, Write},
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    time::{Duration, Instant},
};

use anyhow::Context;
use server::clock::Clock;

use super::orders::{self, Order, Orders, Progress, Said};
use crate::{
    fleet::Threads,
    run::{clients, sampler::Sampler},
    tally::Window,
    usage::ServerUsage,
};

/// How often it tells its counters.
const EVERY: Duration = Duration::from_millis(100);
/// Orders that were read and are not followed yet. The coordinator waits when there are more.
const ORDERS_WAITING: usize = 64;

/// Follows orders until they end.
///
/// # Errors
/// Where nobody reads what it tells. What goes wrong with the clients it tells.
pub fn run() -> anyhow::Result<()> {
    let (give, orders) = sync_channel(ORDERS_WAITING);
    // Not awaited: it ends with stdin, or with this process.
    std::thread::Builder::new()
        .name("orders".into())
        .spawn(move || take_orders(&give))
        .context("no thread to read stdin")?;
    let mut stdout = BufWriter::new(std::io::stdout());
    if let Err(error) = follow(&orders, &mut stdout) {
        Said::Failed(format!("{error:#}")).write(&mut stdout)?;
        stdout.flush()?;
    }
    Ok(())
}

/// Until stdin ends. What is no order ends it as well: the coordinator is then another version of this program.
fn take_orders(give: &SyncSender<anyhow::Result<Order>>) {
    let mut stdin = BufReader::new(std::io::stdin());
    while let Some(order) = Order::read(&mut stdin).transpose() {
        let failed = order.is_err();
        if give.send(order).is_err() || failed {
            return;
        }
    }
}

/// A worker under way.
struct Worker {
    orders: Orders,
    clock: Clock,
    threads: Threads,
    sampler: Option<Sampler>,
    told: u64,
    /// What the coordinator waits for at the end of the drain.
    awaited: Option<Vec<u64>>,
}

fn follow(orders: &Receiver<anyhow::Result<Order>>, stdout: &mut BufWriter<Stdout>) -> anyhow::Result<()> {
    // Without a word the coordinator has ended before it began.
    let Ok(first) = orders.recv() else { return Ok(()) };
    let Order::Start(first) = first? else {
        anyhow::bail!("the first order is not to start");
    };
    let mut worker = Worker::start(*first)?;
    let mut next = Instant::now();
    loop {
        match orders.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(order) => match order? {
                Order::End { window } => return worker.end(window, stdout),
                order => worker.obey(order, stdout)?,
            },
            Err(RecvTimeoutError::Timeout) => {
                next = Instant::now() + EVERY;
                worker.tell(stdout)?;
            }
            // The coordinator is gone: nobody wants to know any more. The clients end with this process.
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}

impl Worker {
    fn start(orders: Orders) -> anyhow::Result<Self> {
        let clock = Clock::with_offset(orders.clock_offset_us);
        Ok(Self {
            clock,
            threads: clients::start_here(&orders)?,
            orders,
            sampler: None,
            told: 0,
            awaited: None,
        })
    }

    fn obey(&mut self, order: Order, stdout: &mut BufWriter<Stdout>) -> anyhow::Result<()> {
        match order {
            Order::Sample { from_us, to_us } => {
                let (window, counters) = (Window { from_us, to_us }, self.threads.counter_handle());
                let sampler = Sampler::start(self.clock, window, counters, ServerUsage::of(None));
                self.sampler = Some(sampler.context("no sampler")?);
            }
            Order::CutShort => self.sampler.iter().for_each(Sampler::cut_short),
            Order::Tell(number) => {
                self.told = number;
                self.tell(stdout)?;
            }
            Order::Holding(last) => {
                self.awaited = Some(last);
                self.tell(stdout)?;
            }
            Order::Gather => self.threads.gather(),
            Order::Hush => self.threads.hush(),
            Order::Start(_) | Order::End { .. } => anyhow::bail!("an order out of turn"),
        }
        Ok(())
    }

    fn tell(&self, stdout: &mut BufWriter<Stdout>) -> anyhow::Result<()> {
        let awaited = self.awaited.as_ref();
        let progress = Progress {
            told: self.told,
            totals: self.threads.totals(),
            holding: awaited.map_or(0, |last| self.threads.holding_all(&self.orders.plan, last)) as u64,
        };
        Said::Progress(progress).write(stdout)?;
        Ok(stdout.flush()?)
    }

    fn end(self, window: Option<(u64, u64)>, stdout: &mut BufWriter<Stdout>) -> anyhow::Result<()> {
        let samples = self.sampler.map(|sampler| {
            // Nothing to cut, where the window is over.
            sampler.cut_short();
            sampler.finish()
        });
        for sample in samples.unwrap_or_default() {
            Said::Sample(sample).write(stdout)?;
        }
        if let Some((from_us, to_us)) = window {
            for lags_us in self.threads.lags_us(from_us, to_us) {
                Said::Lags(lags_us).write(stdout)?;
            }
        }
        let counters = self.threads.counter_handle();
        let logs = self.threads.stop()?;
        let clients = logs.len() as u64;
        let receipts = logs.iter().map(|log| log.receipts.len() as u64).sum();
        for log in logs {
            orders::tell(log, stdout)?;
        }
        let ended = Said::Ended {
            totals: counters.totals(),
            sockets: counters.sockets(false),
            clients,
            receipts,
        };
        ended.write(stdout)?;
        Ok(stdout.flush()?)
    }
}
