//! Lines: over a logarithmic axis their values at its powers of ten, over a linear one a row of blocks each.

use crate::report::chart::{Axis, Line, Scale};
use crate::report::format::UNKNOWN;

use super::{Columns, ROWS_MOST, Ruler, left_out};

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Columns of values beside the label.
const DECADES_MOST: i32 = 6;
/// A point's place on the axis is the decade's when it is no farther off than rounding.
const SAME: f64 = 1e-6;
/// More points than that share a block.
const BLOCKS_MOST: usize = 48;

pub fn lines(x: &Axis, y: &Axis, lines: &[Line]) -> String {
    if x.scale == Scale::Log {
        at_decades(x, y, lines)
    } else {
        sparklines(x, y, lines)
    }
}

/// Powers of ten have points of their own, so nothing is read off between two.
fn at_decades(x: &Axis, y: &Axis, lines: &[Line]) -> String {
    let places = || lines.iter().flat_map(|line| line.points.iter().map(|(x, _)| *x));
    let exponent = |x: f64| {
        let exponent = x.log10().round();
        ((x.log10() - exponent).abs() < SAME).then_some(exponent as i32)
    };
    let mut decades: Vec<i32> = places().filter(|x| *x > 1.0).filter_map(exponent).collect();
    decades.sort_unstable();
    decades.dedup();
    decades.truncate(DECADES_MOST as usize);
    let value = |line: &Line, decade: i32| {
        let at = line.points.iter().find(|(x, _)| exponent(*x) == Some(decade));
        match at {
            Some((_, Some(y_value))) => y.unit.words(*y_value),
            None if line.lost => "lost".to_owned(),
            _ => UNKNOWN.to_owned(),
        }
    };
    let header: Vec<String> = decades.iter().map(|decade| x.unit.words(10f64.powi(*decade))).collect();
    let rows: Vec<Vec<String>> = lines
        .iter()
        .take(ROWS_MOST)
        .map(|line| decades.iter().map(|decade| value(line, *decade)).collect())
        .collect();
    let cells = rows.iter().chain([&header]).flatten();
    let width = cells.map(|cell| cell.chars().count()).max().unwrap_or(0) + 2;
    let joined = |row: &[String]| row.iter().map(|cell| format!("{cell:>width$}")).collect::<String>();
    let columns = Columns::of(lines.iter().map(|line| line.owner.label.as_str()), [0].into_iter());
    let mut out = columns.row("", &joined(&header), "");
    for (line, row) in lines.iter().zip(&rows) {
        out += &columns.row(&line.owner.label, &joined(row), "");
    }
    out + &left_out(lines.len())
}

fn sparklines(x: &Axis, y: &Axis, lines: &[Line]) -> String {
    let blocks: Vec<Vec<Option<f64>>> = lines.iter().take(ROWS_MOST).map(blocks).collect();
    let said: Vec<String> = blocks.iter().map(|blocks| range(y, blocks)).collect();
    let widest = blocks.iter().map(Vec::len).max().unwrap_or(0);
    let values = || blocks.iter().flatten().flatten().copied();
    let Some(ruler) = Ruler::new(y, values(), BLOCKS.len()) else {
        return String::new();
    };
    let labels = lines.iter().map(|line| line.owner.label.as_str());
    let columns = Columns {
        marks: widest,
        ..Columns::of(labels, said.iter().map(|said| said.chars().count()))
    };
    let mut out = String::new();
    for ((line, blocks), said) in lines.iter().zip(&blocks).zip(&said) {
        let mark = |value: &Option<f64>| value.map_or(' ', |value| BLOCKS[ruler.cell(value)]);
        out += &columns.row(&line.owner.label, &blocks.iter().map(mark).collect::<String>(), said);
    }
    let places = || lines.iter().flat_map(|line| line.points.iter().map(|(x, _)| *x));
    let (from, to) = (places().fold(f64::MAX, f64::min), places().fold(f64::MIN, f64::max));
    let scale = if y.scale == Scale::Log { ", logarithmic" } else { "" };
    out += &format!(
        "from left to right: {} to {}; from ▁ {} to █ {}{scale}\n",
        x.unit.words(from),
        x.unit.words(to),
        y.unit.words(ruler.low),
        y.unit.words(ruler.high),
    );
    out + &left_out(lines.len())
}

/// A value per point; of points that share a block the highest, so that no peak is hidden.
fn blocks(line: &Line) -> Vec<Option<f64>> {
    let each = line.points.len().div_ceil(BLOCKS_MOST).max(1);
    let highest = |points: &[(f64, Option<f64>)]| points.iter().filter_map(|(_, y)| *y).reduce(f64::max);
    line.points.chunks(each).map(highest).collect()
}

fn range(y: &Axis, blocks: &[Option<f64>]) -> String {
    let known = || blocks.iter().flatten().copied();
    match (known().reduce(f64::min), known().reduce(f64::max)) {
        (Some(low), Some(high)) => crate::report::format::range((low, high), |value| y.unit.words(value)),
        _ => UNKNOWN.to_owned(),
    }
}
