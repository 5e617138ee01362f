//! What a row says about itself: what was observed of client, server and machine, the verdict on it, and what arithmetic expected.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Quantiles;

/// How far a row (or a run: its worst row) can be trusted. Ordered: worse is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Verdict {
    Valid,
    /// Read with care; the reasons say what to care about.
    Suspect,
    /// The figures do not measure the technique.
    Invalid,
}

impl Verdict {
    /// As it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Valid => "VALID",
            Verdict::Suspect => "SUSPECT",
            Verdict::Invalid => "INVALID",
        }
    }
}

/// Something a row has to say about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// What was looked at, in kebab-case, such as `others-cpu`. Permanent: programs may filter by it.
    pub code: String,
    /// What it does to the verdict; `VALID` is a remark that changes nothing.
    pub verdict: Verdict,
    /// In words, with the value, the bound and what to do.
    pub text: String,
}

/// What was observed of client, server and machine during the window, unless a field says otherwise. Unknown is absent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Health {
    /// What a byte waits in a client's socket until a worker reads it: a probe per worker, 50 times a second, µs.
    pub client_lag: Option<Quantiles>,
    /// The same in the server's runtime, 20 times a second.
    pub server_lag: Option<Quantiles>,
    /// The median of the thread that was worst off, µs: a thread that is stuck is lost among others that are not.
    pub client_lag_worst_p50_us: Option<u64>,
    /// Pings that were due and never answered: whoever is stuck for good answers none.
    pub client_pings_unanswered_share: Option<f64>,
    pub server_pings_unanswered_share: Option<f64>,
    /// Time the client thread that was worst off was ready to run without a core, over the window.
    pub client_wait_share: Option<f64>,
    /// Clients' sockets with unread bytes at T1, and how many bytes.
    pub unread_sockets: Option<u64>,
    pub unread_bytes: Option<u64>,
    /// CPU of the whole machine over cores × window: all of it, that of processes other than client and server, and what the hypervisor took.
    pub machine_busy_share: Option<f64>,
    pub others_cpu_share: Option<f64>,
    pub steal_share: Option<f64>,
    /// True where the kernel takes interrupts out of the CPU time of the process they came in: much of TCP's work is then in nobody's.
    pub interrupts_apart: Option<bool>,
    /// Cores of the server processes alone and of the clients alone; absent where they shared all there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cores_apart: Option<CoresApart>,
    /// Pages swapped in or out, machine-wide.
    pub swapped_pages: Option<u64>,
    /// TCP segments sent again, and sent at all, by the whole machine: what a server here loses on its way is in them.
    pub machine_segments_retransmitted: Option<u64>,
    pub machine_segments_sent: Option<u64>,
    /// Connections dropped at a full accept queue, machine-wide, from start to the end of drain.
    pub listen_overflows: Option<u64>,
    /// Requests the server counted for this transport, after every connection was closed; without those of stalled clients.
    pub server_requests_total: Option<u64>,
}

/// How many cores each side had to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CoresApart {
    pub server: u32,
    pub clients: u32,
}

/// Bytes on the wire as the kernel counted them for the clients' sockets (TCP_INFO): IP and TCP headers included, link layer not.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Wire {
    /// Largest packet of the path, bytes: 65,536 on loopback, 1,500 on most networks.
    pub mtu_bytes: u32,
    /// Counters read at T0 and T1; absent where there was no window.
    pub window: Option<WireCounts>,
    /// From start to the end of drain, over all connections, those closed meanwhile included. The last two segments of a connection we
    /// ended (the peer's end, our acknowledgement) come when its socket is gone: they are added, not counted.
    pub total: WireCounts,
    /// Socket payload over the same span as `total`, as the clients' own counters have it: equal to the kernel's, or a finding says so.
    pub socket_bytes_sent_total: u64,
    pub socket_bytes_received_total: u64,
    /// What had arrived and was not read any more when the clients were stopped.
    pub unread_bytes_at_close: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct WireCounts {
    pub connections_opened: u64,
    pub segments_sent: u64,
    pub segments_received: u64,
    /// Payload in those segments, each byte once.
    pub payload_bytes_sent: u64,
    pub payload_bytes_received: u64,
    pub retransmitted_segments: u64,
    pub retransmitted_bytes: u64,
    /// Segments that came after a later one: the trace of what the other side lost on its way to us.
    pub out_of_order_segments_received: u64,
    /// IP packets: payload, TCP and IP headers, retransmissions.
    pub bytes_sent: u64,
    pub bytes_received: u64,
    /// Computed, not measured: the same payload in packets of at most 1,500 bytes.
    pub bytes_sent_at_1500: u64,
    pub bytes_received_at_1500: u64,
}

/// A figure that arithmetic says must come out, beside the one that did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Prediction {
    /// The figure: a column of summary.csv.
    pub metric: String,
    /// By the closed model, from the plan alone.
    pub predicted: f64,
    /// The range the model allows, its bound included.
    pub low: f64,
    pub high: f64,
    /// Absent when the row does not know it, or the quantile is lost.
    pub measured: Option<f64>,
    /// The model in one line, such as `P/2 + service`.
    pub model: String,
    /// Where the measured value is outside: what probably made it so.
    pub likely_cause: Option<String>,
}

/// What the client alone adds, measured against a null server that only writes prepared bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Calibration {
    pub transport: String,
    /// From the null server's write to the client's read, µs.
    pub latency: Quantiles,
    pub client_cpu_us_per_update: Option<f64>,
    /// When it was taken, RFC 3339, UTC, and by which build.
    pub taken_utc: String,
    pub revision: String,
}
