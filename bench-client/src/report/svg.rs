//! Draws a [`Chart`] as SVG: charts/<id>.svg.
//!
//! ```text
//! Chart -> scale (values to pixels, ticks) -> lines | rows | stacks (plotters' shapes) -> + title, style -> SVG text
//! ```
//!
//! The background is transparent and the ink follows the reader's light or dark scheme: plotters writes colours as
//! attributes, and a style sheet in the file overrides the ink's. Widths of text are estimated, generously, since the
//! reader's font is not known here.

mod lines;
mod rows;
pub(super) mod scale;
mod stacks;

use anyhow::{Context, Result};
use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, IntoDrawingArea, RGBColor, SVGBackend};
use plotters::style::TextStyle;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::chart::{Chart, Plot};

type Canvas<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Text, and marks of no transport.
const INK: RGBColor = RGBColor(0x42, 0x4A, 0x53);
/// Grid lines.
const GRID: RGBColor = RGBColor(0xD0, 0xD7, 0xDE);
/// What INK and GRID become on a dark page.
const DARK_INK: &str = "#B7C0CA";
const DARK_GRID: &str = "#3A424C";
/// Okabe and Ito's colours for every kind of colour vision, without black and yellow, which one of the two schemes swallows.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0xD5, 0x5E, 0x00),
    RGBColor(0xCC, 0x79, 0xA7),
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0x00, 0x72, 0xB2),
    RGBColor(0x56, 0xB4, 0xE9),
    RGBColor(0xE6, 0x9F, 0x00),
    RGBColor(0x8C, 0x8C, 0x8C),
];
/// Text sizes, in pixels.
const TITLE: i32 = 17;
const TEXT: i32 = 13;
const SMALL: i32 = 12;
/// Blank edge all around.
const EDGE: i32 = 14;

/// Where what stands in a picture, in pixels.
pub struct Frame {
    pub width: i32,
    pub height: i32,
    /// Below title and caption.
    pub top: i32,
    caption: Vec<String>,
}

pub fn frame(chart: &Chart) -> Frame {
    let inner = match &chart.plot {
        Plot::Lines { lines, .. } => lines::size(lines),
        Plot::Bars { groups, .. } => rows::bars_size(groups),
        Plot::Stacks { layers, stacks, .. } => stacks::size(layers, stacks),
        Plot::Dots { rows, .. } => rows::dots_size(rows),
    };
    let width = inner.0 + 2 * EDGE;
    let caption = wrapped(&chart.caption, width - 2 * EDGE, SMALL);
    let top = EDGE + TITLE + 8 + caption.len() as i32 * (SMALL + 4) + 10;
    Frame {
        width,
        height: top + inner.1 + EDGE,
        top,
        caption,
    }
}

/// The chart as one SVG document.
///
/// # Errors
/// Names the chart that could not be drawn.
pub fn draw(chart: &Chart) -> Result<String> {
    let frame = frame(chart);
    let mut svg = String::new();
    paint(chart, &frame, &mut svg)
        .map_err(|error| anyhow::anyhow!("{error}"))
        .with_context(|| format!("could not draw the chart {}", chart.id))?;
    Ok(dressed(chart, (frame.width, frame.height), &svg))
}

fn paint(chart: &Chart, frame: &Frame, svg: &mut String) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let canvas = SVGBackend::with_string(svg, (frame.width as u32, frame.height as u32)).into_drawing_area();
    write(
        &canvas,
        &chart.title,
        (EDGE, EDGE),
        TITLE,
        Pos::new(HPos::Left, VPos::Top),
    )?;
    for (i, line) in frame.caption.iter().enumerate() {
        let y = EDGE + TITLE + 8 + i as i32 * (SMALL + 4);
        write(&canvas, line, (EDGE, y), SMALL, Pos::new(HPos::Left, VPos::Top))?;
    }
    let inner = canvas.margin(frame.top, EDGE, EDGE, EDGE);
    match &chart.plot {
        Plot::Lines { x, y, lines } => lines::draw(&inner, x, y, lines)?,
        Plot::Bars { axis, groups } => rows::draw_bars(&inner, axis, groups)?,
        Plot::Stacks { axis, layers, stacks } => stacks::draw(&inner, axis, layers, stacks)?,
        Plot::Dots { axis, rows } => rows::draw_dots(&inner, axis, rows)?,
    }
    canvas.present()?;
    Ok(())
}

/// What plotters does not write: a name for screen readers, a size that fits the page, fonts, and the two schemes.
fn dressed(chart: &Chart, (width, height): (i32, i32), svg: &str) -> String {
    let body = svg.split_once('>').map_or("", |(_, body)| body);
    let (title, caption) = (escaped(&chart.title), escaped(&chart.caption));
    let id = chart.id;
    let (ink, grid) = (hex(INK), hex(GRID));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" aria-labelledby=\"{id}-title {id}-desc\" class=\"chart\">\n\
         <title id=\"{id}-title\">{title}</title>\n\
         <desc id=\"{id}-desc\">{caption}</desc>\n\
         <style>\n\
         .chart {{ max-width: 100%; height: auto; }}\n\
         .chart text {{ font-family: system-ui, -apple-system, \"Segoe UI\", sans-serif; }}\n\
         @media (prefers-color-scheme: dark) {{\n\
         .chart [fill=\"{ink}\"] {{ fill: {DARK_INK}; }}\n\
         .chart [stroke=\"{ink}\"] {{ stroke: {DARK_INK}; }}\n\
         .chart [stroke=\"{grid}\"] {{ stroke: {DARK_GRID}; }}\n\
         }}\n\
         </style>{body}"
    )
}

/// A technique's colour as `#rrggbb`, for the drawers beside this one.
pub fn hex_colour(position: usize) -> String {
    hex(colour(position))
}

/// How many techniques have a colour of their own.
pub const COLOUR_COUNT: usize = COLOURS.len();

fn hex(RGBColor(r, g, b): RGBColor) -> String {
    format!("#{r:02X}{g:02X}{b:02X}")
}

fn colour(position: usize) -> RGBColor {
    COLOURS[position % COLOURS.len()]
}

/// Puts `text` at a point of `canvas`.
fn write(
    canvas: &Canvas,
    text: &str,
    at: (i32, i32),
    size: i32,
    anchor: Pos,
) -> Result<(), plotters::drawing::DrawingAreaErrorKind<std::io::Error>> {
    // The SVG backend divides the size by 1.24 on its way out.
    let style = TextStyle::from(("sans-serif", f64::from(size) * 1.24))
        .color(&INK)
        .pos(anchor);
    canvas.draw_text(text, &style, at)
}

/// An estimate, on the wide side: system fonts differ.
fn text_width(text: &str, size: i32) -> i32 {
    (text.chars().count() as f64 * f64::from(size) * 0.6).ceil() as i32
}

fn wrapped(text: &str, width: i32, size: i32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if text_width(line, size) + text_width(word, size) + size <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn escaped(text: &str) -> String {
    // XML has no place for control characters.
    let text = text.replace(char::is_control, " ");
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{chart, fixture};

    fn charts() -> Vec<Chart> {
        let mut record = fixture::record();
        record.transports[1].label = "Long polling <&> \"friends\", with quite a long name".to_owned();
        chart::all(&record).unwrap()
    }

    #[test]
    fn every_chart_names_itself_and_follows_the_scheme() {
        for chart in charts() {
            let svg = draw(&chart).unwrap();
            for part in [
                "role=\"img\"",
                "<title ",
                "<desc ",
                "prefers-color-scheme: dark",
                "system-ui",
                "&lt;&amp;&gt;",
            ] {
                assert!(svg.contains(part), "{} lacks {part}", chart.id);
            }
            assert_eq!(svg.matches("<svg").count(), 1);
            assert!(svg.ends_with("</svg>\n"));
            assert!(
                !svg.contains("#000000") && !svg.contains("NaN") && !svg.contains("<&>"),
                "{}",
                chart.id
            );
        }
    }

    #[test]
    fn bars_carry_their_values_and_a_transport_keeps_its_colour() {
        let charts = charts();
        let bytes = draw(charts.iter().find(|chart| chart.id == "bytes-per-update").unwrap()).unwrap();
        assert!(bytes.contains("1.09 KiB") && bytes.contains("204 B"));
        // No bar is drawn for the push techniques' 0 requests.
        for chart in charts
            .into_iter()
            .filter(|chart| !chart.id.starts_with("requests-per-"))
        {
            assert!(
                draw(&chart).unwrap().contains("#0072B2"),
                "WebSocket is blue in {}",
                chart.id
            );
        }
    }

    #[test]
    fn nothing_is_drawn_outside() {
        let mut shrunk = fixture::record();
        for row in &mut shrunk.rows {
            row.figures.server_rss_bytes_per_client = Some(-300.0 * f64::from(row.figures.repeat));
        }
        for chart in charts().into_iter().chain(chart::all(&shrunk).unwrap()) {
            let svg = draw(&chart).unwrap();
            let number = |text: &str| text.trim_matches('"').parse::<f64>().ok();
            let width = svg
                .split("width=\"")
                .nth(1)
                .and_then(|rest| number(rest.split('"').next()?))
                .unwrap();
            for x in svg
                .split([' ', '\n'])
                .filter_map(|attribute| number(attribute.strip_prefix("x=").or_else(|| attribute.strip_prefix("x1="))?))
            {
                assert!((0.0..=width).contains(&x), "{}: x {x} of {width}", chart.id);
            }
        }
    }
}
