//! What a crowd tells of itself: a line of JSON each second on the way to `serve`, and the same for the page.

use serde::{Deserialize, Serialize};

/// Rates and latencies are of the last second, sums since the crowd's process began.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Figures {
    /// How many there are to be.
    pub clients: u32,
    /// Sessions open now.
    pub connected: u64,
    pub deliveries_per_s: f64,
    pub requests_per_s: f64,
    /// Socket payload, both ways.
    pub bytes_per_s: f64,
    /// None where nothing was delivered.
    pub bytes_per_update: Option<f64>,
    /// Of every live update of every client in that second, from when it was due; None where there was none.
    pub latency_p50_us: Option<u64>,
    pub latency_p99_us: Option<u64>,
    /// How late the clients' own threads were at worst in that second, on timers of 1 ms: so much of a latency may be theirs.
    pub late_max_us: Option<u64>,
    /// Received once each, without the state a session begins with.
    pub updates: u64,
    /// Jumped over in silence; with a reset they are lagged.
    pub missed: u64,
    pub lagged: u64,
    pub duplicates: u64,
    pub out_of_order: u64,
    /// Sessions that were cut or could not be opened.
    pub errors: u64,
    /// Why the first of them in the last second was; for the page also why there is no crowd any more.
    pub error: Option<String>,
}
