//! A row of marks per transport: bars from 0, bars of parts, and marks on an axis.

use crate::report::chart::{Axis, Bar, Dots, Group, Scale, Stack};

use super::{Columns, ROWS_MOST, Ruler, left_out};

/// Parts of a character, by eighths.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
/// A layer each; more begin again.
const LAYERS: [char; 4] = ['█', '▒', '░', '▚'];
/// The first mark of a row is filled, as in the pictures.
const FIRST: char = '●';
const OTHER: char = '○';
/// What lies beyond the end of the axis.
const LOST: char = '»';

pub fn bars(axis: &Axis, groups: &[Group]) -> String {
    let all = || groups.iter().flat_map(|group| &group.bars);
    let said = |bar: &Bar| {
        let ends = bar
            .range
            .map(|(low, high)| (axis.unit.words(low), axis.unit.words(high)));
        match ends {
            Some((low, high)) if low != high => format!("{} ({low} – {high})", bar.text),
            _ => bar.text.clone(),
        }
    };
    let columns = Columns::of(
        all().map(|bar| bar.owner.label.as_str()),
        all().map(|bar| said(bar).chars().count()),
    );
    let highest = all().filter_map(|bar| bar.value).fold(0.0, f64::max);
    let mut out = String::new();
    for group in groups {
        if !group.heading.is_empty() {
            out += &format!(
                "{}{}\n",
                if out.is_empty() { "" } else { "\n" },
                super::clean(&group.heading)
            );
        }
        for bar in group.bars.iter().take(ROWS_MOST) {
            let share = bar
                .value
                .filter(|_| highest > 0.0)
                .map_or(0.0, |value| (value / highest).clamp(0.0, 1.0));
            out += &columns.row(&bar.owner.label, &filled(share, columns.marks), &said(bar));
        }
        out += &left_out(group.bars.len());
    }
    out
}

/// A bar over this share of so many characters; what is not 0 is seen.
fn filled(share: f64, cells: usize) -> String {
    let mut eighths = (share * cells as f64 * 8.0).round() as usize;
    if share > 0.0 {
        eighths = eighths.max(1);
    }
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

pub fn stacks(layers: &[&str], stacks: &[Stack]) -> String {
    let columns = Columns::of(
        stacks.iter().map(|stack| stack.owner.label.as_str()),
        stacks.iter().map(|stack| stack.text.chars().count()),
    );
    let mark = |i: usize| LAYERS[i % LAYERS.len()];
    let sum = |stack: &Stack| stack.parts.iter().sum::<f64>();
    let highest = stacks.iter().map(sum).fold(0.0, f64::max);
    let legend = layers
        .iter()
        .enumerate()
        .map(|(i, layer)| format!("{} {layer}", mark(i)));
    let mut out = legend.collect::<Vec<_>>().join("   ") + "\n";
    for stack in stacks.iter().take(ROWS_MOST) {
        let mut bar = String::new();
        let (mut before, mut drawn) = (0.0, 0);
        for (i, part) in stack.parts.iter().enumerate().filter(|_| highest > 0.0) {
            before += part;
            // Ends are rounded, not lengths: the whole is as long as its sum.
            let end = (before / highest * columns.marks as f64).round() as usize;
            bar.extend(std::iter::repeat_n(mark(i), end.saturating_sub(drawn)));
            drawn = end;
        }
        out += &columns.row(&stack.owner.label, &bar, &stack.text);
    }
    out + &left_out(stacks.len())
}

pub fn dots(axis: &Axis, rows: &[Dots]) -> String {
    let columns = Columns::of(
        rows.iter().map(|row| row.owner.label.as_str()),
        rows.iter().map(|row| row.text.chars().count()),
    );
    let values = rows.iter().flat_map(|row| row.dots.iter().filter_map(|dot| dot.value));
    let ruler = Ruler::new(axis, values, columns.marks);
    let mut out = String::new();
    for row in rows.iter().take(ROWS_MOST) {
        let marks = ruler.as_ref().map_or_else(String::new, |ruler| marks(row, ruler));
        out += &columns.row(&row.owner.label, &marks, &row.text);
    }
    if let Some(ruler) = &ruler {
        let (low, high) = (axis.unit.words(ruler.low), axis.unit.words(ruler.high));
        let scale = if axis.scale == Scale::Log { " (logarithmic)" } else { "" };
        let rest = columns
            .marks
            .saturating_sub(low.chars().count() + scale.chars().count());
        out += &columns.row("", &format!("{low}{scale}{high:>rest$}"), "");
    }
    out + &left_out(rows.len())
}

/// A line from the first mark to the last; one that is lost is drawn at the end.
fn marks(row: &Dots, ruler: &Ruler) -> String {
    let end = ruler.cells.saturating_sub(1);
    let cells: Vec<(usize, char)> = row
        .dots
        .iter()
        .enumerate()
        .map(|(i, dot)| match dot.value {
            Some(value) => (ruler.cell(value), if i == 0 { FIRST } else { OTHER }),
            None => (end, LOST),
        })
        .collect();
    let from = cells.iter().map(|(cell, _)| *cell).min().unwrap_or(0);
    let to = cells.iter().map(|(cell, _)| *cell).max().unwrap_or(0);
    let mut line: Vec<char> = (0..=to).map(|cell| if cell < from { ' ' } else { '─' }).collect();
    // From the last to the first: where several meet, the filled one is seen.
    for (cell, mark) in cells.iter().rev() {
        if line[*cell] != LOST {
            line[*cell] = *mark;
        }
    }
    line.into_iter().collect()
}
