//! A server that is killed within the window, and another in its place: ordered by the phases, done by whoever owns the process.
//!
//! ```text
//! through()  --(Order)-->  keep(): SIGKILL -> its last CPU time -> down -> the same port, feed and clock -> listens
//!            <-(Restarted)-'
//! Recorder: the clients' counters every 100 ms from the kill on -> figures
//! ```
//!
//! Both servers share one clock and one schedule, so what the second publishes anew has the seqs and due times it had; its epoch is new,
//! and clients are told so by a reset.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
use server::{clock::Clock, settings::FeedSettings, wire::PublishedAnswer};
use tokio::{
    net::TcpSocket,
    sync::{mpsc, oneshot},
    time::sleep,
};

use super::{
    Setting,
    phases::{LOOK, wait_until},
    recorder::Recorder,
    row::{Cut, State},
};
use crate::{
    control::Control,
    process::ServerProcess,
    record::Restart,
    tally::Window,
    usage::{ServerUsage, Usage},
};

/// The publish log of the first server is read so long before it is killed: reading takes its time.
const LOG_BEFORE_US: u64 = 100_000;

/// Kill the server, and start another.
pub struct Order {
    restart: Restart,
    /// What both share.
    clock: Clock,
    feed_start_us: u64,
    done: oneshot::Sender<Restarted>,
}

/// When what was done, by the clock of both servers.
#[derive(Debug, Clone, Copy)]
pub struct Restarted {
    /// The first one was killed.
    pub killed_us: u64,
    /// The second one was started: what was due by then it has published before it answers anyone.
    pub started_us: u64,
    /// It said that it listens.
    pub listened_us: u64,
}

/// What is known of a restart when the row ends.
pub struct Outage {
    pub restarted: Restarted,
    /// What the first server had published in the window, shortly before it was killed.
    pub published: PublishedAnswer,
    /// How late its runtime was until then, µs.
    pub lags_us: Vec<u64>,
    pub recorder: Recorder,
}

/// How servers of a row are started.
pub struct Keeper<'a> {
    pub feed: &'a FeedSettings,
    pub idle: Duration,
    pub usage: ServerUsage,
}

impl Keeper<'_> {
    /// Owns the process: does what is ordered, and returns when it died although nobody had ordered that, or could not be replaced.
    pub async fn keep(&self, server: &mut ServerProcess, orders: &mut mpsc::Receiver<Order>) -> anyhow::Error {
        loop {
            let order = tokio::select! {
                how = server.died() => return anyhow::anyhow!("the server died: {how}"),
                Some(order) = orders.recv() => order,
            };
            match self.replace(server, &order).await {
                // Nobody waits when the row was given up meanwhile.
                Ok(restarted) => drop(order.done.send(restarted)),
                Err(error) => return error.context("the server could not be restarted"),
            }
        }
    }

    async fn replace(&self, server: &mut ServerProcess, order: &Order) -> anyhow::Result<Restarted> {
        let address: SocketAddr = server.url.trim_start_matches("http://").parse()?;
        let killed_us = order.clock.now_us();
        server.kill().await?;
        let held = hold(address)?;
        self.usage.ended();
        server.died().await;
        sleep(Duration::from_secs_f64(order.restart.down_s)).await;
        let started_us = order.clock.now_us();
        let (offset, start) = (order.clock.offset_us().to_string(), order.feed_start_us.to_string());
        let more = ["--clock-offset-us", &offset, "--feed-start-us", &start];
        *server = ServerProcess::start_at(&address.to_string(), self.feed, self.idle, &more).await?;
        self.usage.replaced(Usage::of(server.pid));
        drop(held);
        Ok(Restarted {
            killed_us,
            started_us,
            listened_us: order.clock.now_us(),
        })
    }
}

/// Keeps a port that nobody listens at from being given to a client that connects: one that connects from the very port it connects to
/// reaches itself, and the server could not come back.
fn hold(address: SocketAddr) -> anyhow::Result<TcpSocket> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    };
    let socket = socket.context("no socket to hold the port with")?;
    // So that the server may bind it as well; connects are refused all the same.
    socket.set_reuseaddr(true)?;
    let bound = socket.bind(address);
    bound.with_context(|| format!("{address} was taken as soon as the server was gone"))?;
    Ok(socket)
}

/// The window with a restart in it.
pub async fn through(
    setting: &Setting<'_>,
    state: &mut State,
    (control, clock, window): (&Control, Clock, Window),
    restart: Restart,
    orders: &mpsc::Sender<Order>,
) -> Result<(), Cut> {
    let kill_us = window.from_us + (restart.after_s * 1e6) as u64;
    wait_until(setting, state, clock, kill_us.saturating_sub(LOG_BEFORE_US)).await?;
    let published = control.published(window.from_us, kill_us).await;
    let published = published.context("the publish log could not be read before the restart")?;
    // Unknown at a server that has no such page.
    let lags = control.runtime_lag(window.from_us, kill_us).await.ok();
    let counters = state.fleet.as_ref().context("no clients")?.counter_handle();
    wait_until(setting, state, clock, kill_us).await?;
    let (done, mut restarted) = oneshot::channel();
    let feed_start_us = state.feed_start_us.context("no start of the feed")?;
    let order = Order {
        restart,
        clock,
        feed_start_us,
        done,
    };
    // The counters from before the kill on: what the kill brings about belongs to its first bucket.
    let recorder = Recorder::start(clock, counters).context("no recorder")?;
    orders.send(order).await.ok().context("nobody keeps the server")?;
    // The server's own count of requests goes with it.
    state.server_requests_before = None;
    let restarted = loop {
        wait_until(setting, state, clock, clock.now_us() + LOOK.as_micros() as u64).await?;
        match restarted.try_recv() {
            Ok(restarted) => break restarted,
            Err(oneshot::error::TryRecvError::Empty) => {}
            Err(oneshot::error::TryRecvError::Closed) => return Err(anyhow::anyhow!("the restart was given up").into()),
        }
    };
    state.outage = Some(Outage {
        restarted,
        published,
        lags_us: lags.map_or_else(Vec::new, |answer| answer.lags_us),
        recorder,
    });
    if restarted.listened_us >= window.to_us {
        return Err(anyhow::anyhow!(
            "the new server listened only after the window's end: ask for a longer --duration"
        )
        .into());
    }
    let again = control
        .clock()
        .await
        .context("the new server's clock could not be read")?;
    if again.clock != clock {
        return Err(anyhow::anyhow!("the new server has another clock than the first").into());
    }
    wait_until(setting, state, clock, window.to_us).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_held_port_refuses_clients_and_takes_the_server_back() {
        let first = server::listen::bind_std("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = first.local_addr().unwrap();
        assert!(hold(address).is_err(), "not while a server listens there");
        drop(first);
        let held = hold(address).unwrap();
        let refused = std::net::TcpStream::connect(address).unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        let _second = server::listen::bind_std(address).unwrap();
        drop(held);
        std::net::TcpStream::connect(address).unwrap();
    }
}
