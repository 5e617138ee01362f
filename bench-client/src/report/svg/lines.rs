//! Lines over a grid, with a legend above.

use plotters::element::{Circle, DashedPathElement, PathElement, Polygon};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, ShapeStyle};

use crate::report::chart::{Axis, Line, Owner};

use super::scale::Ruler;
use super::{COLOUR_COUNT, Canvas, GRID, SMALL, TEXT, colour, text_width, write};

type Drawn = Result<(), plotters::drawing::DrawingAreaErrorKind<std::io::Error>>;

const WIDTH: i32 = 780;
const PLOT_HEIGHT: i32 = 320;
/// Room for the vertical axis' ticks.
const LEFT: i32 = 76;
/// Room for half of the last tick's words.
const RIGHT: i32 = 36;
/// Ticks and label of the horizontal axis.
const BOTTOM: i32 = 46;
const LEGEND_LINE: i32 = 22;
/// The vertical axis' label.
const LABEL: i32 = 26;
/// Pixels between two marks of a line.
const MARKS_EVERY: i32 = 96;
/// Dash and gap of each variant's line, in the order of plotly/lines.rs; the first is solid.
const DASHES: [(i32, i32); 6] = [(0, 0), (6, 4), (2, 4), (14, 5), (9, 12), (4, 10)];

pub fn size(lines: &[Line]) -> (i32, i32) {
    let places = legend(lines);
    let widest = places
        .iter()
        .map(|(x, _, owner)| x + legend_width(owner))
        .max()
        .unwrap_or(0);
    (WIDTH.max(widest), legend_height(lines) + LABEL + PLOT_HEIGHT + BOTTOM)
}

pub fn draw(canvas: &Canvas, x: &Axis, y: &Axis, lines: &[Line]) -> Drawn {
    for (left, line, owner) in legend(lines) {
        let middle = line * LEGEND_LINE + LEGEND_LINE / 2;
        path(canvas, vec![(left, middle), (left + 22, middle)], owner, 3)?;
        mark(canvas, (left + 11, middle), owner)?;
        write(
            canvas,
            &owner.label,
            (left + 28, middle),
            TEXT,
            Pos::new(HPos::Left, VPos::Center),
        )?;
    }
    let top = legend_height(lines) + LABEL;
    let bottom = top + PLOT_HEIGHT;
    let points = || lines.iter().flat_map(|line| &line.points);
    let across = Ruler::new(x, points().map(|point| point.0), LEFT, WIDTH - RIGHT);
    let up = Ruler::new(y, points().filter_map(|point| point.1), bottom, top);
    grid(canvas, (&across, x), (&up, y), (top, bottom))?;
    for line in lines {
        draw_line(canvas, line, &across, &up)?;
    }
    Ok(())
}

fn grid(canvas: &Canvas, (across, x): (&Ruler, &Axis), (up, y): (&Ruler, &Axis), (top, bottom): (i32, i32)) -> Drawn {
    let right = WIDTH - RIGHT;
    // Right above the ticks, unless its words would begin outside the picture.
    let (left, side) = match text_width(&y.label, SMALL) > LEFT - 8 {
        true => (0, HPos::Left),
        false => (LEFT - 8, HPos::Right),
    };
    write(canvas, &y.label, (left, top - LABEL), SMALL, Pos::new(side, VPos::Top))?;
    for tick in &up.ticks {
        let at = up.pixel(tick.value);
        canvas.draw(&PathElement::new([(LEFT, at), (right, at)], GRID.stroke_width(1)))?;
        write(
            canvas,
            &tick.text,
            (LEFT - 8, at),
            SMALL,
            Pos::new(HPos::Right, VPos::Center),
        )?;
    }
    for tick in &across.ticks {
        let at = across.pixel(tick.value);
        canvas.draw(&PathElement::new([(at, top), (at, bottom + 4)], GRID.stroke_width(1)))?;
        write(
            canvas,
            &tick.text,
            (at, bottom + 8),
            SMALL,
            Pos::new(HPos::Center, VPos::Top),
        )?;
    }
    write(
        canvas,
        &x.label,
        ((LEFT + right) / 2, bottom + 28),
        SMALL,
        Pos::new(HPos::Center, VPos::Top),
    )
}

fn draw_line(canvas: &Canvas, line: &Line, across: &Ruler, up: &Ruler) -> Drawn {
    // Gaps cut the line into pieces; a piece of one point is a dot.
    for piece in line.points.split(|(_, y)| y.is_none()) {
        let pixels: Vec<(i32, i32)> = piece
            .iter()
            .filter_map(|(x, y)| Some((across.pixel(*x), up.pixel((*y)?))))
            .collect();
        match pixels.as_slice() {
            [] => {}
            [alone] => mark(canvas, *alone, &line.owner)?,
            _ => {
                for at in marked(&pixels, line.owner.place) {
                    mark(canvas, at, &line.owner)?;
                }
                path(canvas, pixels, &line.owner, 2)?;
            }
        }
    }
    if let (true, Some((x, Some(y)))) = (line.lost, line.points.last()) {
        let end = (across.pixel(*x), up.pixel(*y));
        canvas.draw(&Circle::new(end, 4, stroke(&line.owner, 2)))?;
        write(
            canvas,
            "lost",
            (end.0 + 9, end.1),
            SMALL,
            Pos::new(HPos::Left, VPos::Center),
        )?;
    }
    Ok(())
}

/// Where a line carries marks: every so far, each technique's a little further on, so that they don't cover each other.
fn marked(pixels: &[(i32, i32)], position: usize) -> Vec<(i32, i32)> {
    let mut next = pixels[0].0 + position as i32 * MARKS_EVERY / 4 % MARKS_EVERY;
    let mut marked = Vec::new();
    for at in pixels {
        if at.0 >= next {
            marked.push(*at);
            next = at.0 + MARKS_EVERY;
        }
    }
    marked
}

/// Each technique has a shape of its own, for who does not tell the colours apart.
fn mark(canvas: &Canvas, (x, y): (i32, i32), owner: &Owner) -> Drawn {
    let ink = colour(owner.position).filled();
    let corners: &[(i32, i32)] = match owner.place % 5 {
        0 => return canvas.draw(&Circle::new((x, y), 4, ink)),
        1 => &[(-4, -4), (4, -4), (4, 4), (-4, 4)],
        2 => &[(0, -6), (6, 0), (0, 6), (-6, 0)],
        3 => &[(0, -5), (5, 4), (-5, 4)],
        _ => &[(0, 5), (5, -4), (-5, -4)],
    };
    let corners: Vec<(i32, i32)> = corners.iter().map(|(right, down)| (x + right, y + down)).collect();
    canvas.draw(&Polygon::new(corners, ink))
}

/// Techniques that share a colour, and variants of one, have dashes of their own.
fn path(canvas: &Canvas, pixels: Vec<(i32, i32)>, owner: &Owner, width: u32) -> Drawn {
    let style = stroke(owner, width);
    match DASHES[(owner.variant_position + owner.position / COLOUR_COUNT) % DASHES.len()] {
        (0, _) => canvas.draw(&PathElement::new(pixels, style)),
        (dash, gap) => canvas.draw(&DashedPathElement::new(pixels, dash, gap, style)),
    }
}

fn stroke(owner: &Owner, width: u32) -> ShapeStyle {
    colour(owner.position).stroke_width(width)
}

/// Where each transport's entry stands: x, line, whose. A transport with several lines has one entry.
fn legend(lines: &[Line]) -> Vec<(i32, i32, &Owner)> {
    let mut owners: Vec<&Owner> = Vec::new();
    for line in lines {
        if !owners.contains(&&line.owner) {
            owners.push(&line.owner);
        }
    }
    let (mut x, mut line) = (0, 0);
    let place = |owner| {
        if x > 0 && x + legend_width(owner) > WIDTH {
            (x, line) = (0, line + 1);
        }
        let place = (x, line, owner);
        x += legend_width(owner);
        place
    };
    owners.into_iter().map(place).collect()
}

fn legend_width(owner: &Owner) -> i32 {
    28 + text_width(&owner.label, TEXT) + 16
}

fn legend_height(lines: &[Line]) -> i32 {
    legend(lines)
        .last()
        .map_or(0, |(_, line, _)| (line + 1) * LEGEND_LINE + 8)
}
