//! Charts as data: what each shows, made once from the record, so that a picture and an interactive page show the same.
//!
//! ```text
//! Summary -> latency.rs, freshness.rs, cost.rs, layers.rs -> Chart -+-> svg.rs    -> charts/<id>.svg
//!                                                                  +-> plotly.rs -> report.html
//!                                                                  +-> JSON, for a page that draws it itself
//! ```
//!
//! Values are in the axis' unit; words beside them are ready to print. A chart that has nothing to show is left out.
//! Absent on purpose: colours, sizes and fonts. A drawer gives each transport a colour by its position in the plan.

mod bars;
mod cost;
mod freshness;
mod latency;
mod layers;
pub mod overlay;
mod recovery;
mod unit;

use anyhow::Result;
use serde::Serialize;

use crate::record::RunRecord;

pub use unit::Unit;

use super::summary::{Summary, summaries};

/// One chart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Chart {
    /// Kebab-case and permanent: it names the file.
    pub id: &'static str,
    pub title: String,
    /// What is drawn and how to read it, in a sentence or two.
    pub caption: String,
    #[serde(flatten)]
    pub plot: Plot,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Plot {
    /// Lines over a horizontal axis.
    Lines { x: Axis, y: Axis, lines: Vec<Line> },
    /// Horizontal bars from 0.
    Bars { axis: Axis, groups: Vec<Group> },
    /// Horizontal bars from 0, each made of parts in a row: one per layer, in the layers' order.
    Stacks {
        axis: Axis,
        layers: Vec<&'static str>,
        stacks: Vec<Stack>,
    },
    /// Marks on a horizontal line per transport, for an axis that has no 0.
    Dots { axis: Axis, rows: Vec<Dots> },
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Axis {
    pub label: String,
    pub unit: Unit,
    pub scale: Scale,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    Linear,
    Log,
}

/// Which transport a mark belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Owner {
    pub transport: String,
    /// Where the plan has variants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    pub label: String,
    /// Position among all that are compared, from 0: no other has it.
    pub place: usize,
    /// The transport's position in the plan, from 0: the same in every chart of the run, and in every variant.
    pub position: usize,
    /// The same of the variant.
    pub variant_position: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    #[serde(flatten)]
    pub owner: Owner,
    /// What tells it from the same technique's other lines, such as `repeat 2`; empty for an only one.
    pub name: String,
    /// x and y; no y is a gap in the line.
    pub points: Vec<(f64, Option<f64>)>,
    /// The line ends because everything behind its last point was lost.
    pub lost: bool,
}

/// Bars that belong together; the heading is empty when there is one group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    pub heading: String,
    pub bars: Vec<Bar>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bar {
    #[serde(flatten)]
    pub owner: Owner,
    /// Unknown: no bar, only the text.
    pub value: Option<f64>,
    /// Lowest and highest repeat, when there are several.
    pub range: Option<(f64, f64)>,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stack {
    #[serde(flatten)]
    pub owner: Owner,
    /// None is below 0; empty when they are not known.
    pub parts: Vec<f64>,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dots {
    #[serde(flatten)]
    pub owner: Owner,
    /// Low to high.
    pub dots: Vec<Dot>,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dot {
    /// Such as `p99`.
    pub name: &'static str,
    /// None: lost, beyond the end of the axis.
    pub value: Option<f64>,
}

impl Chart {
    pub fn file_name(&self) -> String {
        format!("{}.svg", self.id)
    }
}

/// Every chart the record has data for, in the order reports show them.
///
/// # Errors
/// Names the row whose histogram cannot be read.
pub fn all(record: &RunRecord) -> Result<Vec<Chart>> {
    let summaries = summaries(record)?;
    let charts = [
        // What a scenario with a restart is about.
        recovery::restored(&summaries),
        recovery::asked(&summaries),
        latency::quantiles(&summaries),
        latency::spectrum(&summaries),
        latency::over_time(&summaries),
        freshness::age(&summaries),
        freshness::stale_share(&summaries),
        cost::bytes_per_update(&summaries),
        layers::bytes(&summaries),
        cost::requests_per_update(&summaries),
        cost::requests_per_s(&summaries),
        cost::cpu_per_update(&summaries),
        cost::memory_per_client(&summaries),
        latency::connect(&summaries),
    ];
    Ok(charts.into_iter().flatten().collect())
}

fn owner(summary: &Summary) -> Owner {
    Owner {
        transport: summary.transport.to_owned(),
        variant: summary.variant.map(str::to_owned),
        label: summary.label.to_owned(),
        place: summary.place,
        position: summary.position,
        variant_position: summary.variant_position,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn a_record_without_rows_has_no_charts() {
        assert_eq!(all(&fixture::empty()).unwrap(), []);
    }

    #[test]
    fn unknown_memory_is_no_chart_and_an_unknown_bar_is_not_zero() {
        let mut record = fixture::record();
        for row in &mut record.rows {
            row.figures.server_rss_bytes_per_client = None;
            if row.figures.transport == "sse" {
                row.figures.bytes_sent = None;
            }
        }
        let charts = all(&record).unwrap();
        assert!(charts.iter().all(|chart| chart.id != "memory-per-client"));
        let bytes = charts.iter().find(|chart| chart.id == "bytes-per-update").unwrap();
        let Plot::Bars { groups, .. } = &bytes.plot else {
            panic!("bars")
        };
        let sse = groups[0].bars.iter().find(|bar| bar.owner.transport == "sse").unwrap();
        assert_eq!((sse.value, sse.text.as_str()), (None, "–"));
    }

    #[test]
    fn the_spectrum_stops_where_updates_were_lost() {
        let charts = all(&fixture::record()).unwrap();
        let spectrum = charts.iter().find(|chart| chart.id == "latency-spectrum").unwrap();
        let Plot::Lines { lines, .. } = &spectrum.plot else {
            panic!("lines")
        };
        let long_poll = lines.iter().find(|line| line.owner.transport == "long-poll").unwrap();
        // 2,500 of 200,000 are lost: one in 80.
        let last = long_poll.points.last().unwrap().0;
        assert!(long_poll.lost && (70.0..=80.0).contains(&last), "{last}");
        assert!(
            lines
                .iter()
                .all(|line| line.owner.transport == "long-poll" || !line.lost)
        );
    }

    #[test]
    fn connecting_and_requests_have_their_charts() {
        let charts = all(&fixture::record()).unwrap();
        let chart = |id: &str| charts.iter().find(|chart| chart.id == id).unwrap();
        let Plot::Dots { rows, .. } = &chart("connect-latency").plot else {
            panic!("dots")
        };
        // 1,000 connects a repeat, 3 µs apart from 400 µs on: merged, not averaged.
        assert_eq!(
            rows[0].dots.iter().map(|dot| dot.name).collect::<Vec<_>>(),
            ["p50", "p90", "p99", "longest"]
        );
        assert!((1_890.0..=1_910.0).contains(&rows[0].dots[0].value.unwrap()));
        let bars = |id: &str| match &chart(id).plot {
            Plot::Bars { groups, .. } => groups[0].bars.clone(),
            other => panic!("{other:?}"),
        };
        let requests = bars("requests-per-update");
        assert_eq!(requests[3].value, Some(0.0), "a stream makes none");
        assert!(requests[0].value.unwrap() < requests[1].value.unwrap());
        let stale = bars("stale-share");
        assert_eq!((stale[0].value, stale[0].text.as_str()), (Some(0.9125), "91.25 %"));
    }

    #[test]
    fn a_page_can_draw_from_the_json() {
        let charts = serde_json::to_value(all(&fixture::record()).unwrap()).unwrap();
        assert_eq!(charts[0]["kind"], "dots");
        assert_eq!(charts[0]["rows"][1]["transport"], "long-poll");
        assert_eq!(charts[1]["x"]["unit"], "one-in");
    }
}
