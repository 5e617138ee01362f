//! The figures of a chart as a table, for who reads, copies or cannot see it.

use anyhow::{Context, Result};
use askama::Template;

use crate::report::chart::{Bar, Chart, Dots, Group, Line, Plot, Stack};
use crate::report::format::{UNKNOWN, known};

use super::table::{Cell, Table};

/// A chart's table has at most about so many rows: of more points every second, third … is shown.
const MOST_POINTS: usize = 40;

/// The figures of a chart.
///
/// # Errors
/// Names the chart whose table the template refused.
pub fn table(chart: &Chart) -> Result<String> {
    let (head, left, rows) = match &chart.plot {
        Plot::Lines { x, y, lines } => {
            let head = lines.iter().map(heading);
            let head: Vec<String> = std::iter::once(x.label.clone()).chain(head).collect();
            (
                head,
                0,
                points(lines, |at| x.unit.words(at), |value| y.unit.words(value)),
            )
        }
        Plot::Bars { axis, groups } => {
            let several = groups.len() > 1;
            let mut head = vec![
                "technique".to_owned(),
                axis.label.clone(),
                "lowest repeat".to_owned(),
                "highest repeat".to_owned(),
            ];
            if several {
                head.insert(1, "of".to_owned());
            }
            let end = |bar: &Bar, of: fn((f64, f64)) -> f64| known(bar.range.map(of), |value| axis.unit.words(value));
            let row = |group: &Group, bar: &Bar| {
                let mut row = vec![
                    bar.owner.label.clone(),
                    bar.text.clone(),
                    end(bar, |range| range.0),
                    end(bar, |range| range.1),
                ];
                if several {
                    row.insert(1, group.heading.clone());
                }
                row
            };
            let rows = groups
                .iter()
                .flat_map(|group| group.bars.iter().map(move |bar| row(group, bar)));
            (head, if several { 2 } else { 1 }, rows.collect())
        }
        Plot::Stacks { axis, layers, stacks } => {
            let head = ["technique"].into_iter().chain(layers.iter().copied()).chain(["all"]);
            let row = |stack: &Stack| {
                let part = |i: usize| known(stack.parts.get(i).copied(), |value| axis.unit.words(value));
                let parts = (0..layers.len()).map(part);
                std::iter::once(stack.owner.label.clone())
                    .chain(parts)
                    .chain([stack.text.clone()])
                    .collect()
            };
            (head.map(str::to_owned).collect(), 1, stacks.iter().map(row).collect())
        }
        Plot::Dots { axis, rows } => {
            let names = rows
                .first()
                .map(|row| row.dots.iter().map(|dot| dot.name.to_owned()).collect())
                .unwrap_or_else(Vec::new);
            let head = std::iter::once("technique".to_owned())
                .chain(names.iter().cloned())
                .collect();
            let row = |row: &Dots| {
                let cell = |name: &String| match row.dots.iter().find(|dot| dot.name == name) {
                    None => UNKNOWN.to_owned(),
                    Some(dot) => dot
                        .value
                        .map_or_else(|| "lost".to_owned(), |value| axis.unit.words(value)),
                };
                std::iter::once(row.owner.label.clone())
                    .chain(names.iter().map(cell))
                    .collect()
            };
            (head, 1, rows.iter().map(row).collect())
        }
    };
    let rows = rows
        .iter()
        .map(|row: &Vec<String>| row.iter().map(|text| Cell::of(text)).collect())
        .collect();
    Table::of(&chart.title, &head, left, rows)
        .render()
        .with_context(|| format!("could not write the table of {}", chart.id))
}

fn heading(line: &Line) -> String {
    match line.name.as_str() {
        "" => line.owner.label.clone(),
        name => format!("{}, {name}", line.owner.label),
    }
}

/// A row per place, a column per line.
fn points(lines: &[Line], place: impl Fn(f64) -> String, words: impl Fn(f64) -> String) -> Vec<Vec<String>> {
    let mut places: Vec<f64> = lines
        .iter()
        .flat_map(|line| line.points.iter().map(|point| point.0))
        .collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let every = places.len().div_ceil(MOST_POINTS).max(1);
    let row = |at: f64| {
        let cells = lines.iter().map(|line| {
            let value = line.points.iter().find(|point| point.0 == at);
            match value {
                Some((_, value)) => known(*value, &words),
                None if line.lost && line.points.last().is_some_and(|last| last.0 < at) => "lost".to_owned(),
                None => UNKNOWN.to_owned(),
            }
        });
        std::iter::once(place(at)).chain(cells).collect()
    };
    places.into_iter().step_by(every).map(row).collect()
}
