//! How a row's clients came back after their server was killed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Quantiles;

/// From the kill of the server until every client held the newest state again. All times count from the kill, of the server's one clock.
///
/// A client is **restored** when the new server has told it, for each topic it follows, an update at least as new as the newest that was due
/// when that server was started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Recovery {
    /// From the start of the window to the kill, as it was.
    pub killed_after_us: u64,
    /// Until the server answered again: when it said that it listens, or when the first client was restored, whichever was earlier.
    pub answered_after_us: u64,
    /// Until each client was restored; those that never were, to the end of drain, are lost.
    pub restored: Quantiles,
    /// Until the last client was restored; absent when one never was.
    pub restored_after_us: Option<u64>,
    /// The same from when the server answered again.
    pub restored_after_answer_us: Option<u64>,
    /// The highest rates over the buckets of `series` but the first: request heads written, and connections opened.
    pub peak_requests_per_s: Option<f64>,
    pub peak_connections_per_s: Option<f64>,
    /// Failed connects, requests and sessions over the buckets of `series`.
    pub errors: u64,
    /// Buckets of about 100 ms, from the one in which the server was killed (cut off at the kill, but counted whole) until all clients were restored; to the end of drain, but 60 s at most, where one never was.
    pub series: Vec<RecoveryPoint>,
}

/// One bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecoveryPoint {
    /// It reaches from here to `to_us`, as its counters were read; 0 is the kill.
    pub from_us: u64,
    pub to_us: u64,
    /// Request heads written.
    pub requests: u64,
    /// Connections opened: those that were refused are among the errors.
    pub connections: u64,
    pub errors: u64,
    /// Clients restored.
    pub restored: u64,
}
