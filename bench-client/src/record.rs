//! The run record: the one truth of a run, saved as `run.json`. Every report is made from it and from nothing else.
//!
//! ```text
//! run.rs -> RunRecord -> run.json -> report/ (terminal, CSV, markdown, HTML, charts, .hlog)
//! ```
//!
//! A metric's name, unit and meaning stand here once, as the fields of [`SummaryRow`]: the CSV columns are these fields in
//! this order, and the JSON Schema carries the same sentences. It holds no host name and no absolute path.

mod bounds;
mod evidence;
mod figures;
mod final_score;
mod plan;
mod read;
mod recovery;
mod stalled;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use bounds::{Bound, Bounds};
pub use evidence::{Calibration, CoresApart, Finding, Health, Prediction, Verdict, Wire, WireCounts};
pub use figures::SummaryRow;
pub use final_score::{ExpectedScore, FinalScore};
pub use plan::{
    Arrivals, Churn, ContenderId, FeedPlan, Follow, Looks, Mode, Plan, ReplaySource, RequestHeaders, Restart, Variant,
    default_margin,
};
pub use read::{RECORD_MAX_BYTES, bytes, parse, read};
pub use recovery::{Recovery, RecoveryPoint};
pub use stalled::Stalled;

/// Version of this file's shape; older versions stay readable.
///
/// 2 added what a row says about itself: verdict, health, wire, predictions; and to the plan bounds, thresholds and looks.
/// 3 added variants, by which rows are told apart; churn, restarts and stalled clients; and what final scores should have been.
/// 4 added the floor's row and what hangs on it, and how CPU time divides between kernel and user.
pub const SCHEMA_VERSION: u32 = 4;

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
    /// Where the plan has variants: what is compared, in the order of tables; empty where it is the transports themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contenders: Vec<Contender>,
    /// What the client alone adds with these settings on this machine, where it was ever measured.
    #[serde(default)]
    pub calibrations: Vec<Calibration>,
    /// Repeats after which every comparison was settled, where the plan has looks; absent while it was not.
    #[serde(default)]
    pub settled_after: Option<u32>,
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

/// A transport in one of the plan's variants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contender {
    /// `<transport>/<variant>`.
    pub id: String,
    pub transport: String,
    pub variant: String,
    /// For people.
    pub label: String,
}

/// One transport, measured once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    pub outcome: Outcome,
    pub figures: SummaryRow,
    /// Latency of every expected update: what never came is counted as lost, at +∞. Absent when the publish log could not be read.
    pub latency: Option<Quantiles>,
    /// Latency of updates that came by resuming after a cut, or after the client had left: how long it was away is in it. They are not in
    /// `latency`.
    pub catch_up: Option<Quantiles>,
    /// Of sessions that resumed in the window and had missed something: from the start of connect() until the client held, of each topic it
    /// follows, the update that was the newest when that connect() started (or a newer one); `lost` where it never did.
    #[serde(default)]
    pub resume: Option<Quantiles>,
    /// How the clients came back after the planned restart of the server; absent where there was none, or it cannot be told.
    #[serde(default)]
    pub recovery: Option<Recovery>,
    /// Absent in plans without stalled clients, and where the row broke down before its end.
    #[serde(default)]
    pub stalled: Option<Stalled>,
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
    /// Start of the window by the server's clock, µs since 1970; absent when there was none.
    #[serde(default)]
    pub window_from_us: Option<u64>,
    #[serde(default)]
    pub health: Health,
    /// Absent where the kernel does not tell, and in records of schema version 1.
    #[serde(default)]
    pub wire: Option<Wire>,
    /// What the model of this transport expects; empty where it has none.
    #[serde(default)]
    pub predictions: Vec<Prediction>,
    /// What the verdict rests on, worst first.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// The first faults in words: which update, which client.
    pub faults: Vec<String>,
    /// For a replay: the last score every topic showed to its clients.
    pub final_scores: Vec<FinalScore>,
}

impl RunRecord {
    /// A contender's name for people, its id where the record has none.
    pub fn label<'a>(&'a self, contender: &'a str) -> &'a str {
        let varied = self.contenders.iter().find(|one| one.id == contender);
        let transport = self.transports.iter().find(|one| one.id == contender);
        let named = varied.map(|one| &one.label).or(transport.map(|one| &one.label));
        named.map_or(contender, |label| label)
    }

    /// Names what the plan's variants make of its transports, by the labels that are known so far.
    pub fn name_contenders(&mut self) {
        if self.plan.variants.is_empty() {
            return;
        }
        let contenders = self.plan.contenders();
        let named = contenders.into_iter().filter_map(|id| {
            let label = self.transports.iter().find(|one| one.id == id.transport);
            let label = label.map_or(id.transport.as_str(), |one| &one.label);
            let (text, variant) = (id.to_string(), id.variant?);
            Some(Contender {
                id: text,
                label: format!("{label}, {variant}"),
                transport: id.transport,
                variant,
            })
        });
        self.contenders = named.collect();
    }
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
    /// Latency of the updates received in this second, without those caught up by resuming; absent when there were none.
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
