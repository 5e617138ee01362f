//! What became of connections that never read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the server treated the connections beside the measured clients that open a session and never read, from their start to the end of
/// drain. Its counters are of all sessions of the transport: the measured clients' part in `lagged` stands in their own figures.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Stalled {
    /// Those that stood; each wrote one request.
    pub connections: u64,
    /// Those with bytes in their sockets that nobody had read at the end of drain, and how many bytes.
    pub unread_connections: u64,
    pub unread_bytes: u64,
    /// Connections the server closed because the peer took no byte for too long; of all its connections. Absent where it does not tell.
    pub write_stalls: Option<u64>,
    /// Sessions it started anew because their place had left its log, and the updates they lost by that.
    pub resets: Option<u64>,
    pub lagged: Option<u64>,
}
