//! The server of a row, as one or several processes: each has a copy of the feed and its own clients, and what they say is put together.
//!
//! ```text
//! Nodes -> node 0: /api/… -.
//!       -> node 1: /api/… -+-> one answer: sums of counters, all lags, one publish log
//! ```
//!
//! All nodes read one clock, and start their feeds at one moment of it: so they publish the same updates, due at the same times. That is
//! looked after, and where it does not hold there is no row. Epochs and cursors are each node's own.

use anyhow::{Context, ensure};
use server::wire::{PublishedAnswer, TransportDescription};

use super::published;
use crate::control::{Control, SharedClock, Stats};

/// One node at least.
#[derive(Debug, Clone)]
pub struct Nodes {
    first: Control,
    others: Vec<Control>,
}

impl Nodes {
    pub fn new(first: Control, others: Vec<Control>) -> Self {
        Self { first, others }
    }

    pub fn all(&self) -> impl Iterator<Item = &Control> {
        std::iter::once(&self.first).chain(&self.others)
    }

    pub fn count(&self) -> usize {
        1 + self.others.len()
    }

    /// The one that stands for all, where it does not matter, or there are no others.
    pub fn first(&self) -> &Control {
        &self.first
    }

    /// The clock of all nodes.
    pub async fn clock(&self) -> anyhow::Result<SharedClock> {
        let clock = self.first.clock().await?;
        for (index, node) in self.others.iter().enumerate() {
            let other = node.clock().await?;
            ensure!(other == clock, "node {} has another clock than node 1", index + 2);
        }
        Ok(clock)
    }

    pub async fn transports(&self) -> anyhow::Result<Vec<TransportDescription>> {
        self.first.transports().await
    }

    /// Log bytes, connections and requests are sums; the rest is of the first (resets and stalls are asked where there is one node alone).
    pub async fn stats(&self) -> anyhow::Result<Stats> {
        let mut sum = self.first.stats().await?;
        for node in &self.others {
            add(&mut sum, node.stats().await?);
        }
        Ok(sum)
    }

    /// The publish log of all nodes: complete when all are. What each sent counts from the last one's sending.
    pub async fn published(&self, from_us: u64, to_us: u64) -> anyhow::Result<PublishedAnswer> {
        let mut answer = self.first.published(from_us, to_us).await?;
        for (index, node) in self.others.iter().enumerate() {
            let other = node.published(from_us, to_us).await?;
            published::of_both(&mut answer, &other).with_context(|| format!("node {} and node 1 differ", index + 2))?;
        }
        Ok(answer)
    }

    /// How long pings of the range waited, of all nodes, µs.
    pub async fn runtime_lags_us(&self, from_us: u64, to_us: u64) -> anyhow::Result<Vec<u64>> {
        let mut lags_us = Vec::new();
        for node in self.all() {
            lags_us.extend(node.runtime_lag(from_us, to_us).await?.lags_us);
        }
        Ok(lags_us)
    }
}

fn add(sum: &mut Stats, other: Stats) {
    sum.log.bytes += other.log.bytes;
    // Each counts the one that asks: so the sum is 1 when every node has no other.
    sum.connections += other.connections.saturating_sub(1);
    for one in other.transports {
        if let Some(known) = sum.transports.iter_mut().find(|known| known.id == one.id) {
            known.requests += one.requests;
        }
    }
}
