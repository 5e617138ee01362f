//! Bars with their ranges: what the charts of one figure per technique are made of.

use crate::record::SummaryRow;
use crate::report::format;
use crate::report::summary::Summary;

use super::{Axis, Bar, Chart, Group, Plot, owner};

const RANGES: &str = "Ranges: the lowest to the highest repeat.";

/// A chart of bars; `None` when no bar is known.
pub fn chart(id: &'static str, title: &str, caption: &str, axis: Axis, groups: Vec<Group>) -> Option<Chart> {
    let groups: Vec<Group> = groups
        .into_iter()
        .filter(|group| group.bars.iter().any(|bar| bar.value.is_some()))
        .collect();
    let ranges = groups
        .iter()
        .flat_map(|group| &group.bars)
        .any(|bar| bar.range.is_some());
    let caption = if ranges {
        format!("{caption} {RANGES}")
    } else {
        caption.to_owned()
    };
    (!groups.is_empty()).then(|| Chart {
        id,
        title: title.to_owned(),
        caption,
        plot: Plot::Bars { axis, groups },
    })
}

/// Bars that need no heading.
pub fn one_group(bars: Vec<Bar>) -> Vec<Group> {
    vec![Group {
        heading: String::new(),
        bars,
    }]
}

/// A bar per technique: the figure of all repeats, and those of single ones as its range.
pub fn bars<'a>(
    summaries: &[Summary<'a>],
    of_all: impl Fn(&Summary<'a>) -> Option<f64>,
    of_row: impl Fn(&SummaryRow) -> Option<f64>,
    words: impl Fn(f64) -> String,
) -> Vec<Bar> {
    let bar = |summary: &Summary<'a>| {
        let value = of_all(summary);
        Bar {
            owner: owner(summary),
            value,
            range: summary.range(&of_row).filter(|(low, high)| low < high),
            text: format::known(value, &words),
        }
    };
    summaries.iter().map(bar).collect()
}
