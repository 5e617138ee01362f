//! Charts of what delivery costs: bytes, CPU, requests, memory.

use crate::record::SummaryRow;
use crate::report::format;
use crate::report::summary::Summary;

use super::bars::{bars, chart, one_group};
use super::{Axis, Chart, Group, Scale, Unit};

pub fn bytes_per_update(summaries: &[Summary]) -> Option<Chart> {
    let bars = bars(
        summaries,
        Summary::bytes_per_update,
        |row| row.bytes_per_update,
        format::bytes,
    );
    chart(
        "bytes-per-update",
        "Bytes per delivered update",
        "Socket payload both ways, HTTP and framing included.",
        Axis {
            label: "bytes per update".to_owned(),
            unit: Unit::Bytes,
            scale: Scale::Linear,
        },
        one_group(bars),
    )
}

pub fn cpu_per_update(summaries: &[Summary]) -> Option<Chart> {
    let server = bars(
        summaries,
        Summary::server_cpu_us_per_update,
        |row| row.server_cpu_us_per_update,
        format::time_us,
    );
    let client = bars(
        summaries,
        Summary::client_cpu_us_per_update,
        |row| row.client_cpu_us_per_update,
        format::time_us,
    );
    chart(
        "cpu-per-update",
        "CPU time per delivered update",
        "User and system time of each process. On loopback the sender's includes the receiver's TCP input.",
        Axis {
            label: "CPU time per update".to_owned(),
            unit: Unit::Microseconds,
            scale: Scale::Linear,
        },
        vec![
            Group {
                heading: "Server process".to_owned(),
                bars: server,
            },
            Group {
                heading: "Client process (all clients)".to_owned(),
                bars: client,
            },
        ],
    )
}

pub fn requests_per_update(summaries: &[Summary]) -> Option<Chart> {
    let of_row = |row: &SummaryRow| Some(row.requests? as f64 / row.deliveries.filter(|count| *count > 0)? as f64);
    let bars = bars(summaries, Summary::requests_per_update, of_row, format::number);
    chart(
        "requests-per-update",
        "Requests per delivered update",
        "Request heads written in the window, divided by the updates delivered in it. Under 1 where one answer carries several.",
        Axis {
            label: "requests per update".to_owned(),
            unit: Unit::Count,
            scale: Scale::Linear,
        },
        one_group(bars),
    )
}

pub fn requests_per_s(summaries: &[Summary]) -> Option<Chart> {
    let of_row = |row: &SummaryRow| Some(row.requests? as f64 / row.duration_s.filter(|s| *s > 0.0)?);
    let bars = bars(summaries, Summary::requests_per_s, of_row, |rate| {
        format!("{}/s", format::number(rate))
    });
    chart(
        "requests-per-second",
        "Requests per second",
        "Request heads written in the window by all clients, handshakes included.",
        Axis {
            label: "requests per second".to_owned(),
            unit: Unit::Count,
            scale: Scale::Linear,
        },
        one_group(bars),
    )
}

pub fn memory_per_client(summaries: &[Summary]) -> Option<Chart> {
    let of_row = |row: &SummaryRow| row.server_rss_bytes_per_client;
    let bars = bars(summaries, Summary::server_rss_bytes_per_client, of_row, format::bytes);
    chart(
        "memory-per-client",
        "Server memory per client",
        "Growth of the server's resident memory without its log, per client; median of the repeats. Kernel sockets are not in it.",
        Axis {
            label: "memory per client".to_owned(),
            unit: Unit::Bytes,
            scale: Scale::Linear,
        },
        one_group(bars),
    )
}
