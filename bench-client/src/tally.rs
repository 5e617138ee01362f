//! What the clients noted, compared with what was published: every figure about updates comes from here.
//!
//! ```text
//! ClientLog of each client + publish log + window -> streams (client × topic) -> Tally
//! ```
//!
//! It works on what was recorded, after the run: pure, exact, and no work on the measured path. An update belongs to the window by
//! its due time, whenever it came; a delivery belongs to it by wall clock. Nothing is clamped and no quantile is averaged.

mod restored;
mod resumes;
mod scores;
mod staleness;
mod stream;

use server::wire::{Mode, PublishedAnswer, PublishedUpdate};

use crate::{
    report::histogram::Distribution,
    virtual_client::{ClientLog, Kind, Receipt},
};
use restored::Restoring;
pub use restored::{Outage, Restored};
use resumes::Resumes;
pub use scores::final_scores;
use staleness::Ages;
use stream::{Fate, Stream};

/// Faults kept in words; the rest are only counted.
const FAULTS_KEPT: usize = 10;

/// `[from_us, to_us)`, by the server's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub from_us: u64,
    pub to_us: u64,
}

impl Window {
    pub fn contains(&self, at_us: u64) -> bool {
        (self.from_us..self.to_us).contains(&at_us)
    }

    pub fn length_us(&self) -> u64 {
        self.to_us - self.from_us
    }
}

/// What one topic published, from before the window to its end, in order of seq.
#[derive(Debug, Default)]
pub struct TopicLog {
    pub name: String,
    pub updates: Vec<PublishedUpdate>,
}

/// Everything a row is judged by.
pub struct Evidence<'a> {
    pub window: Window,
    pub mode: Mode,
    /// Planned clients, whether or not they ever connected: one log each.
    pub clients: &'a [ClientLog],
    pub topics: &'a [TopicLog],
    /// What a client that holds nothing is as old as: when the feed began, or the window where that is not known.
    pub nothing_held_since_us: u64,
    /// The server was killed in the window, and another took its place.
    pub outage: Option<Outage>,
}

/// Figures about updates.
#[derive(Debug)]
pub struct Tally {
    pub published: u64,
    pub expected: u64,
    pub received: u64,
    pub deliveries: u64,
    pub payload_bytes: u64,
    pub missed: u64,
    pub superseded: u64,
    pub duplicates: u64,
    pub out_of_order: u64,
    pub lagged: u64,
    pub latency: Distribution,
    pub catch_up: Distribution,
    /// See [`crate::record::Row::resume`].
    pub resume: Distribution,
    /// Absent where there was no outage.
    pub restored: Option<Restored>,
    pub age_mean_us: Option<f64>,
    pub age_p99_us: Option<u64>,
    pub stale_share: Option<f64>,
    pub spread_p99_us: Option<u64>,
    pub publish_lag_p99_us: Option<u64>,
    /// Per second of the window: deliveries and their latencies.
    pub seconds: Vec<Second>,
    pub faults: Vec<String>,
    /// A client and the publish log name different due times for one update.
    pub disagreements: u64,
}

/// Deliveries of one second.
#[derive(Debug, Clone)]
pub struct Second {
    pub deliveries: u64,
    pub latency: Distribution,
}

impl TopicLog {
    /// The publish log by topic, in the feed's order.
    pub fn from_answer(answer: PublishedAnswer) -> Vec<Self> {
        answer
            .topics
            .into_iter()
            .map(|topic| Self {
                name: topic.topic,
                updates: topic.updates,
            })
            .collect()
    }
}

/// Judges a row.
pub fn tally(evidence: &Evidence<'_>) -> Tally {
    let mut tally = Tally::new(evidence);
    let mut ages = Ages::default();
    let mut spreads: Vec<Vec<(u64, u64)>> = evidence
        .topics
        .iter()
        .map(|topic| vec![(u64::MAX, 0); topic.updates.len()])
        .collect();
    let mut own: Vec<Receipt> = Vec::new();
    for log in evidence.clients {
        let mut resumes = Resumes::of(log, evidence.window);
        let mut restoring = Restoring::Nothing;
        for (index, topic) in evidence.topics.iter().enumerate() {
            if log.topic.is_some_and(|followed| followed as usize != index) {
                continue;
            }
            let receipts = match log.topic {
                Some(_) => &log.receipts[..],
                None => {
                    own.clear();
                    own.extend(log.receipts.iter().filter(|receipt| receipt.topic as usize == index));
                    &own[..]
                }
            };
            let stream = Stream::follow(&topic.updates, receipts);
            tally.add_stream(evidence, log.client, topic, receipts, &stream);
            ages.add(evidence, &topic.updates, receipts, &stream);
            resumes.follow(&topic.updates, &stream);
            if let Some(outage) = evidence.outage {
                restoring = restoring.follow(outage, &topic.updates, receipts);
            }
            for (spread, receipt) in spreads[index].iter_mut().zip(&stream.received) {
                if let Some(receipt) = receipt.filter(|receipt| receipt.kind == Kind::Live) {
                    *spread = (spread.0.min(receipt.received_us), spread.1.max(receipt.received_us));
                }
            }
        }
        resumes.record(&mut tally.resume);
        if let Some(restored) = &mut tally.restored {
            restored.add(restoring);
        }
    }
    tally.age_mean_us = ages.mean_us();
    tally.age_p99_us = ages.quantile_us(0.99);
    tally.stale_share = ages.stale_share();
    tally.spread_p99_us = spread_p99_us(evidence, &spreads);
    tally
}

impl Tally {
    fn new(evidence: &Evidence<'_>) -> Self {
        let window = evidence.window;
        let in_window = evidence.topics.iter().flat_map(|topic| &topic.updates);
        let in_window: Vec<_> = in_window.filter(|update| window.contains(update.due_us)).collect();
        let mut lag = Distribution::empty();
        for update in &in_window {
            record(&mut lag, update.sent_us as i64 - update.due_us as i64);
        }
        let seconds = window.length_us().div_ceil(1_000_000) as usize;
        Self {
            published: in_window.len() as u64,
            expected: 0,
            received: 0,
            deliveries: 0,
            payload_bytes: 0,
            missed: 0,
            superseded: 0,
            duplicates: 0,
            out_of_order: 0,
            lagged: 0,
            latency: Distribution::empty(),
            catch_up: Distribution::empty(),
            resume: Distribution::empty(),
            restored: evidence.outage.map(|_| Restored::default()),
            age_mean_us: None,
            age_p99_us: None,
            stale_share: None,
            spread_p99_us: None,
            publish_lag_p99_us: lag.quantile(0.99).and_then(crate::record::Quantile::us),
            seconds: vec![
                Second {
                    deliveries: 0,
                    latency: Distribution::empty()
                };
                seconds
            ],
            faults: Vec::new(),
            disagreements: 0,
        }
    }

    fn add_stream(
        &mut self,
        evidence: &Evidence<'_>,
        client: u32,
        topic: &TopicLog,
        receipts: &[Receipt],
        stream: &Stream,
    ) {
        let window = evidence.window;
        for (index, update) in topic.updates.iter().enumerate() {
            if !window.contains(update.due_us) {
                continue;
            }
            self.expected += 1;
            let fate = stream.fate(index, evidence.mode);
            match fate {
                Fate::Received { at_us, kind, held_us } => {
                    self.received += 1;
                    let at_us = if evidence.mode == Mode::Latest { held_us } else { at_us };
                    record(self.latency_of(kind), at_us as i64 - update.due_us as i64);
                }
                Fate::Superseded { held_us, kind } => {
                    self.superseded += 1;
                    record(self.latency_of(kind), held_us as i64 - update.due_us as i64);
                }
                Fate::Lagged => {
                    self.lagged += 1;
                    self.latency.lost += 1;
                }
                Fate::Missed => {
                    self.missed += 1;
                    self.latency.lost += 1;
                    self.fault(|| format!("client {client} never received update {} of {}", update.seq, topic.name));
                }
            }
        }
        for (receipt, again) in stream.repeated(receipts) {
            if !window.contains(receipt.due_us) {
                continue;
            }
            let (counter, what) = if again {
                (&mut self.duplicates, "received again")
            } else {
                (&mut self.out_of_order, "received after a newer one")
            };
            *counter += 1;
            self.fault(|| format!("client {client}: update {} of {} was {what}", receipt.seq, topic.name));
        }
        for receipt in stream.firsts() {
            if window.contains(receipt.received_us) && receipt.due_us >= window.from_us && receipt.kind != Kind::Initial
            {
                self.deliveries += 1;
                self.payload_bytes += u64::from(receipt.bytes);
                let second = (receipt.received_us - window.from_us) / 1_000_000;
                let second = &mut self.seconds[second as usize];
                second.deliveries += 1;
                if receipt.kind != Kind::CatchUp {
                    record(&mut second.latency, receipt.received_us as i64 - receipt.due_us as i64);
                }
            }
        }
        if stream.disagreements > 0 {
            self.disagreements += stream.disagreements;
            self.fault(|| {
                format!(
                    "client {client}: due times of {} differ from the publish log's",
                    topic.name
                )
            });
        }
    }

    /// What a client catches up after a cut says how long it was away, not how fast the transport is.
    fn latency_of(&mut self, kind: Kind) -> &mut Distribution {
        if kind == Kind::CatchUp {
            &mut self.catch_up
        } else {
            &mut self.latency
        }
    }

    fn fault(&mut self, words: impl FnOnce() -> String) {
        if self.faults.len() < FAULTS_KEPT {
            self.faults.push(words());
        }
    }
}

/// Records a time in µs; one below zero is counted apart.
fn record(into: &mut Distribution, us: i64) {
    match u64::try_from(us) {
        // The histogram grows by itself; it refuses no value.
        Ok(us) => into.histogram.saturating_record(us),
        Err(_) => into.negative += 1,
    }
}

/// First to last client of each update of the window, at the 99th percentile of the updates.
fn spread_p99_us(evidence: &Evidence<'_>, spreads: &[Vec<(u64, u64)>]) -> Option<u64> {
    let mut distribution = Distribution::empty();
    for (topic, spreads) in evidence.topics.iter().zip(spreads) {
        for (update, (first, last)) in topic.updates.iter().zip(spreads) {
            if evidence.window.contains(update.due_us) && first <= last {
                distribution.histogram.saturating_record(last - first);
            }
        }
    }
    distribution.quantile(0.99).and_then(crate::record::Quantile::us)
}

#[cfg(test)]
mod tests;
