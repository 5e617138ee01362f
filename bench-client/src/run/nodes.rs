//! The server of a row, as one or several processes: each has a copy of the feed and its own clients, and what they say is put together.
//!
//! ```text
//! Nodes -> node 0: /api/… -.
//!       -> node 1: /api/… -+-> one answer: sums of counters, all lags, one publish log
//! ```
//!
//! All nodes read one clock, and start their feeds at one moment of it: so they publish the same updates, due at the same times. That is
//! looked after, and where it does not hold there is no row. Epochs and cursors are each node's own.

use anyhow::{Context, bail, ensure};
use server::wire::{PublishedAnswer, TransportDescription};

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
            merge(&mut answer, &other).with_context(|| format!("node {} and node 1 differ", index + 2))?;
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

/// Two logs as one, where they say the same. As long as one is not complete they need not.
fn merge(log: &mut PublishedAnswer, other: &PublishedAnswer) -> anyhow::Result<()> {
    log.truncated |= other.truncated;
    log.complete &= other.complete;
    if !log.complete {
        return Ok(());
    }
    ensure!(log.topics.len() == other.topics.len(), "they have other topics");
    for (topic, again) in log.topics.iter_mut().zip(&other.topics) {
        let name = &topic.topic;
        ensure!(*name == again.topic, "{name} is called {}", again.topic);
        ensure!(
            (topic.updates.len(), topic.last_offset) == (again.updates.len(), again.last_offset),
            "{} updates of {name} up to offset {:?}, and {} up to {:?}",
            topic.updates.len(),
            topic.last_offset,
            again.updates.len(),
            again.last_offset
        );
        for (update, again) in topic.updates.iter_mut().zip(&again.updates) {
            if (update.seq, update.due_us) != (again.seq, again.due_us) {
                bail!(
                    "update {} of {name} is due at {}, and {} at {}",
                    update.seq,
                    update.due_us,
                    again.seq,
                    again.due_us
                );
            }
            update.sent_us = update.sent_us.max(again.sent_us);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use server::wire::{PublishedTopic, PublishedUpdate};

    use super::*;

    /// Updates due every 100 µs, sent so long after that.
    fn published(lag_us: u64) -> PublishedAnswer {
        let update = |seq| PublishedUpdate {
            seq,
            due_us: 100 * seq,
            sent_us: 100 * seq + lag_us,
        };
        let topic = PublishedTopic {
            topic: "match-1".into(),
            count: 3,
            first_seq: Some(1),
            last_seq: Some(3),
            last_offset: Some(3),
            updates: (1..=3).map(update).collect(),
        };
        PublishedAnswer {
            epoch: lag_us,
            from_us: 0,
            to_us: 10_000,
            complete: true,
            truncated: false,
            topics: vec![topic],
        }
    }

    #[test]
    fn nodes_that_published_the_same_are_as_late_as_the_last() {
        let mut log = published(5);
        merge(&mut log, &published(9)).unwrap();
        merge(&mut log, &published(1)).unwrap();
        let sent: Vec<_> = log.topics[0].updates.iter().map(|update| update.sent_us).collect();
        assert_eq!(sent, [109, 209, 309]);
        assert!(log.complete && !log.truncated);
    }

    #[test]
    fn nodes_that_differ_are_found_out() {
        type Change = fn(&mut PublishedAnswer);
        let differing: [(Change, &str); 4] = [
            (|log| log.topics[0].updates[1].due_us += 1, "update 2 of match-1"),
            (|log| log.topics[0].updates[1].seq += 1, "update 2 of match-1"),
            (|log| log.topics[0].updates.truncate(2), "3 updates of match-1"),
            (|log| log.topics[0].topic = "match-2".into(), "is called match-2"),
        ];
        for (change, words) in differing {
            let mut other = published(1);
            change(&mut other);
            let said = merge(&mut published(1), &other).unwrap_err().to_string();
            assert!(said.contains(words), "{said}");
        }
        // One that has not got there yet is waited for.
        let (mut log, mut behind) = (published(1), published(1));
        (behind.complete, behind.truncated) = (false, true);
        behind.topics[0].updates.clear();
        merge(&mut log, &behind).unwrap();
        assert!(!log.complete && log.truncated);
    }
}
