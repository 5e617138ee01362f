//! What was meant to be run: a scenario with every default filled in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Bounds;

/// A scenario with every default filled in and every override applied: what was really run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    pub scenario: String,
    /// One line for lists.
    pub summary: String,
    /// What to expect and why, in markdown; reports print it.
    pub analysis: String,
    /// Transport ids, in the order of the first round.
    pub transports: Vec<String>,
    pub repeats: u32,
    pub clients: u32,
    pub follow: Follow,
    pub feed: FeedPlan,
    pub mode: Mode,
    /// Short polling's interval.
    pub poll_interval_ms: u64,
    /// How long the server may hold a long poll.
    pub wait_ms: u64,
    pub request_headers: RequestHeaders,
    /// False: a new connection for every request, for the transports that make requests.
    pub keep_alive: bool,
    /// Seed of the feed and of the poll phases.
    pub seed: u64,
    pub settle_s: f64,
    /// Length of the measured window.
    pub duration_s: f64,
    /// New clients per second while connecting; absent: as fast as the bounded concurrency allows.
    pub ramp_per_s: Option<f64>,
    /// True when the server was not started by this run (`--target`).
    pub remote: bool,
    /// What the observations are held against.
    #[serde(default)]
    pub bounds: Bounds,
    /// What must hold, such as `websocket.latency_p99_ms < 50`.
    #[serde(default)]
    pub thresholds: Vec<String>,
    /// Two techniques are called equivalent when they differ by less than this share.
    #[serde(default = "default_margin")]
    pub margin: f64,
    /// When rounds are added until the comparisons settle; absent: `repeats` rounds, whatever comes out.
    #[serde(default)]
    pub looks: Option<Looks>,
}

/// The margin where a plan says nothing: under a twentieth nobody would choose by it.
pub fn default_margin() -> f64 {
    0.05
}

/// The rule of `--until-settled`, fixed before the first row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Looks {
    /// Repeats after which the comparisons are looked at; the last one ends the run, settled or not. The chance of a wrong claim is
    /// divided by their number.
    pub after_repeats: Vec<u32>,
}

/// What each client follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Follow {
    /// Client i follows topic i mod N.
    One,
    /// Every client follows every topic.
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Every update, in order
    Every,
    /// Only the newest update of a topic counts
    Latest,
}

/// Which header set clients send, on requests and handshakes alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RequestHeaders {
    /// One fixed set as a desktop browser sends it.
    Browser,
    /// Only what the protocol demands.
    Minimal,
}

/// The feed of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum FeedPlan {
    /// A seeded football season.
    Simulated {
        topics: u32,
        /// Updates per second and topic; 0 is silence.
        rate_hz: f64,
        /// Size of each whole encoded update; absent: as long as it comes.
        update_bytes: Option<u32>,
        arrivals: Arrivals,
        /// Updates due at once, for burst arrivals.
        burst_size: u32,
    },
    /// Real matches, all in parallel, or what a server published once.
    Replay {
        /// File name without its folder; or the name of a table that comes along.
        file: String,
        #[serde(default)]
        source: ReplaySource,
        /// How many times faster than the match, or than it was recorded.
        speed: f64,
        topics: u32,
        update_bytes: Option<u32>,
    },
    /// Whatever the target publishes.
    Target {
        topics: u32,
        rate_hz: Option<f64>,
        update_bytes: Option<u32>,
    },
}

/// What a replay is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReplaySource {
    /// An openfootball file.
    #[default]
    Matches,
    /// A table of matches that comes with the program.
    Table,
    /// What `serve --record` has written.
    Recording,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Arrivals {
    /// Evenly spaced.
    Regular,
    /// Exponential gaps.
    Poisson,
    /// Several at once, then silence; the same mean rate.
    Burst,
}
