//! Two runs compared, in words: a table for the terminal, markdown for a pull request, JSON for programs.

use comfy_table::{CellAlignment, ContentArrangement, Table, TableComponent, presets};
use serde::Serialize;

use crate::statistics::{Change, RunChanges, Verdict};

use super::comparisons::{interval, is_point, level, range, ratio, span};
use super::format::{bytes, of, plain, time_us};
use super::markdown::table::{escape, table};
use super::terminal::{clean, wrap};

/// Stands above every comparison of two runs.
const MEANWHILE: &str = "Two runs at different times also differ by what the machine did meanwhile: no interval of their repeats can show that.";

/// The margin of who names none: two runs at different times differ by more than two techniques of one run.
pub const DEFAULT_MARGIN: f64 = 0.1;

/// The terminal has it as a line of its own.
const FIGURE: &str = "figure";
const HEADERS: [&str; 8] = [
    "technique",
    FIGURE,
    "A",
    "B",
    "B / A",
    "its interval",
    "level",
    "verdict",
];

/// A comparison with what its reader must know.
#[derive(Serialize)]
pub struct Compared<'a> {
    /// Ids of the runs.
    pub a: &'a str,
    pub b: &'a str,
    /// What else differs between the runs.
    pub warnings: Vec<String>,
    #[serde(flatten)]
    pub found: RunChanges,
}

/// The comparison as JSON, with a line end.
///
/// # Errors
/// None that plain data can have.
pub fn json(compared: &Compared) -> anyhow::Result<String> {
    #[derive(Serialize)]
    struct Whole<'a> {
        /// False where B says nothing of the software: then the exit code is 4.
        measurement: bool,
        regression: bool,
        note: &'a str,
        #[serde(flatten)]
        compared: &'a Compared<'a>,
    }
    let whole = Whole {
        measurement: compared.found.is_measurement(),
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
    out += &format!("\n{}", rows(&compared.found.changes, width));
    for sentence in sentences(&compared.found) {
        out += &paragraph("=", &sentence);
    }
    out
}

/// How much a table's cells say.
#[derive(Clone, Copy)]
enum Words {
    Whole,
    Short,
    /// Numbers of repeats are left to the sentences.
    Bare,
}

/// The table with as many words as its width allows; empty when there are no changes.
fn rows(changes: &[Change], width: usize) -> String {
    let fits = |text: &String| text.lines().all(|line| line.chars().count() <= width);
    let tables = [Words::Whole, Words::Short].map(|words| rows_in(changes, words));
    tables
        .into_iter()
        .find(fits)
        .unwrap_or_else(|| rows_in(changes, Words::Bare))
}

/// A line per technique, under a line with the figure's name.
fn rows_in(changes: &[Change], words: Words) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_style(TableComponent::HeaderLines, '─')
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(HEADERS.iter().filter(|header| **header != FIGURE));
    table.add_rows(changes.iter().map(|change| {
        let [technique, _, others @ ..] = cells(change, words).map(|cell| clean(&cell));
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
    let rows = compared
        .found
        .changes
        .iter()
        .map(|change| cells(change, Words::Whole).to_vec());
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

fn cells(change: &Change, words: Words) -> [String; 8] {
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
        narrow(ratio(change.ratio), words),
        narrow(span(&change.interval), words),
        level(change.interval.level),
        verdict(change, words),
    ]
}

/// Ratios too great or too small to print, in fewer letters.
fn narrow(text: String, words: Words) -> String {
    match words {
        Words::Whole => text,
        Words::Short | Words::Bare => text.replace("over ", ">").replace("under ", "<"),
    }
}

fn verdict(change: &Change, words: Words) -> String {
    match change.verdict {
        Verdict::Lower => "better".to_owned(),
        Verdict::Higher => match (change.regression, words) {
            (true, Words::Whole) => "WORSE, estimate beyond the margin".to_owned(),
            (true, _) => "WORSE".to_owned(),
            (false, Words::Whole) => "worse, estimate within the margin".to_owned(),
            (false, Words::Short | Words::Bare) => "worse".to_owned(),
        },
        Verdict::Equivalent => "equivalent".to_owned(),
        Verdict::Inconclusive { repeats: Some(repeats) } => match words {
            Words::Whole => format!("inconclusive; {repeats} repeats each"),
            Words::Short => format!("inconclusive; {repeats} each"),
            Words::Bare => "inconclusive".to_owned(),
        },
        Verdict::Inconclusive { repeats: None } => "inconclusive".to_owned(),
    }
}

/// What it comes to: broken things first, then regressions, then how sure all of it is.
fn sentences(found: &RunChanges) -> Vec<String> {
    let mut said = Vec::new();
    if !found.invalid.is_empty() {
        said.push(format!("B is no measurement: {}.", found.invalid.join("; ")));
    } else if !found.is_measurement() {
        said.push(
            "No measurement: no figure could be compared, claims need two repeats or more on both sides.".to_owned(),
        );
    }
    said.extend(found.broken.iter().map(|words| format!("REGRESSION: {words}.")));
    let worse = |regression: bool| {
        let worse = found.changes.iter().filter(|change| change.verdict == Verdict::Higher);
        worse.filter(move |change| change.regression == regression)
    };
    for change in worse(true) {
        said.push(format!(
            "REGRESSION: {}; worse; the estimate is beyond the margin.",
            times(change)
        ));
    }
    for change in worse(false) {
        said.push(format!("{}; worse, estimate within the margin.", times(change)));
    }
    let needed = found.changes.iter().filter_map(|change| match change.verdict {
        Verdict::Inconclusive { repeats } => Some(repeats),
        _ => None,
    });
    let needed: Vec<Option<u32>> = needed.collect();
    if !found.is_regression() && !found.changes.is_empty() {
        said.push(match needed.len() {
            0 => "No regression.".to_owned(),
            open => format!(
                "No regression was found; {open} of {} are inconclusive.",
                of(found.changes.len() as u64, "comparison", "comparisons")
            ),
        });
    }
    if let Some(most) = needed.iter().flatten().max() {
        said.push(format!(
            "{most} repeats of each run would probably settle what is inconclusive{}.",
            if needed.contains(&None) {
                ", but for what takes more than 200"
            } else {
                ""
            }
        ));
    }
    if !found.untested.is_empty() {
        said.push(format!("Not compared: {}.", found.untested.join("; ")));
    }
    said.push(format!(
        "Intervals are of the ratio B / A: Welch's t on the logarithms of the repeats, at the degrees of freedom of the run that has \
         fewer. All comparisons are one family (Holm). Apart from what the machine did meanwhile, and if repeats scatter log-normally and \
         independently, the chance that any change is claimed where there is none is {} % at most. Worse: the interval excludes no change; \
         a regression: the estimate is beyond the margin as well. Margin {} %: {} is no change worth acting on.",
        plain(found.alpha * 100.0),
        plain((found.margin * 1e4).round() / 100.0),
        range(found.margin),
    ));
    said
}

/// `Server-Sent Events, latency p99: 1.50 times what it was (99.79 % interval 1.43 to 1.58, 4 and 4 repeats)`.
fn times(change: &Change) -> String {
    let sure = if is_point(&change.interval) {
        format!("the same in all {} and {} repeats", change.repeats_a, change.repeats_b)
    } else {
        let sure = interval(&change.interval);
        format!("{sure}, {} and {} repeats", change.repeats_a, change.repeats_b)
    };
    format!(
        "{}, {}: {} times what it was ({sure})",
        change.label,
        change.described.label,
        ratio(change.ratio)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        record::{Quantile, RunStatus},
        report::fixture,
        statistics::between_runs,
    };

    /// Two repeats that scatter by a factor of thirty, four techniques: intervals so wide that they say nothing.
    #[test]
    fn intervals_that_say_nothing_keep_the_width() {
        let mut a = fixture::record();
        a.status = RunStatus::Finished;
        a.rows.truncate(4);
        for i in 0..4 {
            let mut row = a.rows[i].clone();
            row.figures.repeat = 2;
            a.rows.push(row);
        }
        for row in &mut a.rows {
            row.figures.validity = None;
        }
        let mut b = a.clone();
        b.id = "20260302T120000Z-live-score".to_owned();
        for (i, row) in b.rows.iter_mut().enumerate() {
            let by = if i < 4 { 30.0 } else { 0.9 + i as f64 / 100.0 };
            let times = |us: Option<Quantile>| {
                us.and_then(Quantile::us)
                    .map(|us| Quantile::Us((us as f64 * by) as u64))
            };
            row.figures.latency_p50_us = times(row.figures.latency_p50_us);
            row.figures.latency_p99_us = times(row.figures.latency_p99_us);
            row.figures.server_cpu_us_per_update = row.figures.server_cpu_us_per_update.map(|us| us * by);
        }
        let compared = Compared {
            a: &a.id,
            b: &b.id,
            warnings: Vec::new(),
            found: between_runs(&a, &b, 0.1),
        };
        let text = terminal(&compared, 100);
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        insta::assert_snapshot!("wide_terminal", text);
        // A pull request has room for the words.
        assert!(markdown(&compared).contains("under 1/10,000 to over 10,000"));
    }
}
