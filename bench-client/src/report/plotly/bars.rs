//! Bars and stacks. Colour is never alone: rows have their names, layers a pattern.

use serde_json::{Value, json};

use crate::report::chart::{Axis, Bar, Group, Owner, Stack};
use crate::report::svg::hex_colour;

use super::axes::{Numbers, REST, key, numbers, row_height, techniques};
use super::{Drawn, escaped, name};

const PATTERNS: [&str; 3] = ["", "/", "."];
/// Pixels: a row, a group's heading, the names of layers, the buttons at the top, and the words behind a bar.
const ROW: usize = 40;
const HEADING: usize = 26;
const LEGEND: usize = 56;
const TOP: usize = 28;
const WORDS: usize = 76;

pub fn bars(axis: &Axis, groups: &[Group]) -> Drawn {
    let bars = || groups.iter().flat_map(|group| &group.bars);
    let across = numbers(axis, bars().map(end));
    let row = row_height(bars().map(|bar| &bar.owner), ROW);
    let height = |group: &Group| group.bars.len() * row + if group.heading.is_empty() { 0 } else { HEADING };
    let total: usize = groups.iter().map(height).sum();
    let (mut data, mut headings, mut above) = (Vec::new(), Vec::new(), 0);
    let mut layout = json!({"height": total + REST, "margin": {"l": 12, "r": WORDS, "t": TOP, "b": 48}});
    for (i, group) in groups.iter().enumerate() {
        let from_top = |pixels: usize| 1.0 - pixels as f64 / total as f64;
        let rows_from = above + height(group) - group.bars.len() * row;
        let number = if i == 0 { String::new() } else { (i + 1).to_string() };
        if !group.heading.is_empty() {
            headings.push(json!({
                "text": escaped(&group.heading), "showarrow": false, "align": "left",
                "xref": "paper", "x": 0, "xanchor": "left", "yref": "paper", "y": from_top(rows_from), "yanchor": "bottom",
            }));
        }
        above += height(group);
        let owners = group.bars.iter().map(|bar| &bar.owner);
        layout[format!("yaxis{number}")] = techniques(owners, (from_top(above).max(0.0), from_top(rows_from)));
        for bar in &group.bars {
            data.extend(bar_with_words(bar, axis, &across, &format!("y{number}")));
        }
        layout["xaxis"] = across.layout.clone();
        layout["xaxis"]["anchor"] = json!(format!("y{number}"));
    }
    layout["annotations"] = json!(headings);
    (data, layout)
}

/// Where a bar and its range end.
fn end(bar: &Bar) -> f64 {
    let high = bar.range.map_or(0.0, |range| range.1);
    bar.value.unwrap_or(0.0).max(high).max(0.0)
}

fn bar_with_words(bar: &Bar, axis: &Axis, across: &Numbers, row: &str) -> [Value; 2] {
    let mut words = format!("{}: {}", name(&bar.owner), escaped(&bar.text));
    let mut drawn = json!({
        "type": "bar",
        "orientation": "h",
        // What is below zero has its words and no bar.
        "x": [bar.value.unwrap_or(0.0).max(0.0) * across.factor],
        "y": [key(&bar.owner)],
        "yaxis": row,
        "marker": {"color": hex_colour(bar.owner.position)},
        "hoverinfo": "text",
        "meta": bar.owner.place,
    });
    if let (Some((low, high)), Some(value)) = (bar.range, bar.value) {
        words += &format!("<br>repeats: {} – {}", axis.unit.words(low), axis.unit.words(high));
        drawn["error_x"] = json!({
            "type": "data", "symmetric": false, "color": "@ink", "thickness": 2, "width": 4,
            "array": [(high - value).max(0.0) * across.factor],
            "arrayminus": [(value - low).max(0.0).min(value.max(0.0)) * across.factor],
        });
    }
    drawn["hovertext"] = json!([words]);
    [drawn, behind(&bar.owner, end(bar) * across.factor, &bar.text, row)]
}

/// Words behind a mark's end.
fn behind(owner: &Owner, at: f64, text: &str, row: &str) -> Value {
    json!({
        "type": "scatter",
        "mode": "text",
        "x": [at],
        "y": [key(owner)],
        "yaxis": row,
        // No-break spaces: the words begin a little behind the end.
        "text": [format!("\u{a0}\u{a0}{}", escaped(text))],
        "textposition": "middle right",
        "cliponaxis": false,
        "hoverinfo": "skip",
        "showlegend": false,
        "meta": owner.place,
    })
}

pub fn stacks(axis: &Axis, layers: &[&str], stacks: &[Stack]) -> Drawn {
    let total = |stack: &Stack| stack.parts.iter().sum::<f64>();
    let across = numbers(axis, stacks.iter().map(total));
    let mut data: Vec<Value> = layers.iter().enumerate().map(|(i, layer)| legend(i, layer)).collect();
    for stack in stacks {
        for (i, (part, layer)) in stack.parts.iter().zip(layers).enumerate() {
            let words = format!(
                "{}<br>{}: {}<br>all: {}",
                name(&stack.owner),
                escaped(layer),
                axis.unit.words(*part),
                escaped(&stack.text)
            );
            data.push(json!({
                "type": "bar",
                "orientation": "h",
                "x": [part * across.factor],
                "y": [key(&stack.owner)],
                "marker": layer_style(i, &hex_colour(stack.owner.position)),
                "hoverinfo": "text",
                "hovertext": [words],
                "showlegend": false,
                "meta": stack.owner.place,
            }));
        }
        // The sum alone: all of the words would not fit beside a bar.
        let sum = if stack.parts.is_empty() {
            stack.text.clone()
        } else {
            axis.unit.words(total(stack))
        };
        data.push(behind(&stack.owner, total(stack) * across.factor, &sum, "y"));
    }
    let layout = json!({
        "height": stacks.len() * row_height(stacks.iter().map(|stack| &stack.owner), ROW) + REST + LEGEND,
        "xaxis": across.layout,
        "yaxis": techniques(stacks.iter().map(|stack| &stack.owner), (0.0, 1.0)),
        "margin": {"l": 12, "r": WORDS, "t": TOP, "b": 48},
        "showlegend": true,
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "itemclick": false, "itemdoubleclick": false, "traceorder": "normal"},
    });
    (data, layout)
}

/// A bar of no technique and no length, which names a layer.
fn legend(layer: usize, name: &str) -> Value {
    json!({
        "type": "bar", "orientation": "h", "x": [null], "y": [null], "name": escaped(name), "showlegend": true,
        "marker": layer_style(layer, "@ink"), "hoverinfo": "skip",
    })
}

fn layer_style(layer: usize, colour: &str) -> Value {
    json!({
        "color": colour,
        "opacity": 1.0 - 0.3 * layer.min(2) as f64,
        "line": {"color": "@page", "width": 1},
        "pattern": {"shape": PATTERNS[layer % PATTERNS.len()], "fgcolor": "@page", "fillmode": "overlay", "size": 6, "solidity": 0.25},
    })
}
