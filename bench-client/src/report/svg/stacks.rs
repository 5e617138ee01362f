//! One bar per transport, made of parts in a row: each layer is a shade of the transport's colour, and a legend names the shades.

use plotters::element::Rectangle;
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::report::chart::{Axis, Stack};

use super::rows::{self, BAR, BOTTOM, Drawn, PLOT_WIDTH, ROW};
use super::scale::Ruler;
use super::{Canvas, INK, SMALL, TEXT, colour, text_width, write};

const LEGEND: i32 = 26;
const SWATCH: i32 = 14;
/// Between two parts, so that shades are told apart where they meet.
const SEAM: i32 = 1;

pub fn size(layers: &[&str], stacks: &[Stack]) -> (i32, i32) {
    let (left, right) = edges(stacks);
    let legend = left + legend(layers).last().map_or(0, |(x, name)| x + legend_width(name));
    let height = LEGEND + stacks.len() as i32 * ROW + BOTTOM;
    ((left + PLOT_WIDTH + right).max(legend), height)
}

pub fn draw(canvas: &Canvas, axis: &Axis, layers: &[&str], stacks: &[Stack]) -> Drawn {
    let (left, _) = edges(stacks);
    for (i, (x, name)) in legend(layers).into_iter().enumerate() {
        let (x, middle) = (left + x, LEGEND / 2 - 2);
        let corners = [(x, middle - SWATCH / 2), (x + SWATCH, middle + SWATCH / 2)];
        canvas.draw(&Rectangle::new(corners, INK.mix(shade(i, layers.len())).filled()))?;
        write(
            canvas,
            name,
            (x + SWATCH + 6, middle),
            SMALL,
            Pos::new(HPos::Left, VPos::Center),
        )?;
    }
    let canvas = canvas.margin(LEGEND, 0, 0, 0);
    let totals = stacks.iter().map(|stack| stack.parts.iter().sum::<f64>());
    let ruler = Ruler::new(axis, totals, left, left + PLOT_WIDTH);
    rows::grid(&canvas, axis, &ruler, left, stacks.len() as i32 * ROW)?;
    for (i, stack) in stacks.iter().enumerate() {
        draw_stack(&canvas, stack, &ruler, (left, i as i32 * ROW + ROW / 2), layers.len())?;
    }
    Ok(())
}

fn draw_stack(canvas: &Canvas, stack: &Stack, ruler: &Ruler, (left, middle): (i32, i32), layers: usize) -> Drawn {
    rows::name(canvas, &stack.owner, left, middle)?;
    let (mut sum, mut end) = (0.0, left);
    for (i, part) in stack.parts.iter().enumerate() {
        sum += part;
        let to = ruler.pixel(sum);
        // A part too thin to be seen is in the words alone.
        if to - SEAM > end {
            let corners = [(end, middle - BAR / 2), (to - SEAM, middle + BAR / 2)];
            let shade = colour(stack.owner.position).mix(shade(i, layers));
            canvas.draw(&Rectangle::new(corners, shade.filled()))?;
        }
        end = to;
    }
    write(
        canvas,
        &stack.text,
        (end + 8, middle),
        TEXT,
        Pos::new(HPos::Left, VPos::Center),
    )
}

/// From full colour to a light one, the same steps on a light and on a dark page.
fn shade(layer: usize, layers: usize) -> f64 {
    const LIGHTEST: f64 = 0.3;
    1.0 - (1.0 - LIGHTEST) * layer as f64 / (layers.max(2) - 1) as f64
}

/// Where each layer's name begins.
fn legend<'a>(layers: &[&'a str]) -> Vec<(i32, &'a str)> {
    let mut x = 0;
    let mut places = Vec::new();
    for name in layers {
        places.push((x, *name));
        x += legend_width(name);
    }
    places
}

fn legend_width(name: &str) -> i32 {
    SWATCH + 6 + text_width(name, SMALL) + 18
}

fn edges(stacks: &[Stack]) -> (i32, i32) {
    (
        rows::left(stacks.iter().map(|stack| &stack.owner)),
        rows::right(stacks.iter().map(|stack| stack.text.as_str())),
    )
}
