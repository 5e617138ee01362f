//! Draws a [`Chart`] in characters, for places where no picture survives: a report pasted into a pull request, a terminal.
//!
//! ```text
//! Chart -> rows (bars, stacks, dots) | lines (values at decades, sparklines) -> lines of text, at most WIDTH wide
//! ```
//!
//! It knows the kinds of plots and none of the charts. Every row ends with its figures in words: marks are for the eye.
//! Absent on purpose: colours, and the round axis ends of the pictures, which have room for them.

mod lines;
mod rows;

use super::chart::{Axis, Chart, Plot, Scale};
use super::format;
use super::terminal::clean;

/// As wide as a code block on GitHub is without scrolling.
const WIDTH: usize = 88;
/// A longer label is cut: the figures behind it matter more.
const LABEL_MOST: usize = 36;
/// However long labels and figures are, marks get as much.
const MARKS_LEAST: usize = 16;
/// No chart has more rows; what is left out is counted.
const ROWS_MOST: usize = 40;

/// The chart without its title and caption, each line with a line end.
pub fn draw(chart: &Chart) -> String {
    match &chart.plot {
        Plot::Bars { axis, groups } => rows::bars(axis, groups),
        Plot::Stacks { layers, stacks, .. } => rows::stacks(layers, stacks),
        Plot::Dots { axis, rows } => rows::dots(axis, rows),
        Plot::Lines { x, y, lines } => lines::lines(x, y, lines),
    }
}

/// The widths of a chart's rows: labels on the left, marks, words on the right.
struct Columns {
    label: usize,
    marks: usize,
}

impl Columns {
    fn of<'a>(labels: impl Iterator<Item = &'a str>, words: impl Iterator<Item = usize>) -> Self {
        let label = labels.map(|label| clean(label).chars().count()).max().unwrap_or(0);
        let label = label.min(LABEL_MOST);
        let words = words.max().unwrap_or(0);
        let marks = WIDTH.saturating_sub(label + words + 4).max(MARKS_LEAST);
        Self { label, marks }
    }

    /// One row; marks are given as wide as they are.
    fn row(&self, label: &str, marks: &str, words: &str) -> String {
        let gap = self.marks.saturating_sub(marks.chars().count());
        let line = format!("{}  {marks}{:gap$}  {}", self.cut(label), "", clean(words));
        line.trim_end().to_owned() + "\n"
    }

    /// A label, as wide as all of them.
    fn cut(&self, label: &str) -> String {
        let label = clean(label);
        let length = label.chars().count();
        if length <= self.label {
            return format!("{label}{:1$}", "", self.label - length);
        }
        label.chars().take(self.label.saturating_sub(1)).chain(['…']).collect()
    }
}

/// Values laid over so many characters.
struct Ruler {
    log: bool,
    low: f64,
    high: f64,
    cells: usize,
}

impl Ruler {
    /// Reaches from the lowest to the highest value; None where nothing is known.
    fn new(axis: &Axis, values: impl Iterator<Item = f64>, cells: usize) -> Option<Self> {
        let log = axis.scale == Scale::Log;
        // Beyond those a logarithm has no place, and a picture no end.
        let values = values.filter(|value| value.is_finite() && (!log || *value > 0.0));
        let range = values.fold(None, |range: Option<(f64, f64)>, value| {
            let (low, high) = range.unwrap_or((value, value));
            Some((low.min(value), high.max(value)))
        });
        range.map(|(low, high)| Self { log, low, high, cells })
    }

    /// 0 to 1.
    fn share(&self, value: f64) -> f64 {
        let place = |value: f64| {
            if self.log {
                value.max(f64::MIN_POSITIVE).log10()
            } else {
                value
            }
        };
        let length = place(self.high) - place(self.low);
        if length > 0.0 {
            ((place(value) - place(self.low)) / length).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    fn cell(&self, value: f64) -> usize {
        (self.share(value) * (self.cells.saturating_sub(1)) as f64).round() as usize
    }
}

/// What was left out of a chart with too many rows.
fn left_out(rows: usize) -> String {
    match rows.saturating_sub(ROWS_MOST) {
        0 => String::new(),
        more => format!("… and {} more\n", format::count(more as u64)),
    }
}

#[cfg(test)]
mod tests;
