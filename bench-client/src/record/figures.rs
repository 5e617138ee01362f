//! The figures of one row: the columns of summary.csv.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ContenderId, Quantile, Verdict};

/// One line of summary.csv. Unknown is an empty cell, never 0.
///
/// The window is `[T0, T1)`: updates belong to it by due time, whenever they arrive; bytes, requests, connections and CPU belong
/// to it by wall clock.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct SummaryRow {
    /// Name of the scenario.
    pub scenario: String,
    /// Id of the transport.
    pub transport: String,
    /// 1 is the first.
    pub repeat: u32,
    /// The row's verdict on itself: `VALID`, `SUSPECT` or `INVALID`.
    pub validity: Option<Verdict>,
    /// Why it is not `VALID`, separated by `; `.
    pub validity_reasons: Option<String>,
    /// `every` or `latest`.
    pub mode: String,
    /// Planned virtual clients.
    pub clients: u32,
    /// Matches played at once.
    pub topics: u32,
    /// Updates per second and topic by the plan; empty for a replay.
    pub rate_hz: Option<f64>,
    /// Size of each encoded update by the plan; empty when updates differ in size.
    pub update_bytes: Option<u32>,
    /// Short polling's interval.
    pub poll_interval_ms: u64,
    /// `browser` or `minimal`.
    pub request_headers: String,
    /// Of the feed and of the poll phases.
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
    /// Receive time minus due time, µs, at the 50th percentile of all expected updates; `lost` where a quantile falls among the missing.
    pub latency_p50_us: Option<Quantile>,
    /// Receive time minus due time, µs, at the 90th percentile.
    pub latency_p90_us: Option<Quantile>,
    /// Receive time minus due time, µs, at the 99th percentile.
    pub latency_p99_us: Option<Quantile>,
    /// Receive time minus due time, µs, at the 99.9th percentile.
    pub latency_p999_us: Option<Quantile>,
    /// Receive time minus due time, µs: the longest.
    pub latency_max_us: Option<Quantile>,
    /// Mean over window and clients of: now − due time of the newest update held, µs.
    pub age_mean_us: Option<f64>,
    /// Age that 99 % of all client time stays under, µs.
    pub age_p99_us: Option<u64>,
    /// Share of all client time in which the newest due update was not held yet, 0 to 1.
    pub stale_share: Option<f64>,
    /// First to last client of the same update, µs, at the 99th percentile of the updates.
    pub spread_p99_us: Option<u64>,
    /// Sent time minus due time at the server, µs, at the 99th percentile.
    pub publish_lag_p99_us: Option<u64>,
    /// Start of connect() to the first session of a client that delivers, µs, at the 50th percentile.
    pub connect_p50_us: Option<u64>,
    /// Start of connect() to a session that delivers, µs, at the 99th percentile.
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
    /// Request heads written from start to the end of drain, handshakes included.
    pub requests_total: Option<u64>,
    /// Poll answers in the window without an update.
    pub empty_responses: Option<u64>,
    /// Polls due in the window while the one before was still under way.
    pub polls_skipped: Option<u64>,
    /// Encoded updates among the bytes received: of the deliveries alone.
    pub payload_bytes: Option<u64>,
    /// Socket payload the clients sent in the window: HTTP and framing included, TCP and IP headers not.
    pub bytes_sent: Option<u64>,
    /// Socket payload the clients received in the window: HTTP and framing included, TCP and IP headers not.
    pub bytes_received: Option<u64>,
    /// Socket payload, sent and received, / deliveries.
    pub bytes_per_update: Option<f64>,
    /// Socket payload of opening each client's first session, both ways, per planned client.
    pub setup_bytes_per_client: Option<f64>,
    /// CPU time of the server process in the window, user and system; with a restart that of both.
    pub server_cpu_s: Option<f64>,
    /// CPU time of the client process (all clients) in the window, user and system.
    pub client_cpu_s: Option<f64>,
    /// CPU time of the server process / deliveries, µs.
    pub server_cpu_us_per_update: Option<f64>,
    /// CPU time of the client process (all clients) / deliveries, µs.
    pub client_cpu_us_per_update: Option<f64>,
    /// (resident at the end of settle − resident before the first client − bytes of the log) / clients. Absent with churn: clients that are
    /// away hold nothing.
    pub server_rss_bytes_per_client: Option<f64>,
    /// IP packets the clients sent in the window, by the kernel's counters (TCP_INFO), bytes: TCP and IP headers included.
    #[serde(default)]
    pub wire_bytes_sent: Option<u64>,
    /// IP packets the clients received in the window, by the kernel's counters (TCP_INFO), bytes: TCP and IP headers included.
    #[serde(default)]
    pub wire_bytes_received: Option<u64>,
    /// Bytes of IP packets, sent and received, / deliveries.
    #[serde(default)]
    pub wire_bytes_per_update: Option<f64>,
    /// Computed: bytes of IP packets / deliveries, were packets at most 1,500 bytes long.
    #[serde(default)]
    pub wire_bytes_per_update_at_1500: Option<f64>,
    /// TCP segments the clients sent in the window, pure acknowledgements included.
    #[serde(default)]
    pub segments_sent: Option<u64>,
    /// TCP segments the clients received in the window, pure acknowledgements included.
    #[serde(default)]
    pub segments_received: Option<u64>,
    /// Segments sent again in the window.
    #[serde(default)]
    pub retransmitted_segments: Option<u64>,
    /// What a byte waits in a client's socket until it is read, by the probes, µs, at the 99th percentile.
    #[serde(default)]
    pub client_lag_p99_us: Option<u64>,
    /// What a byte waits in a socket of the server's runtime until it is read, by the probes, µs, at the 99th percentile.
    #[serde(default)]
    pub server_lag_p99_us: Option<u64>,
    /// CPU of other processes over all cores, 0 to 1.
    #[serde(default)]
    pub others_cpu_share: Option<f64>,
    /// CPU the hypervisor gave to others, 0 to 1.
    #[serde(default)]
    pub steal_share: Option<f64>,
    /// Which of the plan's variants; empty where it has none.
    #[serde(default)]
    pub variant: Option<String>,
    /// Sessions that clients closed by themselves, by churn, from start to the end of drain. Absent in plans without churn.
    #[serde(default)]
    pub leaves: Option<u64>,
    /// Expected updates that came by resuming (in mode latest: they or newer ones). Their latency stands apart: it says how long the client
    /// was away.
    #[serde(default)]
    pub catch_up_updates: Option<u64>,
    /// Receive time minus due time of those, µs.
    #[serde(default)]
    pub catch_up_p50_us: Option<u64>,
    /// The same at the 99th percentile, µs.
    #[serde(default)]
    pub catch_up_p99_us: Option<u64>,
    /// Of sessions that resumed in the window and had missed something: from the start of connect() until the client held the update that was
    /// the newest when that connect() started, of each topic it follows, µs.
    #[serde(default)]
    pub resume_p50_us: Option<Quantile>,
    /// The same at the 99th percentile, µs.
    #[serde(default)]
    pub resume_p99_us: Option<Quantile>,
    /// Connections beside the planned clients that never read: nothing of them is in any other figure but the server's CPU, and its memory as
    /// far as it grew after they stood.
    #[serde(default)]
    pub stalled_clients: u32,
    /// From the kill of the server until the new one had told a client the newest state, µs; `lost` where that never came. Absent in plans
    /// without restart.
    #[serde(default)]
    pub restored_p50_us: Option<Quantile>,
    /// The same of the client that was last, µs.
    #[serde(default)]
    pub restored_max_us: Option<Quantile>,
    /// Request heads written per second, in the 100 ms after the kill that had the most.
    #[serde(default)]
    pub peak_requests_per_s: Option<f64>,
    /// The kernel's share of the server process's CPU time in the window, 0 to 1. The kernel knows the sum exactly, and finds out how it
    /// divides by looking where the process is at each of its ticks. Absent below 20 ticks of 1/100 s.
    #[serde(default)]
    pub server_cpu_kernel_share: Option<f64>,
    /// The same of the client process.
    #[serde(default)]
    pub client_cpu_kernel_share: Option<f64>,
    /// CPU time of the server process / deliveries, over that of the floor's row of the same repeat. Absent without such a row, and where
    /// either is INVALID, failed or unknown.
    #[serde(default)]
    pub server_cpu_x_floor: Option<f64>,
    /// CPU time of the client process / deliveries, over that of the floor's row of the same repeat. Absent as above.
    #[serde(default)]
    pub client_cpu_x_floor: Option<f64>,
    /// `spread_p99_us` over that of the floor's row of the same repeat. Absent as above.
    #[serde(default)]
    pub spread_x_floor: Option<f64>,
}

impl SummaryRow {
    /// What it is a row of: the transport, or `<transport>/<variant>`.
    pub fn contender(&self) -> String {
        let id = ContenderId {
            transport: self.transport.clone(),
            variant: self.variant.clone(),
        };
        id.to_string()
    }

    /// Whether it is a row of this contender.
    pub fn is_of(&self, contender: &str) -> bool {
        let (transport, variant) = match contender.split_once('/') {
            Some((transport, variant)) => (transport, Some(variant)),
            None => (contender, None),
        };
        self.transport == transport && self.variant.as_deref() == variant
    }
}
