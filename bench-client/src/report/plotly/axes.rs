//! Axes for plotly.js, with ticks in the words of svg/scale.rs or in a unit that plotly.js can word itself.

use serde::Serialize;
use serde_json::{Value, json};

use crate::report::chart::{Axis, Owner, Scale, Unit};
use crate::report::svg::scale::words;

use super::escaped;

/// Pixels of a figure's height that are no rows: buttons, ticks and the axis' label.
pub const REST: usize = 88;
/// Characters a technique's name has on one line beside its row: phones have no more room.
const NAME_LINE: usize = 14;

/// Pixels of a name's line, and between two names.
const NAME_HEIGHT: usize = 17;
const NAME_GAP: usize = 6;
/// Labels that an axis has room for.
const MOST_TICKS: usize = 8;
/// Ticks within each factor of ten, from few to many: what a reader zooms into needs more.
const STEPS: [&[f64]; 4] = [
    &[1.0],
    &[1.0, 2.0, 5.0],
    &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
    &[
        1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0, 2.2, 2.4, 2.6, 2.8, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0,
        6.5, 7.0, 7.5, 8.0, 8.5, 9.0, 9.5,
    ],
];

/// An axis of numbers.
pub struct Numbers {
    /// What a value is multiplied by on its way there.
    pub factor: f64,
    pub layout: Value,
}

/// Covers `values`. plotly.js words ticks of a linear axis, with the unit that fits the highest value. A logarithmic one has them all
/// in words, level by level: the script takes the level that fits what is in sight.
pub fn numbers(axis: &Axis, values: impl Iterator<Item = f64>) -> Numbers {
    let (low, high) = values.fold((f64::MAX, 0.0f64), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let mut layout = json!({
        "title": {"text": escaped(&axis.label), "font": {"size": 12}},
        "type": if axis.scale == Scale::Log { "log" } else { "linear" },
        "gridcolor": "@line",
        "linecolor": "@line",
        "zeroline": false,
        "automargin": true,
    });
    if axis.scale == Scale::Log {
        let levels = levels(axis, low.min(high), high);
        // Margins around the values may show one tick more at either end.
        let fits = |level: &&Level| {
            level
                .vals
                .iter()
                .filter(|value| (low / 1.3..=high * 1.3).contains(*value))
                .count()
                <= MOST_TICKS
        };
        if let Some(level) = levels.iter().rev().find(fits).or(levels.first()) {
            layout["tickvals"] = json!(level.vals);
            layout["ticktext"] = json!(level.text);
        }
        layout["levels"] = json!(levels);
        return Numbers { factor: 1.0, layout };
    }
    let (size, name) = axis.unit.prefix(high);
    layout["tickformat"] = json!(",~r");
    layout["ticksuffix"] = json!(name);
    layout["rangemode"] = json!("tozero");
    Numbers {
        factor: 1.0 / size,
        layout,
    }
}

/// Ticks and their words.
#[derive(Serialize)]
struct Level {
    vals: Vec<f64>,
    text: Vec<String>,
}

fn levels(axis: &Axis, low: f64, high: f64) -> Vec<Level> {
    let level = |vals: Vec<f64>| Level {
        text: vals.iter().map(|value| words(*value, *value, axis)).collect(),
        vals,
    };
    let decades = |low: f64, high: f64| {
        (low.max(1e-9).log10().floor() as i32..=high.max(1e-9).log10().ceil() as i32).map(|power| 10f64.powi(power))
    };
    if axis.unit == Unit::OneIn {
        // Quantiles that have names; 0 % would stand upon 50 %.
        let named = |every: usize| {
            let decades = decades(10.0, high).filter(|one_in| *one_in <= high * 1.001);
            level(
                std::iter::once(2.0)
                    .chain(decades.skip(every - 1).step_by(every))
                    .collect(),
            )
        };
        return vec![named(2), named(1)];
    }
    // Beyond the values too: who zooms out still finds ticks.
    let of = |steps: &[f64]| {
        decades(low / 10.0, high * 10.0)
            .flat_map(|decade| steps.iter().map(move |step| step * decade))
            .collect()
    };
    STEPS.iter().map(|steps| level(of(steps))).collect()
}

/// An axis of techniques, the first at the top, between `bottom` and `top` of the figure's height.
pub fn techniques<'a>(owners: impl Iterator<Item = &'a Owner>, (bottom, top): (f64, f64)) -> Value {
    let owners: Vec<&Owner> = owners.collect();
    let keys: Vec<String> = owners.iter().map(|owner| key(owner)).collect();
    let names: Vec<String> = owners.iter().map(|owner| broken(&owner.label)).collect();
    json!({
        "type": "category",
        "categoryorder": "array",
        "categoryarray": keys,
        "range": [owners.len() as f64 - 0.5, -0.5],
        "tickvals": keys,
        "ticktext": names,
        "ticks": "",
        "ticklabelstandoff": 6,
        "automargin": true,
        "fixedrange": true,
        "showgrid": false,
        "zeroline": false,
        "linecolor": "@line",
        "domain": [bottom, top],
    })
}

/// A technique's place on an axis of techniques; names may be alike, positions are not.
pub fn key(owner: &Owner) -> String {
    format!("t{}", owner.place)
}

/// Pixels of each row, so that the longest name has room; `least` for short ones.
pub fn row_height<'a>(owners: impl Iterator<Item = &'a Owner>, least: usize) -> usize {
    let lines = owners.map(|owner| broken(&owner.label).split("<br>").count()).max();
    least.max(lines.unwrap_or(0) * NAME_HEIGHT + NAME_GAP)
}

/// A name over as many lines as it needs.
fn broken(name: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in name.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= NAME_LINE => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    let lines: Vec<String> = lines.iter().map(|line| escaped(line)).collect();
    lines.join("<br>")
}
