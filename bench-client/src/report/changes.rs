//! Two runs compared, in words: a table for the terminal, markdown for a pull request, JSON for programs.

use comfy_table::{CellAlignment, ContentArrangement, Table, TableComponent, presets};
use serde::Serialize;

use crate::statistics::{Change, Changes, Verdict};

use super::comparisons::{level, ratio, span};
use super::format::{bytes, of, plain, time_us};
use super::markdown::table::{escape, table};
use super::terminal::{clean, wrap};

/// Stands above every comparison of two runs.
const MEANWHILE: &str = "Two runs at different times also differ by what the machine did meanwhile: no interval of their repeats can show that.";

/// The terminal has it as a line of its own.
const FIGURE: &str = "figure";
const HEADERS: [&str; 8] = ["technique", FIGURE, "A", "B", "change", "interval", "level", "verdict"];

/// A comparison with what its reader must know.
#[derive(Serialize)]
pub struct Compared<'a> {
    /// Ids of the runs.
    pub a: &'a str,
    pub b: &'a str,
    /// What else differs between the runs.
    pub warnings: Vec<String>,
    #[serde(flatten)]
    pub found: Changes,
}

/// The comparison as JSON, with a line end.
///
/// # Errors
/// None that plain data can have.
pub fn json(compared: &Compared) -> anyhow::Result<String> {
    #[derive(Serialize)]
    struct Whole<'a> {
        regression: bool,
        note: &'a str,
        #[serde(flatten)]
        compared: &'a Compared<'a>,
    }
    let whole = Whole {
        regression: compared.found.is_regression(),
        note: MEANWHILE,
        compared,
    };
    Ok(serde_json::to_string_pretty(&whole)? + "\n")
}

pub fn terminal(compared: &Compared, width: usize) -> String {
    let mut out = format!("B {}\nagainst\nA {}\n\n", clean(compared.b), clean(compared.a));
    let paragraph = |mark: &str, text: &str| {
        let words = clean(text);
        let lines = wrap(words.split(' ').map(str::to_owned), " ", width.saturating_sub(2));
        lines.into_iter().enumerate().fold(String::new(), |text, (i, line)| {
            text + &format!("{} {line}\n", if i == 0 { mark } else { " " })
        })
    };
    for warning in compared.warnings.iter().map(String::as_str).chain([MEANWHILE]) {
        out += &paragraph("!", warning);
    }
    out += &format!("\n{}", rows(&compared.found.changes));
    for sentence in sentences(&compared.found) {
        out += &paragraph("=", &sentence);
    }
    out
}

/// A line per technique, under a line with the figure's name; empty when there are none.
fn rows(changes: &[Change]) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_style(TableComponent::HeaderLines, '─')
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(HEADERS.iter().filter(|header| **header != FIGURE));
    table.add_rows(changes.iter().map(|change| {
        let [technique, _, others @ ..] = cells(change).map(|cell| clean(&cell));
        [technique].into_iter().chain(others)
    }));
    for (i, column) in table.column_iter_mut().enumerate() {
        column.set_padding(if i == 0 { (0, 0) } else { (2, 0) });
        column.set_cell_alignment(if (1..6).contains(&i) {
            CellAlignment::Right
        } else {
            CellAlignment::Left
        });
    }
    if changes.is_empty() {
        return String::new();
    }
    let text = table.trim_fmt();
    let mut lines = text.lines();
    // The header and its rule.
    let mut out: String = lines.by_ref().take(2).map(|line| format!("{line}\n")).collect();
    let mut figure = "";
    for (line, change) in lines.zip(changes) {
        if change.described.label != figure {
            figure = change.described.label;
            out += &format!("{figure}\n");
        }
        out += &format!("{line}\n");
    }
    out + "\n"
}

pub fn markdown(compared: &Compared) -> String {
    let mut out = format!("## {} against {}\n\n", escape(compared.b), escape(compared.a));
    for warning in compared.warnings.iter().map(String::as_str).chain([MEANWHILE]) {
        out += &format!("> - {}\n", escape(warning));
    }
    let rows = compared.found.changes.iter().map(|change| cells(change).to_vec());
    let rows = table(&HEADERS, 2, rows);
    if !rows.is_empty() {
        out += &format!("\n{rows}");
    }
    out.push('\n');
    for sentence in sentences(&compared.found) {
        out += &format!("- {}\n", escape(&sentence));
    }
    out
}

fn cells(change: &Change) -> [String; 8] {
    let figure = |value: f64| {
        if change.metric.ends_with("_us") || change.metric.contains("_us_") {
            time_us(value)
        } else {
            bytes(value)
        }
    };
    [
        change.label.clone(),
        change.described.label.to_owned(),
        figure(change.a),
        figure(change.b),
        format!("× {}", ratio(change.ratio)),
        span(&change.interval),
        level(change.interval.level),
        verdict(change),
    ]
}

fn verdict(change: &Change) -> String {
    match change.verdict {
        Verdict::Lower => "better".to_owned(),
        Verdict::Higher if change.regression => "WORSE".to_owned(),
        Verdict::Higher => "worse within margin".to_owned(),
        Verdict::Equivalent => "equivalent".to_owned(),
        Verdict::Inconclusive { repeats: Some(repeats) } => format!("inconclusive, try {repeats}"),
        Verdict::Inconclusive { repeats: None } => "inconclusive".to_owned(),
    }
}

/// What it comes to: broken things first, then regressions, then how sure all of it is.
fn sentences(found: &Changes) -> Vec<String> {
    let mut said: Vec<String> = found
        .broken
        .iter()
        .map(|words| format!("REGRESSION: {words}."))
        .collect();
    for change in found.changes.iter().filter(|change| change.regression) {
        said.push(format!(
            "REGRESSION: {}, {}: {} times what it was ({} interval {}, {} and {} repeats), beyond the margin.",
            change.label,
            change.described.label,
            ratio(change.ratio),
            level(change.interval.level),
            span(&change.interval),
            change.repeats_a,
            change.repeats_b,
        ));
    }
    if said.is_empty() {
        let open = found
            .changes
            .iter()
            .filter(|change| matches!(change.verdict, Verdict::Inconclusive { .. }));
        said.push(match (found.changes.len(), open.count()) {
            (0, _) => "No figure could be compared: claims need two repeats or more on both sides.".to_owned(),
            (_, 0) => "No regression.".to_owned(),
            (all, open) => format!(
                "No regression was found; {open} of {} are inconclusive.",
                of(all as u64, "comparison", "comparisons")
            ),
        });
    }
    if !found.untested.is_empty() {
        said.push(format!("Too few repeats to compare: {}.", found.untested.join("; ")));
    }
    said.push(format!(
        "Welch's t on the logarithms of the repeats; all comparisons are one family (Holm), a wrong verdict among them has a chance of {} % at \
         most. Margin {} % either way.",
        plain(found.alpha * 100.0),
        plain((found.margin * 1e4).round() / 100.0),
    ));
    said
}
