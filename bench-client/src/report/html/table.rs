//! Tables of the page: what report.md's tables, the one on top and the charts' figures become. A cell carries the number its words stand for, so that
//! the page's script can sort by it.

use askama::Template;
use pulldown_cmark::{Alignment, Event, html as writer};

/// Behind every time there is, in µs: 30,000 years.
const LOST: f64 = 1e18;

#[derive(Template)]
#[template(path = "table.html")]
pub struct Table {
    /// For who cannot see where it stands.
    name: String,
    /// Whether a column's words stand at its right edge.
    right: Vec<bool>,
    pub head: Vec<Cell>,
    pub rows: Vec<Vec<Cell>>,
    /// Cells of the row that is being read.
    pub open: Vec<Cell>,
}

/// Words of a table, ready as HTML, and their number.
pub struct Cell {
    html: String,
    value: Option<f64>,
}

impl Cell {
    /// Of words that mean nothing but themselves.
    pub fn of(text: &str) -> Self {
        let mut html = String::new();
        writer::push_html(&mut html, std::iter::once(Event::Text(text.into())));
        Self::of_html(html, text)
    }

    /// Of HTML; its words without markup tell the number. A verdict gets its colour.
    pub fn of_html(html: String, text: &str) -> Self {
        let html = match text {
            "VALID" | "SUSPECT" | "INVALID" | "FAILED" => {
                format!("<span class=\"badge {}\">{text}</span>", text.to_lowercase())
            }
            _ => html,
        };
        let value = value(text);
        Self { html, value }
    }
}

impl Table {
    pub fn new(alignments: &[Alignment], name: &str) -> Self {
        Self::with_columns(alignments.iter().map(|one| *one == Alignment::Right).collect(), name)
    }

    fn with_columns(right: Vec<bool>, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            right,
            head: Vec::new(),
            rows: Vec::new(),
            open: Vec::new(),
        }
    }

    /// Its first `left` columns at the left, the others at the right.
    pub fn of(name: &str, head: &[String], left: usize, rows: Vec<Vec<Cell>>) -> Self {
        Self {
            head: head.iter().map(|text| Cell::of(text)).collect(),
            rows,
            ..Self::with_columns((0..head.len()).map(|i| i >= left).collect(), name)
        }
    }

    fn class(&self, column: &usize) -> &'static str {
        if self.right.get(*column) == Some(&true) {
            "right"
        } else {
            "left"
        }
    }

    pub fn html(&self) -> String {
        // Every part is a string already: nothing in it can fail.
        self.render().unwrap_or_default()
    }
}

/// The number that printed words stand for, in one unit for all of a kind; None of words and of what is unknown. What is lost is the
/// longest of all, a range counts by its lower end.
fn value(text: &str) -> Option<f64> {
    let text = text.trim();
    if text == "lost" {
        return Some(LOST);
    }
    let text = text.strip_prefix("< ").unwrap_or(text);
    let mut words = text.split(' ');
    let number: f64 = words.next()?.replace(',', "").parse().ok()?;
    let size = match words.next() {
        Some("ms") => 1e3,
        Some("s") => 1e6,
        Some("KiB") => 1024.0,
        Some("MiB") => 1_048_576.0,
        Some("GiB") => 1_073_741_824.0,
        _ => 1.0,
    };
    number.is_finite().then_some(number * size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_sort_by_what_they_stand_for() {
        for (text, number) in [
            ("85.0 µs", Some(85.0)),
            ("30.3 ms", Some(30_300.0)),
            ("1.00 s", Some(1e6)),
            ("29.3 ms – 31.9 ms", Some(29_300.0)),
            ("1,003 B", Some(1003.0)),
            ("4.50 KiB", Some(4608.0)),
            ("< 0.01 %", Some(0.01)),
            ("-300 B", Some(-300.0)),
            ("lost", Some(LOST)),
            ("–", None),
            ("ok", None),
            ("NaN", None),
        ] {
            assert_eq!(value(text), number, "{text}");
        }
    }
}
