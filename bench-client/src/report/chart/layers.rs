//! Where the bytes go: each update's bytes by layer, as in report.md's table.

use crate::report::format::{UNKNOWN, tenths};
use crate::report::summary::Summary;

use super::{Axis, Chart, Plot, Scale, Stack, Unit, owner};

const LAYERS: [&str; 3] = ["update", "protocol: HTTP and framing", "TCP and IP headers"];

/// `None` when no transport knows its layers.
pub fn bytes(summaries: &[Summary]) -> Option<Chart> {
    let stacks: Vec<Stack> = summaries.iter().map(stack).collect();
    // Where no kernel told of packets, there is no third layer to name.
    let layers = stacks
        .iter()
        .map(|stack| stack.parts.len())
        .max()
        .filter(|layers| *layers > 0)?;
    let packets = if layers == LAYERS.len() {
        " Headers of all packets, acknowledgements and retransmissions included, at this path's packet size."
    } else {
        " TCP and IP headers are not known."
    };
    Some(Chart {
        id: "bytes-by-layer",
        title: "Where the bytes of a delivered update go".to_owned(),
        caption: format!("Both directions.{packets}"),
        plot: Plot::Stacks {
            axis: Axis {
                label: "bytes per update".to_owned(),
                unit: Unit::Bytes,
                scale: Scale::Linear,
            },
            layers: LAYERS[..layers].to_vec(),
            stacks,
        },
    })
}

fn stack(summary: &Summary) -> Stack {
    let printed = summary.layers().map(|layers| layers.printed());
    let parts: Vec<i64> = printed
        .iter()
        .flat_map(|one| [Some(one.payload), Some(one.protocol), one.headers])
        .flatten()
        .collect();
    let sum = parts.iter().sum();
    let words: Vec<String> = parts.iter().map(|part| tenths(*part)).collect();
    let text = if parts.is_empty() {
        UNKNOWN.to_owned()
    } else {
        format!("{} = {} B", words.join(" + "), tenths(sum))
    };
    // A layer below zero cannot be drawn; the words tell of it.
    let drawn = parts.iter().all(|part| *part >= 0);
    Stack {
        owner: owner(summary),
        parts: if drawn {
            parts.into_iter().map(|part| part as f64 / 10.0).collect()
        } else {
            Vec::new()
        },
        text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{fixture, summary::summaries};

    fn stacks(chart: Chart) -> (Vec<&'static str>, Vec<Stack>) {
        match chart.plot {
            Plot::Stacks { layers, stacks, .. } => (layers, stacks),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn parts_are_those_of_the_table_and_add_up() {
        let record = fixture::record();
        let (layers, stacks) = stacks(bytes(&summaries(&record).unwrap()).unwrap());
        assert_eq!(layers.len(), 3);
        assert_eq!(stacks[3].parts, [200.0, 4.0, 109.2]);
        assert_eq!(stacks[3].text, "200.0 + 4.0 + 109.2 = 313.2 B");
    }

    #[test]
    fn without_the_kernels_counters_there_are_two_layers() {
        let mut record = fixture::record();
        record
            .rows
            .iter_mut()
            .for_each(|row| row.figures.wire_bytes_sent = None);
        let chart = bytes(&summaries(&record).unwrap()).unwrap();
        assert!(chart.caption.contains("not known"), "{}", chart.caption);
        let (layers, stacks) = stacks(chart);
        assert_eq!((layers.len(), stacks[3].parts.len()), (2, 2));
        record.rows.clear();
        assert_eq!(bytes(&summaries(&record).unwrap()), None);
    }
}
