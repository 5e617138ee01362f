//! One row per transport: bars from 0, or dots along a logarithmic axis. Its name stands at the left, its value in words.

use plotters::element::{Circle, PathElement, Rectangle};
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::report::chart::{Axis, Bar, Dots, Group, Owner, Scale};

use super::scale::Ruler;
use super::{Canvas, GRID, INK, SMALL, TEXT, colour, text_width, write};

pub type Drawn = Result<(), plotters::drawing::DrawingAreaErrorKind<std::io::Error>>;

pub const PLOT_WIDTH: i32 = 480;
pub const ROW: i32 = 34;
pub const BAR: i32 = 20;
const HEADING: i32 = 26;
/// Ticks and label of the axis.
pub const BOTTOM: i32 = 46;
/// Between names, plot and words.
const GAP: i32 = 10;

pub fn bars_size(groups: &[Group]) -> (i32, i32) {
    let bars = || groups.iter().flat_map(|group| &group.bars);
    let width = left(bars().map(|bar| &bar.owner)) + PLOT_WIDTH + right(bars().map(|bar| bar.text.as_str()));
    (width, groups.iter().map(group_height).sum::<i32>() + BOTTOM)
}

pub fn dots_size(rows: &[Dots]) -> (i32, i32) {
    let width = left(rows.iter().map(|row| &row.owner)) + PLOT_WIDTH + right(rows.iter().map(|row| row.text.as_str()));
    (width, rows.len() as i32 * ROW + BOTTOM)
}

pub fn draw_bars(canvas: &Canvas, axis: &Axis, groups: &[Group]) -> Drawn {
    let bars = || groups.iter().flat_map(|group| &group.bars);
    let left = left(bars().map(|bar| &bar.owner));
    let values = bars().flat_map(|bar| bar.value.into_iter().chain(bar.range.map(|range| range.1)));
    let ruler = Ruler::new(axis, values, left, left + PLOT_WIDTH);
    let height = groups.iter().map(group_height).sum();
    grid(canvas, axis, &ruler, left, height)?;
    let mut top = 0;
    for group in groups {
        if !group.heading.is_empty() {
            write(
                canvas,
                &group.heading,
                (left + 8, top + HEADING / 2),
                SMALL,
                Pos::new(HPos::Left, VPos::Center),
            )?;
        }
        let first = top + group_height(group) - group.bars.len() as i32 * ROW;
        for (i, bar) in group.bars.iter().enumerate() {
            draw_bar(canvas, bar, &ruler, left, first + i as i32 * ROW + ROW / 2)?;
        }
        top += group_height(group);
    }
    Ok(())
}

pub fn draw_dots(canvas: &Canvas, axis: &Axis, rows: &[Dots]) -> Drawn {
    let left = left(rows.iter().map(|row| &row.owner));
    let values = rows.iter().flat_map(|row| row.dots.iter().filter_map(|dot| dot.value));
    let ruler = Ruler::new(axis, values, left, left + PLOT_WIDTH);
    grid(canvas, axis, &ruler, left, rows.len() as i32 * ROW)?;
    for (i, row) in rows.iter().enumerate() {
        let middle = i as i32 * ROW + ROW / 2;
        name(canvas, &row.owner, left, middle)?;
        draw_marks(canvas, row, &ruler, left + PLOT_WIDTH, middle)?;
        write(
            canvas,
            &row.text,
            (left + PLOT_WIDTH + GAP, middle),
            SMALL,
            Pos::new(HPos::Left, VPos::Center),
        )?;
    }
    Ok(())
}

fn draw_bar(canvas: &Canvas, bar: &Bar, ruler: &Ruler, left: i32, middle: i32) -> Drawn {
    name(canvas, &bar.owner, left, middle)?;
    let mut end = left;
    // Memory may shrink: what is below zero has its words and no bar.
    if let Some(value) = bar.value.filter(|value| *value > 0.0) {
        end = ruler.pixel(value);
        let corners = [(left, middle - BAR / 2), (end, middle + BAR / 2)];
        canvas.draw(&Rectangle::new(corners, colour(bar.owner.position).filled()))?;
    }
    if let Some((low, high)) = bar.range {
        let (low, high) = (ruler.pixel(low).max(left), ruler.pixel(high).max(left));
        canvas.draw(&PathElement::new([(low, middle), (high, middle)], INK.stroke_width(2)))?;
        for x in [low, high] {
            canvas.draw(&PathElement::new(
                [(x, middle - 4), (x, middle + 4)],
                INK.stroke_width(2),
            ))?;
        }
        end = end.max(high);
    }
    write(
        canvas,
        &bar.text,
        (end + 8, middle),
        TEXT,
        Pos::new(HPos::Left, VPos::Center),
    )
}

/// The first mark is filled, the others are rings; a lost one draws the line out to `edge`.
fn draw_marks(canvas: &Canvas, row: &Dots, ruler: &Ruler, edge: i32, middle: i32) -> Drawn {
    let ink = colour(row.owner.position);
    let marks: Vec<i32> = row
        .dots
        .iter()
        .filter_map(|dot| dot.value)
        .map(|value| ruler.pixel(value))
        .collect();
    let lost = row.dots.iter().any(|dot| dot.value.is_none());
    let first = marks.first().copied().unwrap_or(edge);
    let last = if lost {
        edge
    } else {
        marks.last().copied().unwrap_or(edge)
    };
    canvas.draw(&PathElement::new(
        [(first, middle), (last, middle)],
        ink.mix(0.5).stroke_width(2),
    ))?;
    for (i, x) in marks.into_iter().enumerate() {
        let style = if i == 0 { ink.filled() } else { ink.stroke_width(2) };
        canvas.draw(&Circle::new((x, middle), if i == 0 { 7 } else { 5 }, style))?;
    }
    Ok(())
}

pub fn grid(canvas: &Canvas, axis: &Axis, ruler: &Ruler, left: i32, height: i32) -> Drawn {
    for tick in &ruler.ticks {
        let x = ruler.pixel(tick.value);
        // Bars carry their values in words, which lines across the plot would strike through: they need the 0 alone.
        let top = if axis.scale == Scale::Log || tick.value == 0.0 {
            0
        } else {
            height
        };
        canvas.draw(&PathElement::new([(x, top), (x, height + 4)], GRID.stroke_width(1)))?;
        write(
            canvas,
            &tick.text,
            (x, height + 8),
            SMALL,
            Pos::new(HPos::Center, VPos::Top),
        )?;
    }
    canvas.draw(&PathElement::new(
        [(left, height), (left + PLOT_WIDTH, height)],
        GRID.stroke_width(1),
    ))?;
    let middle = left + PLOT_WIDTH / 2;
    write(
        canvas,
        &axis.label,
        (middle, height + 28),
        SMALL,
        Pos::new(HPos::Center, VPos::Top),
    )
}

pub fn name(canvas: &Canvas, owner: &Owner, left: i32, middle: i32) -> Drawn {
    write(
        canvas,
        &owner.label,
        (left - GAP, middle),
        TEXT,
        Pos::new(HPos::Right, VPos::Center),
    )
}

/// Names are never cut: the longest sets the room for all.
pub fn left<'a>(owners: impl Iterator<Item = &'a Owner>) -> i32 {
    owners
        .map(|owner| text_width(&owner.label, TEXT))
        .max()
        .unwrap_or(0)
        .max(60)
        + GAP
}

/// A bar may reach the plot's end, and its words follow it.
pub fn right<'a>(texts: impl Iterator<Item = &'a str>) -> i32 {
    texts.map(|text| text_width(text, TEXT)).max().unwrap_or(0).max(30) + GAP
}

fn group_height(group: &Group) -> i32 {
    let heading = if group.heading.is_empty() { 0 } else { HEADING };
    heading + group.bars.len() as i32 * ROW
}
