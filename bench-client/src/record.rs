//! The run record: the one truth of a run, saved as `run.json`. Every report is made from it and from nothing else.
//!
//! ```text
//! run.rs -> RunRecord -> run.json -> report/ (terminal, CSV, markdown, charts, .hlog)
//! ```
//!
//! A metric's name, unit and meaning stand here once, as the fields of [`SummaryRow`]: the CSV columns are these fields in
//! this order, and the JSON Schema carries the same sentences. It holds no host name and no absolute path.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Version of this file's shape; older versions stay readable.
pub const SCHEMA_VERSION: u32 = 1;

/// One run: a scenario, measured over several transports, several times each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunRecord {
    /// Where the JSON Schema of this file lies, relative to it.
    #[serde(rename = "$schema")]
    pub schema: String,
    /// See [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// `<utc time>-<scenario>`: also the default name of the folder.
    pub id: String,
    /// How the run ended, or that it has not.
    pub status: RunStatus,
    /// Start of the run, RFC 3339, UTC.
    pub started_utc: String,
    /// Wall clock from start to the last save, in seconds.
    pub elapsed_s: f64,
    pub tool: Tool,
    pub plan: Plan,
    pub environment: Environment,
    /// What the server says of each transport of the plan, in the plan's order.
    pub transports: Vec<Transport>,
    /// One row per transport and repeat, in the order they were measured.
    pub rows: Vec<Row>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RunStatus {
    /// Still measuring, or killed while it did.
    Running,
    Finished,
    /// Ctrl-C: what was measured is here.
    Interrupted,
    /// A row failed: a silent gap, a duplicate, disorder, or a dead server.
    Failed,
}

/// The program that measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    pub name: String,
    pub version: String,
    /// Commit of the build, with `+` behind it when the tree had changes; empty when unknown.
    pub revision: String,
    /// `release` or `debug`.
    pub profile: String,
    pub rustc: String,
}

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
    /// Real matches from a file, all in parallel.
    Replay {
        /// File name without its folder.
        file: String,
        /// How many times faster than the match.
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

/// The machine the clients ran on (and the server, unless the plan is remote).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Environment {
    pub os: String,
    pub kernel: String,
    pub cpu_model: String,
    pub cores: u32,
    pub memory_bytes: u64,
    /// Descriptors one process may open.
    pub descriptor_limit: u64,
    /// Local ports for outgoing connections.
    pub ephemeral_ports: u32,
    /// Longest accept queue the kernel grants.
    pub somaxconn: u32,
}

/// A transport as the server describes it (see the feed protocol's `/api/transports`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Transport {
    pub id: String,
    pub label: String,
    pub summary: String,
    /// `push` or `poll`.
    pub delivery: String,
    pub resumable: bool,
    pub duplex: bool,
    pub browser_support: String,
    pub caveat: String,
}

/// One transport, measured once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    pub outcome: Outcome,
    pub figures: SummaryRow,
    /// Latency of every expected update: what never came is counted as lost, at +∞. Absent when the publish log could not be read.
    pub latency: Option<Quantiles>,
    /// Latency of updates that came by resuming after a cut.
    pub catch_up: Option<Quantiles>,
    /// From the start of connect() to a session that delivers.
    pub connect: Option<Quantiles>,
    /// One point per second of the window.
    pub series: Vec<SeriesPoint>,
    pub memory: Memory,
    /// How far the server's clock, as read here, may be off, in µs: 0 on one machine, where it is the very same clock.
    #[serde(default)]
    pub clock_bound_us: u64,
    /// How long each phase took.
    pub phases: Phases,
    /// The first faults in words: which update, which client.
    pub faults: Vec<String>,
    /// For a replay: the last score every topic showed to its clients.
    pub final_scores: Vec<FinalScore>,
}

/// How a row ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Outcome {
    Ok,
    /// Ctrl-C: the window is shorter than planned.
    Interrupted,
    /// What went wrong, in words.
    Failed {
        reason: String,
    },
}

/// A mergeable distribution of microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Quantiles {
    /// HdrHistogram, V2 deflate encoding, base64: 3 significant digits, µs.
    pub histogram: String,
    /// Values recorded in the histogram.
    pub count: u64,
    /// Values at +∞: expected, never received.
    pub lost: u64,
    /// Values below zero: clocks disagree. Not in the histogram.
    pub negative: u64,
}

/// A quantile of latency in µs, or `lost` when it falls among the updates that never came. Ordered: `lost` is the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Quantile {
    Us(u64),
    Lost(Lost),
}

impl Quantile {
    pub const LOST: Quantile = Quantile::Lost(Lost::Lost);

    /// The quantile in µs; `None` when it is lost.
    pub fn us(self) -> Option<u64> {
        match self {
            Quantile::Us(us) => Some(us),
            Quantile::Lost(_) => None,
        }
    }
}

/// Written `lost`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Lost {
    Lost,
}

/// Figures of one second of the window, by wall clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeriesPoint {
    /// 0 is the first second of the window.
    pub second: u32,
    pub deliveries: u64,
    /// Latency of the updates received in this second; absent when there were none.
    pub latency_p50_us: Option<u64>,
    pub latency_p99_us: Option<u64>,
    pub requests: u64,
    pub bytes_sent: u64,
    pub bytes_received: u64,
    pub server_cpu_s: Option<f64>,
    pub client_cpu_s: Option<f64>,
}

/// Where the memory figure comes from; absent where the server is not ours.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Memory {
    pub server_rss_before_bytes: Option<u64>,
    pub server_rss_settled_bytes: Option<u64>,
    /// Bytes the update log held at the end of settle.
    pub server_log_bytes: Option<u64>,
    /// Kernel memory of all TCP sockets of the machine at the end of settle, both ends together.
    pub kernel_socket_bytes: Option<u64>,
    pub client_rss_settled_bytes: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Phases {
    pub start_s: f64,
    pub ramp_s: f64,
    pub settle_s: f64,
    pub measure_s: f64,
    pub drain_s: f64,
    /// How late, at most, bytes, requests and CPU were read at the window's edges, in µs.
    #[serde(default)]
    pub sampled_late_us: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FinalScore {
    pub topic: String,
    pub home: String,
    pub away: String,
    pub home_score: u16,
    pub away_score: u16,
    /// False when clients of one topic ended with different scores.
    pub agreed: bool,
}

/// One line of summary.csv. Unknown is an empty cell, never 0.
///
/// The window is `[T0, T1)`: updates belong to it by due time, whenever they arrive; bytes, requests, connections and CPU belong
/// to it by wall clock.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct SummaryRow {
    pub scenario: String,
    /// Id of the transport.
    pub transport: String,
    /// 1 is the first.
    pub repeat: u32,
    /// The run's verdict on this row; empty while there is none.
    pub validity: Option<String>,
    /// Why, separated by `; `.
    pub validity_reasons: Option<String>,
    /// `every` or `latest`.
    pub mode: String,
    /// Planned virtual clients.
    pub clients: u32,
    pub topics: u32,
    /// Updates per second and topic by the plan; empty for a replay.
    pub rate_hz: Option<f64>,
    /// Size of each encoded update by the plan; empty when updates differ in size.
    pub update_bytes: Option<u32>,
    /// Short polling's interval.
    pub poll_interval_ms: u64,
    /// `browser` or `minimal`.
    pub request_headers: String,
    pub seed: u64,
    /// Length of the window as measured.
    pub duration_s: Option<f64>,
    /// Updates due in the window, by the server's publish log.
    pub updates_published: Option<u64>,
    /// Over all planned clients: the published updates on the topics they follow.
    pub updates_expected: Option<u64>,
    /// Expected updates that came, each once per client, whenever they came.
    pub updates_received: Option<u64>,
    /// Updates received within the window by wall clock, initial state not counted: ratios per update divide by it.
    pub deliveries: Option<u64>,
    /// Expected, never received, no reset said.
    pub missed: Option<u64>,
    /// Mode latest: jumped over by a newer one.
    pub superseded: Option<u64>,
    /// Received again by the same client.
    pub duplicates: Option<u64>,
    /// Received after a newer one of the same topic.
    pub out_of_order: Option<u64>,
    /// Lost with an explicit reset.
    pub lagged: Option<u64>,
    /// Received before they were due: clocks disagree.
    pub negative_latencies: Option<u64>,
    /// Receive time minus due time, µs, over all expected updates; `lost` where the quantile falls among the missing.
    pub latency_p50_us: Option<Quantile>,
    pub latency_p90_us: Option<Quantile>,
    pub latency_p99_us: Option<Quantile>,
    pub latency_p999_us: Option<Quantile>,
    pub latency_max_us: Option<Quantile>,
    /// Mean over window and clients of: now − due time of the newest update held, µs.
    pub age_mean_us: Option<f64>,
    /// Age that 99 % of all client time stays under, µs.
    pub age_p99_us: Option<u64>,
    /// Share of all client time in which the newest due update was not held yet, 0 to 1.
    pub stale_share: Option<f64>,
    /// First to last client of the same update, µs, at the 99th percentile of the updates.
    pub spread_p99_us: Option<u64>,
    /// Sent time minus due time at the server, µs.
    pub publish_lag_p99_us: Option<u64>,
    /// Start of connect() to a session that delivers, µs.
    pub connect_p50_us: Option<u64>,
    pub connect_p99_us: Option<u64>,
    /// Connections opened in the window.
    pub connections: Option<u64>,
    /// Connections opened from start to the end of drain.
    pub connections_total: Option<u64>,
    /// Sessions that had to be opened again, from start to the end of drain.
    pub reconnects: Option<u64>,
    /// Failed connects, requests and sessions, from start to the end of drain.
    pub errors: Option<u64>,
    /// Request heads written in the window, handshakes included.
    pub requests: Option<u64>,
    /// The same from start to the end of drain.
    pub requests_total: Option<u64>,
    /// Poll answers in the window without an update.
    pub empty_responses: Option<u64>,
    /// Polls due in the window while the one before was still under way.
    pub polls_skipped: Option<u64>,
    /// Encoded updates among the bytes received: of the deliveries alone.
    pub payload_bytes: Option<u64>,
    /// Socket payload the clients sent in the window: HTTP and framing included, TCP and IP headers not.
    pub bytes_sent: Option<u64>,
    pub bytes_received: Option<u64>,
    /// (sent + received) / deliveries.
    pub bytes_per_update: Option<f64>,
    /// Socket payload of opening sessions, both ways, per planned client, from start to the end of drain.
    pub setup_bytes_per_client: Option<f64>,
    /// CPU time of the server process in the window, user and system.
    pub server_cpu_s: Option<f64>,
    pub client_cpu_s: Option<f64>,
    /// CPU time / deliveries.
    pub server_cpu_us_per_update: Option<f64>,
    pub client_cpu_us_per_update: Option<f64>,
    /// (resident at the end of settle − resident before the first client − bytes of the log) / clients.
    pub server_rss_bytes_per_client: Option<f64>,
}
