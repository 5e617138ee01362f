//! What can be set, by flag and by environment variable. One place for names, defaults and limits.

mod feed;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use crate::{hub::LogBounds, origin::AllowedOrigin};

pub use feed::{
    ArrivalsSetting, DEFAULT_BURST_SIZE, DEFAULT_RATE_HZ, DEFAULT_SEED, FeedSettings, FeedSettingsError,
    UPDATE_MAX_BYTES,
};

/// The server around the feed.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Server")]
pub struct ServerSettings {
    /// Address to listen on; port 0 takes a free one. The page's lanes take a port per transport besides, from 10,000 above it
    #[arg(long, env = "FEED_LISTEN", value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Threads that serve, and as many that fan out [default: one per core]
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
    /// Write what is published to a new file, for --replay
    #[arg(long, env = "FEED_RECORD", value_name = "FILE")]
    pub record: Option<PathBuf>,
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
    /// Threads that serve.
    pub fn threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.workers.unwrap_or_else(cores).max(1)
    }

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
