//! Draws a [`Chart`] as a figure for plotly.js, the third drawer beside tables and SVG.
//!
//! ```text
//! Chart -> axes (ticks, units) + lines | bars (traces) -> Figure -> JSON in report.html -> its script -> plotly.js
//! ```
//!
//! plotly.js understands a little markup in every text it draws, so words of the record are escaped on their way in. Every value that
//! is shown stands ready in words: plotly.js formats ticks alone. Colours that depend on the scheme are names beginning with `@`,
//! which the page's script replaces. JSON is written directly: the plotly crate's types have a builder per property and say no more.

mod axes;
mod bars;
mod lines;

use serde::Serialize;
use serde_json::{Value, json};

use super::chart::{Chart, Owner, Plot};

/// Traces, and the layout that goes with them.
type Drawn = (Vec<Value>, Value);

/// What the page's script hands to `Plotly.react`. Each trace's `meta` is the position of its technique, which the legend hides it by.
#[derive(Debug, Serialize)]
pub struct Figure {
    pub id: &'static str,
    pub data: Vec<Value>,
    pub layout: Value,
}

/// The chart as data and layout.
pub fn figure(chart: &Chart) -> Figure {
    let (data, own) = match &chart.plot {
        Plot::Lines { x, y, lines } => lines::lines(x, y, lines),
        Plot::Bars { axis, groups } => bars::bars(axis, groups),
        Plot::Stacks { axis, layers, stacks } => bars::stacks(axis, layers, stacks),
        Plot::Dots { axis, rows } => lines::dots(axis, rows),
    };
    Figure {
        id: chart.id,
        data,
        layout: with_usual(own),
    }
}

/// What all figures have in common. The page shows title, caption and legend itself.
fn with_usual(own: Value) -> Value {
    let mut layout = json!({
        "showlegend": false,
        "hovermode": "closest",
        "barmode": "stack",
        "bargap": 0.35,
        "paper_bgcolor": "@page",
        "plot_bgcolor": "@page",
        "font": {"color": "@ink", "size": 13, "family": "system-ui, -apple-system, 'Segoe UI', sans-serif"},
        "hoverlabel": {"bgcolor": "@raised", "bordercolor": "@line", "font": {"color": "@ink"}, "align": "left"},
        "margin": {"l": 12, "r": 24, "t": 28, "b": 48},
        // Zoom stays when a technique is hidden or the scheme changes.
        "uirevision": "kept",
    });
    if let (Some(layout), Value::Object(own)) = (layout.as_object_mut(), own) {
        layout.extend(own);
    }
    layout
}

fn name(owner: &Owner) -> String {
    escaped(&owner.label)
}

/// Words that stay words: plotly.js reads tags and entities, and nothing else, from a text.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{chart, fixture};

    fn figures(name: &str) -> Vec<Figure> {
        let mut record = fixture::record();
        record.transports[1].label = name.to_owned();
        chart::all(&record).unwrap().iter().map(figure).collect()
    }

    #[test]
    fn names_never_become_markup() {
        let text = serde_json::to_string(&figures("<a href='javascript:x'>Long</a> &polling")).unwrap();
        assert!(!text.contains("<a") && text.contains("&lt;a"), "{text}");
        assert!(text.contains("&amp;polling"));
    }

    #[test]
    fn every_mark_belongs_to_a_technique_and_lost_ones_say_so() {
        for figure in figures("Long polling") {
            assert!(
                figure
                    .data
                    .iter()
                    .all(|trace| trace["meta"].is_u64() || trace["showlegend"] == true),
                "{}: {:?}",
                figure.id,
                figure.data
            );
            let text = serde_json::to_string(&figure).unwrap();
            assert_eq!(
                text.contains("lost"),
                ["latency-quantiles", "latency-spectrum"].contains(&figure.id),
                "{}",
                figure.id
            );
        }
    }

    #[test]
    fn one_figure_of_each_kind() {
        let shown = [
            "latency-quantiles",
            "latency-over-time",
            "bytes-by-layer",
            "cpu-per-update",
        ];
        for figure in figures("Long polling")
            .into_iter()
            .filter(|one| shown.contains(&one.id))
        {
            insta::assert_snapshot!(
                format!("figure_{}", figure.id.replace('-', "_")),
                serde_json::to_string_pretty(&figure).unwrap()
            );
        }
    }
}
