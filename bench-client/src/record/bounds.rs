//! What a row's observations are held against: every bound with its reason, each adjustable in a scenario's `[bounds]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// From here on a row is suspect, or invalid. Shares are of 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    pub suspect: f64,
    /// Absent: it is only ever suspect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid: Option<f64>,
}

const fn bound(suspect: f64, invalid: f64) -> Bound {
    Bound {
        suspect,
        invalid: Some(invalid),
    }
}

const fn only_suspect(suspect: f64) -> Bound {
    Bound { suspect, invalid: None }
}

/// The bounds of a plan. Each field's words are its reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Bounds {
    /// The client's CPU over that of all its cores. Above 70 % its threads queue for cores in every burst, near 100 % it is the bottleneck.
    pub client_cpu_share: Bound,
    /// What a byte waits in a client's socket until the client reads it, at the median over the window's time, µs, of the thread that is worst off. A client with room to
    /// spare waits in bursts alone: when even the median instant finds it behind, its own delay is in every latency.
    pub client_lag_p50_us: Bound,
    /// Pings to a client thread or to the server's runtime that were never answered: a few may be under way at the end, more are a standstill.
    pub unanswered_pings_share: Bound,
    /// Share of the window in which the client thread that was worst off was ready to run and had no core.
    pub client_wait_share: Bound,
    /// Share of the clients' sockets with unread bytes when the window ends, which is halfway between two updates: a client that keeps
    /// up has read everything by then.
    pub unread_share: Bound,
    /// What the client alone adds at p99, by calibration, over the row's p99. It is no part that could be subtracted, only an order of
    /// magnitude: above this the technique can hardly be told from the client.
    pub client_alone_share: Bound,
    /// The same delay in the server's runtime, at the median, µs: a server that is behind at the median instant is saturated.
    pub server_lag_p50_us: Bound,
    /// Sent − due at p99, µs. The feed's thread has one thing to do; lateness of it is in every latency of every technique.
    pub publish_lag_p99_us: Bound,
    /// Busy CPU of the whole machine. Without idle time latency is the queue for a core.
    pub machine_busy_share: Bound,
    /// CPU of other processes over the machine's: what they take, client and server lack.
    pub others_cpu_share: Bound,
    /// CPU the hypervisor gave to others.
    pub steal_share: Bound,
    /// Pages swapped in or out: memory waited for a disk.
    pub swapped_pages: Bound,
    /// Connections the kernel dropped because an accept queue was full: their clients tried again a second later.
    pub listen_overflows: Bound,
    /// Segments sent again over all that were sent: by the clients, by this machine, or (as they arrive out of order) by a server elsewhere. A loopback loses nothing, and a network that loses adds whole round trips.
    pub retransmitted_share: Bound,
    /// How far the server's clock may be off, over the row's median latency: nothing below that bound can be claimed.
    pub clock_share: Bound,
    /// Median latency of the window's second half over that of the first (or the other way round): a steady state has 1.
    pub drift_ratio: Bound,
    /// Polls that were due and not made, over all that were due: the plan was not kept.
    pub skipped_share: Bound,
    /// How late the counters were read at the window's edges, over its length: so far off are bytes, requests and CPU.
    pub sampled_late_share: Bound,
    /// Updates published other than planned, over the plan: the feed was not the planned one.
    pub published_off_share: Bound,
    /// Failed connects, requests and sessions over planned clients: a session that breaks measures reconnecting.
    pub error_share: Bound,
    /// Updates that must lie beyond p99 for it to be more than a few accidents.
    pub beyond_p99_least: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            client_cpu_share: bound(0.7, 0.9),
            client_lag_p50_us: bound(1_000.0, 5_000.0),
            unanswered_pings_share: bound(0.1, 0.5),
            client_wait_share: bound(0.4, 0.7),
            unread_share: bound(0.05, 0.25),
            client_alone_share: only_suspect(0.7),
            server_lag_p50_us: bound(1_000.0, 5_000.0),
            publish_lag_p99_us: bound(5_000.0, 50_000.0),
            machine_busy_share: bound(0.95, 0.99),
            others_cpu_share: bound(0.1, 0.25),
            steal_share: bound(0.02, 0.1),
            swapped_pages: only_suspect(1.0),
            listen_overflows: only_suspect(1.0),
            retransmitted_share: bound(0.001, 0.05),
            clock_share: bound(0.1, 1.0),
            drift_ratio: bound(2.0, 5.0),
            skipped_share: bound(0.01, 0.05),
            sampled_late_share: bound(0.01, 0.05),
            published_off_share: bound(0.01, 0.05),
            error_share: bound(0.001, 0.05),
            beyond_p99_least: 10,
        }
    }
}
