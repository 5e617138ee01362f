//! What can be set, by flag and by environment variable. One place for names, defaults and limits.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, ValueEnum};

use crate::{
    FeedDescription,
    feed::{
        Feed,
        replay::{Replay, ReplayError},
        simulated::{Arrivals, Simulated, SimulatedError},
    },
    hub::{LogBounds, encode},
    origin::AllowedOrigin,
    wire::Update,
};

/// Largest encoded update.
pub const UPDATE_MAX_BYTES: u32 = 64 * 1024;

/// The newest state, an update of every topic, is one answer: topics × payload may not be larger.
const NEWEST_STATE_MAX_BYTES: u64 = 64 * 1024 * 1024;

pub const DEFAULT_RATE_HZ: f64 = 5.0;
pub const DEFAULT_BURST_SIZE: u32 = 10;
pub const DEFAULT_SEED: u64 = 1;
const DEFAULT_SPEED: f64 = 60.0;

/// The feed: simulated matches, or real ones from a file.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Feed")]
pub struct FeedSettings {
    /// Matches played at once, each a topic [default: 1]
    #[arg(long, env = "FEED_TOPICS", value_name = "N")]
    pub topics: Option<u32>,
    /// Updates per second and topic, 0.1 to 1000; 0 is silence [default: 5]
    #[arg(long, env = "FEED_RATE", value_name = "HZ", allow_negative_numbers = true)]
    pub rate: Option<f64>,
    /// Size of each whole encoded update in bytes, up to 65536 [default: as long as it comes]
    #[arg(long, env = "FEED_PAYLOAD", value_name = "BYTES")]
    pub payload: Option<u32>,
    /// How updates are spread over time [default: regular]
    #[arg(long, env = "FEED_ARRIVALS", value_enum)]
    pub arrivals: Option<ArrivalsSetting>,
    /// Updates due at once, for burst arrivals [default: 10]
    #[arg(long, env = "FEED_BURST_SIZE", value_name = "N")]
    pub burst_size: Option<u32>,
    /// Same seed, same updates [default: 1]
    #[arg(long, env = "FEED_SEED", value_name = "N")]
    pub seed: Option<u64>,
    /// Play the real matches of an openfootball worldcup.json instead
    #[arg(long, env = "FEED_REPLAY", value_name = "FILE")]
    pub replay: Option<PathBuf>,
    /// How many times faster than the real match, for a replay [default: 60]
    #[arg(long, env = "FEED_SPEED", value_name = "X", allow_negative_numbers = true)]
    pub speed: Option<f64>,
}

impl ArrivalsSetting {
    pub fn name(self) -> &'static str {
        match self {
            Self::Regular => "regular",
            Self::Poisson => "poisson",
            Self::Burst => "burst",
        }
    }
}

/// Spread of updates over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ArrivalsSetting {
    /// Evenly spaced
    Regular,
    /// Exponential gaps, as independent events have
    Poisson,
    /// Several at once, then silence; the same mean rate
    Burst,
}

/// Settings that make no feed.
#[derive(Debug, thiserror::Error)]
pub enum FeedSettingsError {
    #[error("{0} makes no sense for a replay: the file says when and what; leave it out, or leave out --replay")]
    NotForReplay(&'static str),
    #[error("--speed is for a replay: name a file with --replay, or use --rate")]
    OnlyForReplay,
    #[error("--burst-size is for burst arrivals: add --arrivals burst, or leave it out")]
    OnlyForBurst,
    #[error(
        "--payload {asked}: an update of this feed takes up to {smallest} bytes, and {UPDATE_MAX_BYTES} are the most; \
             ask for {smallest} to {UPDATE_MAX_BYTES}, or leave it out to send updates as long as they come"
    )]
    Payload { asked: u32, smallest: usize },
    #[error("{topics} topics of {asked}-byte updates: the newest state of all is one answer, and {NEWEST_STATE_MAX_BYTES} bytes \
             are the most; ask for a --payload of at most {} or for fewer --topics", NEWEST_STATE_MAX_BYTES / *.topics)]
    NewestState { topics: u64, asked: u32 },
    #[error(transparent)]
    Simulated(#[from] SimulatedError),
    #[error(transparent)]
    Replay(#[from] ReplayError),
}

impl FeedSettings {
    /// The feed these settings ask for, and what `/api/stats` says of it.
    pub fn feed(&self) -> Result<(Feed, FeedDescription), FeedSettingsError> {
        let (feed, description) = match &self.replay {
            Some(path) => self.replayed(path)?,
            None => self.simulated()?,
        };
        if let Some(asked) = self.payload {
            let smallest = smallest_update_bytes(&feed);
            if (asked as usize) < smallest || asked > UPDATE_MAX_BYTES {
                return Err(FeedSettingsError::Payload { asked, smallest });
            }
            let topics = feed.matches.len() as u64;
            if topics * u64::from(asked) > NEWEST_STATE_MAX_BYTES {
                return Err(FeedSettingsError::NewestState { topics, asked });
            }
        }
        Ok((feed, description))
    }

    fn simulated(&self) -> Result<(Feed, FeedDescription), FeedSettingsError> {
        let arrivals = self.arrivals.unwrap_or(ArrivalsSetting::Regular);
        if self.speed.is_some() {
            return Err(FeedSettingsError::OnlyForReplay);
        }
        if self.burst_size.is_some() && arrivals != ArrivalsSetting::Burst {
            return Err(FeedSettingsError::OnlyForBurst);
        }
        let simulated = Simulated {
            topics: self.topics.unwrap_or(1),
            rate_hz: self.rate.unwrap_or(DEFAULT_RATE_HZ),
            arrivals: match arrivals {
                ArrivalsSetting::Regular => Arrivals::Regular,
                ArrivalsSetting::Poisson => Arrivals::Poisson,
                ArrivalsSetting::Burst => Arrivals::Burst {
                    size: self.burst_size.unwrap_or(DEFAULT_BURST_SIZE),
                },
            },
            seed: self.seed.unwrap_or(DEFAULT_SEED),
        };
        let description = FeedDescription {
            kind: "simulated".into(),
            topics: simulated.topics,
            rate_hz: Some(simulated.rate_hz),
            arrivals: Some(arrivals.name().into()),
            seed: Some(simulated.seed),
            speed: None,
            update_bytes: self.payload,
        };
        Ok((simulated.feed()?, description))
    }

    fn replayed(&self, path: &Path) -> Result<(Feed, FeedDescription), FeedSettingsError> {
        let for_simulated = [
            ("--topics", self.topics.is_some()),
            ("--rate", self.rate.is_some()),
            ("--arrivals", self.arrivals.is_some()),
            ("--burst-size", self.burst_size.is_some()),
            ("--seed", self.seed.is_some()),
        ];
        if let Some((flag, _)) = for_simulated.iter().find(|(_, given)| *given) {
            return Err(FeedSettingsError::NotForReplay(flag));
        }
        let replay = Replay {
            path: path.to_owned(),
            speed: self.speed.unwrap_or(DEFAULT_SPEED),
        };
        let feed = replay.feed()?;
        let description = FeedDescription {
            kind: "replay".into(),
            topics: feed.matches.len() as u32,
            rate_hz: None,
            arrivals: None,
            seed: None,
            speed: Some(replay.speed),
            update_bytes: self.payload,
        };
        Ok((feed, description))
    }
}

/// What the largest bare update of a feed takes, with times as they are today and positions of six digits.
fn smallest_update_bytes(feed: &Feed) -> usize {
    const NOW_US: u64 = 9_999_999_999_999_999;
    const POSITION: u64 = 999_999;
    let (of, event) = (&feed.longest.of, &feed.longest.event);
    let longest = Update {
        topic: of.topic.as_str().into(),
        epoch: NOW_US / 1_000,
        offset: POSITION,
        seq: POSITION,
        due_us: NOW_US,
        sent_us: NOW_US,
        home: of.home.as_str().into(),
        away: of.away.as_str().into(),
        home_score: event.home_score,
        away_score: event.away_score,
        minute: event.minute,
        event: event.event.into(),
        player: event.player.as_ref().into(),
        pad: None,
    };
    encode(longest, Some(0)).len()
}

/// The server around the feed.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Server")]
pub struct ServerSettings {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, env = "FEED_LISTEN", value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Threads that serve [default: one per core]
    #[arg(long, env = "FEED_WORKERS", value_name = "N", value_parser = whole::<1, 1_024>)]
    pub workers: Option<usize>,
    /// Connections at once; more are answered 503
    #[arg(long, env = "FEED_MAX_CONNECTIONS", value_name = "N", default_value = "100000", value_parser = whole::<1, 10_000_000>)]
    pub max_connections: usize,
    /// Seconds a connection may take (or stay idle) before a whole request head is there
    #[arg(long, env = "FEED_HEADER_TIMEOUT", value_name = "S", default_value = "15", value_parser = seconds)]
    pub header_timeout: Duration,
    /// Seconds a peer may take no byte of what is written to it
    #[arg(long, env = "FEED_WRITE_TIMEOUT", value_name = "S", default_value = "30", value_parser = seconds)]
    pub write_timeout: Duration,
    /// Seconds of silence after which SSE gets a comment and WebSocket a ping
    #[arg(long, env = "FEED_HEARTBEAT", value_name = "S", default_value = "15", value_parser = seconds)]
    pub heartbeat: Duration,
    /// Seconds a peer may leave a ping, a heartbeat or the kernel's probe unanswered
    #[arg(long, env = "FEED_PEER_TIMEOUT", value_name = "S", default_value = "10", value_parser = seconds)]
    pub peer_timeout: Duration,
    /// Seconds open streams get to end at shutdown
    #[arg(long, env = "FEED_DRAIN_DEADLINE", value_name = "S", default_value = "5", value_parser = seconds)]
    pub drain_deadline: Duration,
    /// Updates the log keeps per topic
    #[arg(long, env = "FEED_LOG_UPDATES", value_name = "N", default_value = "10000", value_parser = whole::<1, 1_000_000_000>)]
    pub log_updates: usize,
    /// MiB of encoded updates the log keeps in all
    #[arg(long, env = "FEED_LOG_MIB", value_name = "N", default_value = "64", value_parser = whole::<1, 1_048_576>)]
    pub log_mib: usize,
    /// Origin whose pages may read and open WebSockets besides the server's own, as https://page.example:8443; repeatable, `*` is any
    #[arg(
        long = "allow-origin",
        env = "FEED_ALLOW_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    pub allow_origins: Vec<AllowedOrigin>,
    /// Form of the log lines on stderr
    #[arg(long, env = "FEED_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// Least important log lines shown
    #[arg(long, env = "FEED_LOG_LEVEL", value_enum, default_value_t = LogLevel::Info)]
    pub log_level: LogLevel,
    /// Started by a bench client: says its address as JSON on stdout, waits for `start` on stdin, ends with stdin
    #[arg(long, hide = true)]
    pub child: bool,
    /// Beside a bench client's child: a null server on a port of its own, whose address stands in the same line
    #[arg(long, hide = true, requires = "child")]
    pub null: bool,
    /// In place of a child that was killed: that one's clock, as its offset to CLOCK_MONOTONIC in µs, so that both read the same time
    #[arg(
        long,
        hide = true,
        requires = "child",
        allow_negative_numbers = true,
        value_name = "US"
    )]
    pub clock_offset_us: Option<i64>,
    /// The feed counts from here (µs, the server's clock): what is due by now is published before the first connection is served
    #[arg(long, hide = true, requires = "child", value_name = "US")]
    pub feed_start_us: Option<u64>,
}

impl ServerSettings {
    pub fn log_bounds(&self) -> LogBounds {
        LogBounds {
            updates_per_topic: self.log_updates,
            bytes: self.log_mib << 20,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// A whole number from LEAST to MOST, as a flag takes it.
fn whole<const LEAST: usize, const MOST: usize>(text: &str) -> Result<usize, String> {
    let expected = format!("expected a whole number from {LEAST} to {MOST}");
    text.parse()
        .ok()
        .filter(|value| (LEAST..=MOST).contains(value))
        .ok_or(expected)
}

/// A duration in seconds, as a flag takes it: more than 0, at most a day.
fn seconds(text: &str) -> Result<Duration, String> {
    const MOST_S: f64 = 86_400.0;
    match text.parse::<f64>() {
        Ok(value) if value > 0.0 && value <= MOST_S => Ok(Duration::from_secs_f64(value)),
        _ => Err(format!("expected seconds, more than 0 and at most {MOST_S}")),
    }
}
