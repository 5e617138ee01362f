//! Lines over a grid, and dots along a line: what plotly.js calls scatter traces. Colour is never alone: lines have shapes and dashes,
//! dots stand in a row of their own.

use serde_json::{Value, json};

use crate::report::chart::{Axis, Dots, Line};
use crate::report::svg::{COLOUR_COUNT, hex_colour};

use super::axes::{Numbers, REST, key, numbers, row_height, techniques};
use super::{Drawn, escaped, name};

/// The shapes of svg/lines.rs, in its order.
const SHAPES: [&str; 5] = ["circle", "square", "diamond", "triangle-up", "triangle-down"];
/// Every technique of the first colours has a solid line, in its first variant; those that share a colour with one have not.
const DASHES: [&str; 6] = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];
/// Pixels.
const HEIGHT: usize = 380;
const ROW: usize = 60;

pub fn lines(x: &Axis, y: &Axis, lines: &[Line]) -> Drawn {
    let points = || lines.iter().flat_map(|line| &line.points);
    let across = numbers(x, points().map(|point| point.0));
    let up = numbers(y, points().filter_map(|point| point.1));
    let mut data = Vec::new();
    for line in lines {
        data.push(trace(line, (x, &across), (y, &up)));
        if let (true, Some((at, Some(value)))) = (line.lost, line.points.last()) {
            data.push(json!({
                "type": "scatter",
                "mode": "markers+text",
                "x": [at * across.factor],
                "y": [value * up.factor],
                "text": ["lost"],
                "textposition": "top center",
                "cliponaxis": false,
                "marker": {"symbol": "x", "size": 10, "color": hex_colour(line.owner.position)},
                "hoverinfo": "text",
                "hovertext": [format!("{}<br>lost from here on", name(&line.owner))],
                "meta": line.owner.place,
            }));
        }
    }
    (
        data,
        json!({"height": HEIGHT, "xaxis": across.layout, "yaxis": up.layout}),
    )
}

fn trace(line: &Line, (x, across): (&Axis, &Numbers), (y, up): (&Axis, &Numbers)) -> Value {
    let position = line.owner.position;
    let what = match line.name.as_str() {
        "" => name(&line.owner),
        part => format!("{}, {}", name(&line.owner), escaped(part)),
    };
    let words = line.points.iter().map(|(at, value)| {
        let value = value.map_or_else(String::new, |value| y.unit.words(value));
        format!(
            "{what}<br>{}: {}<br>{}: {value}",
            escaped(&x.label),
            x.unit.words(*at),
            escaped(&y.label)
        )
    });
    json!({
        "type": "scatter",
        "mode": "lines+markers",
        "name": what,
        "x": line.points.iter().map(|point| point.0 * across.factor).collect::<Vec<_>>(),
        "y": line.points.iter().map(|point| point.1.map(|value| value * up.factor)).collect::<Vec<_>>(),
        "line": {"color": hex_colour(position), "width": 2, "dash": DASHES[(line.owner.variant_position + position / COLOUR_COUNT) % DASHES.len()]},
        "marker": {"color": hex_colour(position), "symbol": SHAPES[line.owner.place % SHAPES.len()], "size": 8, "maxdisplayed": 9},
        "hoverinfo": "text",
        "hovertext": words.collect::<Vec<_>>(),
        "meta": line.owner.place,
    })
}

pub fn dots(axis: &Axis, rows: &[Dots]) -> Drawn {
    let values = || rows.iter().flat_map(|row| row.dots.iter().filter_map(|dot| dot.value));
    let (low, high) = (values().fold(f64::MAX, f64::min), values().fold(1.0, f64::max));
    let mut across = numbers(axis, values());
    // Room at both ends, and a place for what is lost behind the highest value.
    let (low, high) = (low.min(high) / 1.5, high * 1.8);
    across.layout["range"] = json!([(low * across.factor).log10(), (high * across.factor).log10()]);
    let data = rows.iter().map(|row| {
        let mut words = Vec::new();
        for dot in &row.dots {
            let value = dot
                .value
                .map_or_else(|| "lost".to_owned(), |value| axis.unit.words(value));
            words.push(format!("{}<br>{}: {value}", name(&row.owner), dot.name));
        }
        let symbols = row.dots.iter().enumerate().map(|(i, dot)| match (i, dot.value) {
            (_, None) => "x",
            (0, _) => "circle",
            _ => "circle-open",
        });
        let labels = row.dots.iter().map(|dot| if dot.value.is_none() { "lost" } else { "" });
        json!({
            "type": "scatter",
            "mode": "lines+markers+text",
            "x": row.dots.iter().map(|dot| dot.value.unwrap_or(high / 1.1) * across.factor).collect::<Vec<_>>(),
            "y": vec![key(&row.owner); row.dots.len()],
            "text": labels.collect::<Vec<_>>(),
            "textposition": "top center",
            "cliponaxis": false,
            "line": {"color": hex_colour(row.owner.position), "width": 2},
            "marker": {
                "color": hex_colour(row.owner.position), "symbol": symbols.collect::<Vec<_>>(),
                "size": (0..row.dots.len()).map(|i| if i == 0 { 14 } else { 11 }).collect::<Vec<_>>(),
                "line": {"width": 2, "color": hex_colour(row.owner.position)},
                "opacity": 1,
            },
            "hoverinfo": "text",
            "hovertext": words,
            "meta": row.owner.place,
        })
    });
    let layout = json!({
        "height": rows.len() * row_height(rows.iter().map(|row| &row.owner), ROW) + REST,
        "xaxis": across.layout,
        "yaxis": techniques(rows.iter().map(|row| &row.owner), (0.0, 1.0)),
    });
    (data.collect(), layout)
}
