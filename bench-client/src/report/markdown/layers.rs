//! Where the bytes go: the update, the protocol around it, and the packets around that.

use crate::record::RunRecord;
use crate::report::format::{count, known, number, tenths};
use crate::report::summary::{PrintedLayers, Summary};

use super::results::section;
use super::table::table;

pub fn bytes(record: &RunRecord, summaries: &[Summary]) -> String {
    let layers: Vec<Option<PrintedLayers>> = summaries
        .iter()
        .map(|summary| summary.layers().map(|layers| layers.printed()))
        .collect();
    if layers.iter().all(Option::is_none) {
        return String::new();
    }
    let headers = [
        "technique",
        "update",
        "+ protocol",
        "= socket",
        "+ TCP and IP",
        "= on the wire",
        "segments per update",
        "segments sent again",
        "computed at MTU 1,500",
    ];
    let rows = summaries.iter().zip(&layers).map(|(summary, layers)| {
        let part =
            |of: fn(&PrintedLayers) -> Option<i64>| known(layers.as_ref().and_then(of), |value| tenths(value) + " B");
        vec![
            summary.label.to_owned(),
            part(|layers| Some(layers.payload)),
            part(|layers| Some(layers.protocol)),
            part(|layers| Some(layers.socket)),
            part(|layers| layers.headers),
            part(|layers| layers.wire),
            known(summary.segments_per_update(), number),
            known(summary.total(|row| row.retransmitted_segments), count),
            known(summary.wire_bytes_per_update_at_1500(), |bytes| {
                tenths((bytes * 10.0).round() as i64) + " B"
            }),
        ]
    });
    let rows = table(&headers, 1, rows);
    section("Where the bytes go", &intro(record, summaries), rows)
}

fn intro(record: &RunRecord, summaries: &[Summary]) -> String {
    let mut text = "Bytes per delivered update, both directions, in the window. Update: the encoded updates among the bytes, those \
                    of deliveries alone; whatever else a client receives, such as updates that were due before the window, \
                    counts as protocol. Protocol: HTTP and framing, up to what passes the socket."
        .to_owned();
    if summaries
        .iter()
        .all(|summary| summary.wire_bytes_per_update().is_none())
    {
        return text + " What the packets add is not known: the kernel's counters were not read.";
    }
    text += " TCP and IP: the headers of all packets, acknowledgements and retransmissions included, by the kernel's counters; \
             the link layer is not in it.";
    text += &mtu(record, summaries);
    text
}

/// On loopback a packet may be 65,536 bytes long, which hides most of the headers a network would show.
fn mtu(record: &RunRecord, summaries: &[Summary]) -> String {
    let mut all: Vec<u32> = summaries.iter().flat_map(Summary::mtu_bytes).collect();
    all.sort_unstable();
    all.dedup();
    let sizes: Vec<String> = all.iter().map(|mtu| count(*mtu)).collect();
    let place = if record.plan.remote { "The path's" } else { "Loopback's" };
    let mtu = match sizes.as_slice() {
        [] => return String::new(),
        [one] => format!(" {place} MTU is {one} bytes"),
        several => format!(" {place} MTUs are {} bytes", several.join(" and ")),
    };
    format!(
        "{mtu}; most networks have 1,500. The last column is computed from the same payload in packets of at most 1,500 bytes, \
         not measured."
    )
}
