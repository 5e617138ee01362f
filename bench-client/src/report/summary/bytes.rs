//! Bytes per update on three layers: the update itself, the protocol around it, the packets around that.
//!
//! ```text
//! payload (encoded updates) <= socket (HTTP, framing) <= wire (TCP and IP headers, acknowledgements, retransmissions)
//! ```
//!
//! Each layer is a sum over the repeats divided by the deliveries of the same repeats, so that the layers can be subtracted.

use crate::record::{Row, SummaryRow};

use super::{Summary, weighted_by};

/// Bytes per delivered update, both directions, up to and including each layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layers {
    pub payload: f64,
    pub socket: f64,
    /// Unknown where the kernel does not tell.
    pub wire: Option<f64>,
}

/// What each layer adds, in tenths of a byte: rounded so that the parts add up to the sum as printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrintedLayers {
    pub payload: i64,
    pub protocol: i64,
    pub headers: Option<i64>,
    pub socket: i64,
    pub wire: Option<i64>,
}

impl Layers {
    /// The sums are rounded and the parts are what lies between them: no part is off by more than its last digit.
    pub fn printed(&self) -> PrintedLayers {
        let tenths = |bytes: f64| (bytes * 10.0).round() as i64;
        let (payload, socket, wire) = (tenths(self.payload), tenths(self.socket), self.wire.map(tenths));
        PrintedLayers {
            payload,
            protocol: socket - payload,
            headers: wire.map(|wire| wire - socket),
            socket,
            wire,
        }
    }
}

impl Summary<'_> {
    /// The layers over the rows that know all of them; where no row knows the wire, over those that know the others.
    pub fn layers(&self) -> Option<Layers> {
        let known: Vec<_> = self.values(counts).collect();
        let any_wire = known.iter().any(|(_, wire, _)| wire.is_some());
        let used = known.iter().filter(|(_, wire, _)| wire.is_some() == any_wire);
        let mut sums = [0.0; 4];
        for ((payload, socket), wire, deliveries) in used {
            let row = [*payload, *socket, wire.unwrap_or(0), *deliveries];
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value as f64);
        }
        let [payload, socket, wire, deliveries] = sums;
        (deliveries > 0.0).then(|| Layers {
            payload: payload / deliveries,
            socket: socket / deliveries,
            wire: any_wire.then_some(wire / deliveries),
        })
    }

    pub fn wire_bytes_per_update(&self) -> Option<f64> {
        self.ratio(|row| Some((wire_bytes(row)? as f64, row.deliveries? as f64)))
    }

    /// Computed, not measured: the same payload in packets of at most 1,500 bytes.
    pub fn wire_bytes_per_update_at_1500(&self) -> Option<f64> {
        self.ratio(|row| weighted_by(row.wire_bytes_per_update_at_1500?, row.deliveries? as f64))
    }

    /// TCP segments both ways, pure acknowledgements included.
    pub fn segments_per_update(&self) -> Option<f64> {
        self.ratio(|row| {
            let segments = row.segments_sent?.saturating_add(row.segments_received?);
            Some((segments as f64, row.deliveries? as f64))
        })
    }

    /// Largest packets of the paths that were measured, each once.
    pub fn mtu_bytes(&self) -> Vec<u32> {
        let known = |row: &&Row| row.wire.as_ref().map(|wire| wire.mtu_bytes).filter(|mtu| *mtu > 0);
        let mut all: Vec<u32> = self.rows.iter().filter_map(known).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

fn wire_bytes(row: &SummaryRow) -> Option<u64> {
    Some(row.wire_bytes_sent?.saturating_add(row.wire_bytes_received?))
}

/// Payload and socket bytes, wire bytes where they are known, and deliveries.
fn counts(row: &SummaryRow) -> Option<((u64, u64), Option<u64>, u64)> {
    let socket = row.bytes_sent?.saturating_add(row.bytes_received?);
    Some(((row.payload_bytes?, socket), wire_bytes(row), row.deliveries?))
}

#[cfg(test)]
mod tests {
    use super::super::summaries;
    use super::*;
    use crate::report::fixture;

    #[test]
    fn printed_parts_add_up_to_the_printed_sum() {
        // Each part alone would round to 0.3 + 0.3 + 0.3, the sum to 1.0.
        let layers = Layers {
            payload: 0.34,
            socket: 0.68,
            wire: Some(1.02),
        };
        let printed = layers.printed();
        assert_eq!((printed.payload, printed.protocol, printed.headers), (3, 4, Some(3)));
        assert_eq!(printed.wire, Some(10));
    }

    #[test]
    fn a_repeat_that_lacks_a_layer_is_in_none_of_them() {
        let mut record = fixture::record();
        record.rows.retain(|row| row.figures.transport == "websocket");
        for (row, (payload, socket, wire)) in record.rows.iter_mut().zip([(10, 20, Some(30)), (1_000, 9_000, None)]) {
            let figures = &mut row.figures;
            (figures.payload_bytes, figures.deliveries) = (Some(payload), Some(10));
            (figures.bytes_sent, figures.bytes_received) = (Some(socket), Some(0));
            (figures.wire_bytes_sent, figures.wire_bytes_received) = (wire, Some(0));
        }
        let layers = |record: &crate::record::RunRecord| summaries(record).unwrap().remove(3).layers();
        let expected = Layers {
            payload: 1.0,
            socket: 2.0,
            wire: Some(3.0),
        };
        assert_eq!(layers(&record), Some(expected));
        record.rows[0].figures.wire_bytes_sent = None;
        let expected = Layers {
            payload: 50.5,
            socket: 451.0,
            wire: None,
        };
        assert_eq!(layers(&record), Some(expected));
        record.rows[1].figures.payload_bytes = None;
        record.rows[0].figures.deliveries = Some(0);
        assert_eq!(layers(&record), None);
    }
}
