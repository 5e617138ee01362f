//! `verify`: does every transport deliver what the protocol promises? In seconds, and without figures.
//!
//! ```text
//! for each transport: order · completeness over cuts · all topics · reset for every kind of bad cursor · malformed refused
//! ```

use std::{sync::Arc, time::Duration};

use anyhow::{Context, bail, ensure};
use server::{
    settings::FeedSettings,
    wire::{Cursor, Mode},
};
use tokio::{task::LocalSet, time::timeout};

use crate::{
    control::Control,
    headers::HeaderSet,
    net::Net,
    process::ServerProcess,
    transports::{self, Arrival, Arrivals, ClientTransport, Endpoint, PollGrid, Session, SessionError},
};

/// How long one check may take.
const CHECK_TIMEOUT: Duration = Duration::from_secs(30);
/// Updates that order is judged by.
const UPDATES: usize = 30;
/// Cuts that completeness is judged by.
const CUTS: usize = 10;
/// Short polling's interval here.
const POLL_INTERVAL_US: u64 = 50_000;
/// The feed of a server of our own: fast, and with a log that old updates soon leave.
const RATE_HZ: f64 = 50.0;
const LOG_UPDATES: &str = "50";

/// The outcome of one check.
#[derive(Debug)]
pub struct Check {
    pub transport: &'static str,
    pub name: &'static str,
    pub result: anyhow::Result<String>,
}

/// Checks every transport of a server of our own, or of the target. `report` gets each check as it ends.
pub async fn verify(target: Option<Control>, mut report: impl FnMut(&Check)) -> anyhow::Result<bool> {
    let mut own = None;
    let control = match target {
        Some(control) => control,
        None => {
            let feed = FeedSettings {
                topics: Some(2),
                rate: Some(RATE_HZ),
                ..FeedSettings::default()
            };
            let server =
                own.insert(ServerProcess::start(&feed, Duration::ZERO, &["--log-updates", LOG_UPDATES]).await?);
            let control = Control::new(&server.url).await?;
            let now_us = control.clock().await?.clock.now_us();
            server
                .switch
                .as_mut()
                .context("the server has no stdin")?
                .start_feed(now_us)
                .await?;
            control
        }
    };
    let local = LocalSet::new();
    let passed = local.run_until(check_all(&control, &mut report)).await;
    if let Some(server) = own {
        server.stop().await;
    }
    passed
}

async fn check_all(control: &Control, report: &mut impl FnMut(&Check)) -> anyhow::Result<bool> {
    let clock = control.clock().await?.clock;
    let stats = control.stats().await?;
    let served: Vec<_> = control.transports().await?.into_iter().map(|one| one.id).collect();
    let topics = stats
        .topics
        .iter()
        .enumerate()
        .map(|(index, one)| (one.topic.clone(), index as u32))
        .collect();
    let endpoint = Endpoint {
        address: control.address,
        authority: control.authority.clone(),
        topic: stats.topics.first().map(|one| one.topic.clone()),
        topics: Arc::new(topics),
        mode: Mode::Every,
        wait_ms: 5_000,
        headers: HeaderSet::Browser,
        keep_alive: true,
        polls: PollGrid {
            first_us: clock.now_us(),
            interval_us: POLL_INTERVAL_US,
        },
    };
    let subject = Subject {
        net: Net::new(clock),
        endpoint,
    };
    let mut passed = true;
    for row in transports::ALL
        .iter()
        .filter(|row| served.iter().any(|id| id == row.id))
    {
        for (name, check) in CHECKS {
            let result = match timeout(CHECK_TIMEOUT, check(&subject, row)).await {
                Ok(result) => result,
                Err(_) => Err(anyhow::anyhow!(
                    "not done within {} s: is the feed silent?",
                    CHECK_TIMEOUT.as_secs()
                )),
            };
            passed &= result.is_ok();
            report(&Check {
                transport: row.id,
                name,
                result,
            });
        }
    }
    Ok(passed)
}

type CheckFn =
    for<'a> fn(&'a Subject, &'a ClientTransport) -> futures_util::future::LocalBoxFuture<'a, anyhow::Result<String>>;

const CHECKS: [(&str, CheckFn); 5] = [
    ("order", |subject, row| Box::pin(subject.order(row))),
    ("completeness", |subject, row| Box::pin(subject.completeness(row))),
    ("all topics", |subject, row| Box::pin(subject.all_topics(row))),
    ("reset", |subject, row| Box::pin(subject.reset(row))),
    ("malformed cursor", |subject, row| Box::pin(subject.malformed(row))),
];

/// The server under test, as the checks ask it.
struct Subject {
    net: Net,
    endpoint: Endpoint,
}

impl Subject {
    async fn open(
        &self,
        row: &ClientTransport,
        endpoint: Endpoint,
        since: Option<Cursor>,
    ) -> Result<Box<dyn Session>, SessionError> {
        (row.open)(&self.net, &Arc::new(endpoint), since).await
    }

    /// The session's updates until there are at least `least`.
    async fn take(session: &mut dyn Session, least: usize) -> anyhow::Result<Vec<Arrival>> {
        let mut taken = Vec::new();
        let mut arrivals = Arrivals::default();
        while taken.len() < least {
            arrivals.clear();
            session.next(&mut arrivals).await?;
            ensure!(!arrivals.reset, "a reset that nothing called for");
            taken.append(&mut arrivals.updates);
        }
        Ok(taken)
    }

    async fn order(&self, row: &ClientTransport) -> anyhow::Result<String> {
        let mut session = self.open(row, self.endpoint.clone(), None).await?;
        let updates = Self::take(session.as_mut(), UPDATES).await?;
        contiguous(updates.iter().map(|update| update.seq))?;
        Ok(format!("{} updates in order", updates.len()))
    }

    async fn completeness(&self, row: &ClientTransport) -> anyhow::Result<String> {
        let (mut cursor, mut seqs) = (None, Vec::new());
        for _ in 0..=CUTS {
            let mut session = self.open(row, self.endpoint.clone(), cursor).await?;
            let updates = Self::take(session.as_mut(), 2).await?;
            seqs.extend(updates.iter().map(|update| update.seq));
            cursor = session.cursor();
            // Dropped here: the connection is cut without a word.
        }
        contiguous(seqs.iter().copied())?;
        Ok(format!(
            "{} updates over {CUTS} cuts, none lost, none twice",
            seqs.len()
        ))
    }

    async fn all_topics(&self, row: &ClientTransport) -> anyhow::Result<String> {
        let endpoint = Endpoint {
            topic: None,
            ..self.endpoint.clone()
        };
        let mut session = self.open(row, endpoint, None).await?;
        let topics = self.endpoint.topics.len();
        let updates = Self::take(session.as_mut(), UPDATES.max(2 * topics)).await?;
        // First the newest of each topic, in order of offset; from the last of these on, every offset.
        let live = &updates[topics.min(updates.len()).saturating_sub(1)..];
        contiguous(live.iter().map(|update| update.cursor.offset))?;
        Ok(format!("{topics} topics, {} updates", updates.len()))
    }

    async fn reset(&self, row: &ClientTransport) -> anyhow::Result<String> {
        let mut session = self.open(row, self.endpoint.clone(), None).await?;
        let newest = Self::take(session.as_mut(), 1).await?;
        let at = newest.last().context("no update")?.cursor;
        drop(session);
        let bad = [
            (
                "another epoch",
                Cursor {
                    epoch: at.epoch - 1,
                    offset: at.offset,
                },
            ),
            (
                "ahead of the log",
                Cursor {
                    offset: at.offset + 1_000_000,
                    ..at
                },
            ),
            ("evicted from the log", Cursor { offset: 0, ..at }),
        ];
        let mut said = Vec::new();
        for (kind, cursor) in bad {
            let mut session = self.open(row, self.endpoint.clone(), Some(cursor)).await?;
            let mut arrivals = Arrivals::default();
            while arrivals.updates.is_empty() {
                session.next(&mut arrivals).await?;
            }
            let first = arrivals.updates[0].seq;
            if cursor.offset == 0 && !arrivals.reset && first == 1 {
                // The log still holds everything: then a replay from the beginning is right.
                continue;
            }
            ensure!(
                arrivals.reset,
                "a cursor {kind} was continued in silence, at seq {first}"
            );
            ensure!(
                first >= newest[0].seq,
                "after a reset (cursor {kind}) came seq {first}, which is not the newest state"
            );
            said.push(kind);
        }
        Ok(format!("said for a cursor {}", said.join(", ")))
    }

    async fn malformed(&self, row: &ClientTransport) -> anyhow::Result<String> {
        let target = format!("/feed/{}?since=not-a-cursor", row.id);
        let mut connection = transports::http::HttpConnection::open(&self.net, &self.endpoint).await?;
        let request = transports::http::get_request(&self.endpoint, &target, &http::HeaderMap::new())?;
        let status = connection.get(&transports::http::encode(&request)).await?.status;
        if status != 400 {
            bail!("a malformed cursor was answered {status}, not 400");
        }
        let body = connection.body(|_, body| Ok(body.to_vec())).await?;
        let error: server::wire::ErrorAnswer = serde_json::from_slice(&body).context("the 400 has no JSON error")?;
        Ok(format!("400: {}", error.error.chars().take(60).collect::<String>()))
    }
}

/// Every number follows the one before it.
fn contiguous(mut numbers: impl Iterator<Item = u64>) -> anyhow::Result<()> {
    let Some(mut last) = numbers.next() else { return Ok(()) };
    for number in numbers {
        ensure!(number == last + 1, "{number} came after {last}");
        last = number;
    }
    Ok(())
}
