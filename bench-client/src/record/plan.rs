//! What was meant to be run: a scenario with every default filled in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Bounds;
use crate::floor;

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
    /// Clients that leave and come back; absent: all stay.
    #[serde(default)]
    pub churn: Option<Churn>,
    /// The server is killed within the window, and another started in its place; absent: it runs to the end.
    #[serde(default)]
    pub restart: Option<Restart>,
    /// Clients that were cut wait 100 ms, 200 ms … 2 s before each try to come back. True: half of each pause is random. False: all of them
    /// wait exactly so long, and come back in step.
    #[serde(default = "default_backoff_jitter")]
    pub backoff_jitter: bool,
    /// Connections beside the clients that open a session, each of the topics a client of its number follows, and never read. They are in no
    /// figure of the clients.
    #[serde(default)]
    pub stalled_clients: u32,
    /// Processes the clients are spread over, client i to process i mod N. 1: threads of the process that measures.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub workers: u32,
    /// Server processes, each with the whole feed; client i is served by process i mod N.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub nodes: u32,
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
    /// Every transport is measured once per variant in each round; empty: as the plan stands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<Variant>,
}

/// The plan with some of what clients do done otherwise: the same server, the same feed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Kebab-case: it stands in tables, file names and thresholds (`websocket/minimal`).
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clients: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow: Option<Follow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poll_interval_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_headers: Option<RequestHeaders>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_alive: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff_jitter: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stalled_clients: Option<u32>,
}

impl Plan {
    /// The plan as a variant measures it; a name that is none of its variants (or no name) is the plan itself, without variants.
    pub fn varied(&self, name: Option<&str>) -> Plan {
        let mut plan = Plan {
            variants: Vec::new(),
            ..self.clone()
        };
        let Some(variant) = self.variants.iter().find(|one| Some(one.name.as_str()) == name) else {
            return plan;
        };
        fn set<T: Copy>(field: &mut T, varied: Option<T>) {
            *field = varied.unwrap_or(*field);
        }
        set(&mut plan.clients, variant.clients);
        set(&mut plan.follow, variant.follow);
        set(&mut plan.mode, variant.mode);
        set(&mut plan.poll_interval_ms, variant.poll_interval_ms);
        set(&mut plan.wait_ms, variant.wait_ms);
        set(&mut plan.request_headers, variant.request_headers);
        set(&mut plan.keep_alive, variant.keep_alive);
        set(&mut plan.backoff_jitter, variant.backoff_jitter);
        set(&mut plan.stalled_clients, variant.stalled_clients);
        plan
    }

    /// Whether any variant does this otherwise: then it is said with the variants, and not of the plan.
    pub fn varies(&self, is_set: fn(&Variant) -> bool) -> bool {
        self.variants.iter().any(is_set)
    }

    /// The mode of a contender.
    pub fn mode_of(&self, contender: &ContenderId) -> Mode {
        let variant = self
            .variants
            .iter()
            .find(|one| Some(&one.name) == contender.variant.as_ref());
        variant.and_then(|one| one.mode).unwrap_or(self.mode)
    }

    /// What is measured in one round and compared with each other, in the order of the first round: every transport, in every variant.
    pub fn contenders(&self) -> Vec<ContenderId> {
        let of = |transport: &String| -> Vec<ContenderId> {
            let id = |variant: Option<&String>| ContenderId {
                transport: transport.clone(),
                variant: variant.cloned(),
            };
            if self.variants.is_empty() {
                return vec![id(None)];
            }
            self.variants.iter().map(|variant| id(Some(&variant.name))).collect()
        };
        self.transports.iter().flat_map(of).collect()
    }

    /// What is held against each other: the floor is measured, and is no technique to choose.
    pub fn compared(&self) -> Vec<ContenderId> {
        let mut contenders = self.contenders();
        contenders.retain(|id| id.transport != floor::ID);
        contenders
    }

    /// The same as they are written.
    pub fn contender_ids(&self) -> Vec<String> {
        self.contenders().iter().map(ContenderId::to_string).collect()
    }
}

/// A transport, in one of the plan's variants where it has some. Written `websocket` or `websocket/minimal`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ContenderId {
    pub transport: String,
    pub variant: Option<String>,
}

impl std::fmt::Display for ContenderId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.transport)?;
        self.variant.as_ref().map_or(Ok(()), |variant| write!(f, "/{variant}"))
    }
}

/// Where a plan says nothing: what all runs had before there was a choice.
pub fn one() -> u32 {
    1
}

fn is_one(number: &u32) -> bool {
    *number == 1
}

/// The margin where a plan says nothing: under a twentieth nobody would choose by it.
pub fn default_margin() -> f64 {
    0.05
}

/// The server is killed (SIGKILL) within the window. Another with the same feed, clock and port takes its place, which has published all
/// that was due before it serves anyone; its epoch is new.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Restart {
    /// From the start of the window to the kill.
    pub after_s: f64,
    /// From the kill to the start of the new process, which takes its own time until it listens.
    pub down_s: f64,
}

/// Where a plan says nothing: what a client should do, and what all did before there was a choice.
pub fn default_backoff_jitter() -> bool {
    true
}

/// The rule of `--until-settled`, fixed before the first row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Looks {
    /// Repeats after which the comparisons are looked at; the last one ends the run, settled or not. The chance of a wrong claim is
    /// divided by their number.
    pub after_repeats: Vec<u32>,
}

/// Clients that leave by themselves and come back, each at times of its own (exponential, from the seed), from its first update to the end
/// of the window: then nobody leaves any more, and who is away comes back at once.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Churn {
    /// Mean time a client follows its session before it leaves.
    pub stay_s: f64,
    /// Mean time it is away until it resumes.
    pub away_s: f64,
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

impl Mode {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Every => "every",
            Mode::Latest => "latest",
        }
    }
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
        /// Updates of all topics together, to the end of the replay.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        updates: Option<u64>,
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
