//! Control calls to the server under test: clock, catalogue, publish log. Over reqwest, apart from the measured connections.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, bail};
use reqwest::Url;
use serde::{Deserialize, de::DeserializeOwned};
use server::{
    FeedDescription,
    clock::{Clock, boot_id},
    wire::{ClockAnswer, PublishedAnswer, RuntimeLagAnswer, TransportDescription},
};

/// How long one control call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(20);
/// Calls from which a foreign clock is estimated; the fastest one counts.
const CLOCK_CALLS: u32 = 25;

/// A server, spoken to beside the load.
#[derive(Debug, Clone)]
pub struct Control {
    client: reqwest::Client,
    base: Url,
    /// Where its clients connect.
    pub address: SocketAddr,
    /// `Host` of every request.
    pub authority: String,
}

/// What `/api/stats` says, as far as it is needed here.
#[derive(Debug, Deserialize)]
pub struct Stats {
    pub feed: FeedDescription,
    pub topics: Vec<StatsTopic>,
    pub log: StatsLog,
    /// Connections open now, the one that asks included.
    pub connections: u64,
    /// Connections closed because the peer took no byte for too long.
    #[serde(default)]
    pub write_stalls: Option<u64>,
    pub transports: Vec<StatsTransport>,
}

#[derive(Debug, Deserialize)]
pub struct StatsTransport {
    pub id: String,
    /// Requests for it so far.
    pub requests: u64,
    /// Sessions that were reset, and the updates they lost by it.
    #[serde(default)]
    pub resets: Option<u64>,
    #[serde(default)]
    pub lagged: Option<u64>,
}

#[derive(Debug, Deserialize)]
pub struct StatsTopic {
    pub topic: String,
    pub home: String,
    pub away: String,
}

#[derive(Debug, Deserialize)]
pub struct StatsLog {
    pub bytes: u64,
}

impl Stats {
    /// Requests for a transport so far.
    pub fn requests_of(&self, id: &str) -> Option<u64> {
        Some(self.of(id)?.requests)
    }

    pub fn of(&self, id: &str) -> Option<&StatsTransport> {
        self.transports.iter().find(|one| one.id == id)
    }
}

/// The server's clock, as this machine can read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedClock {
    pub clock: Clock,
    /// How far it may be off, in µs: 0 on the same machine, where it is the very same clock.
    pub bound_us: u64,
}

impl Control {
    /// Finds the server's address; sends nothing yet.
    pub async fn new(url: &str) -> anyhow::Result<Self> {
        let base: Url = url
            .parse()
            .with_context(|| format!("{url:?} is no address: expected http://HOST:PORT"))?;
        if base.scheme() != "http" {
            bail!("{url:?}: only http:// can be measured, because bytes are counted on the socket");
        }
        let plain = base.path() == "/" && base.query().is_none() && base.fragment().is_none();
        if !plain || !base.username().is_empty() || base.password().is_some() {
            bail!("{url:?}: only http://HOST:PORT can be measured; leave out user, path and query");
        }
        let host = base
            .host_str()
            .with_context(|| format!("{url:?} names no host"))?
            .to_owned();
        let port = base.port_or_known_default().unwrap_or(80);
        let authority = base
            .port()
            .map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        let name = host.trim_matches(['[', ']']);
        let mut addresses = tokio::net::lookup_host((name, port))
            .await
            .with_context(|| format!("{url:?}: no address for {host}"))?;
        let address = addresses
            .next()
            .with_context(|| format!("{url:?}: no address for {host}"))?;
        // One connection at rest at most: a row waits for all others to be closed, and this one is known.
        let client = reqwest::Client::builder()
            .timeout(CALL_TIMEOUT)
            .pool_max_idle_per_host(1)
            .no_proxy()
            .build()?;
        Ok(Self {
            client,
            base,
            address,
            authority,
        })
    }

    /// The same server to speak to, with clients that connect elsewhere: to a null server beside it.
    pub fn with_clients_at(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self.authority = address.to_string();
        self
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let url = self.base.join(path)?;
        let answer = self.client.get(url).send().await?.error_for_status()?;
        answer
            .json()
            .await
            .with_context(|| format!("{path} answered something else than this lab's server does"))
    }

    pub async fn transports(&self) -> anyhow::Result<Vec<TransportDescription>> {
        self.get("/api/transports").await
    }

    pub async fn stats(&self) -> anyhow::Result<Stats> {
        self.get("/api/stats").await
    }

    /// The publish log of what was due in the range, update by update.
    pub async fn published(&self, from_us: u64, to_us: u64) -> anyhow::Result<PublishedAnswer> {
        self.get(&format!("/api/published?from_us={from_us}&to_us={to_us}&detail=true"))
            .await
    }

    /// How long pings of the range waited until the server's runtime read them, µs.
    pub async fn runtime_lag(&self, from_us: u64, to_us: u64) -> anyhow::Result<RuntimeLagAnswer> {
        self.get(&format!("/api/runtime-lag?from_us={from_us}&to_us={to_us}"))
            .await
    }

    /// The server's clock: the very same on this machine, estimated from the fastest of several calls elsewhere.
    pub async fn clock(&self) -> anyhow::Result<SharedClock> {
        let first: ClockAnswer = self.get("/api/clock").await?;
        if !first.boot_id.is_empty() && first.boot_id == boot_id() {
            return Ok(SharedClock {
                clock: Clock::with_offset(first.offset_us),
                bound_us: 0,
            });
        }
        let own = Clock::start();
        let mut best = None::<(u64, i64)>;
        for _ in 0..CLOCK_CALLS {
            let sent = own.now_us();
            let answer: ClockAnswer = self.get("/api/clock").await?;
            let round_trip = own.now_us() - sent;
            // The server read its clock somewhere within the round trip: the middle is off by half of it at most.
            let ahead = answer.now_us as i64 - (sent + round_trip / 2) as i64;
            if best.is_none_or(|(least, _)| round_trip < least) {
                best = Some((round_trip, ahead));
            }
        }
        let (round_trip, ahead) = best.context("the clock was not asked")?;
        Ok(SharedClock {
            clock: Clock::with_offset(own.offset_us() + ahead),
            bound_us: round_trip.div_ceil(2),
        })
    }
}
