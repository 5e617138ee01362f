//! The table on stdout: one line per transport, its conditions above, and below only what a reader must know.
//!
//! Latency is that of the merged repeats; report.md has the repeats one by one.

use anyhow::Result;
use comfy_table::{CellAlignment, ContentArrangement, Table, TableComponent, presets};

use crate::record::RunRecord;

use super::describe;
use super::format::{bytes, known, number, quantile, share, time_us};
use super::summary::{Summary, summaries};

const COLUMNS: [&str; 9] = [
    "technique",
    "p50",
    "p99",
    "age\n(mean)",
    "reach",
    "requests\nper s",
    "bytes per\nupdate",
    "server CPU\nper update",
    "memory per\nclient",
];

/// The run as a table of at most `width` columns, with ANSI bold and dim when `color` is set. Ends with a line end.
///
/// # Errors
/// Names the row whose histogram cannot be read.
pub fn table(record: &RunRecord, width: usize, color: bool) -> Result<String> {
    let summaries = summaries(record)?;
    let mut out = String::new();
    out += &style(&clean(&describe::heading(&record.plan)), "1", color);
    out.push('\n');
    for parts in [describe::load(&record.plan), describe::conditions(&record.plan)] {
        for line in wrap(parts.iter().map(|part| clean(part)), " · ", width) {
            out += &style(&line, "2", color);
            out.push('\n');
        }
    }
    out.push('\n');
    out += &figures(&summaries, width);
    out.push('\n');
    let notes = describe::notes(record, &summaries);
    if !notes.is_empty() {
        out.push('\n');
    }
    for note in notes {
        for (i, line) in wrap(clean(&note).split(' ').map(str::to_owned), " ", width.saturating_sub(2))
            .into_iter()
            .enumerate()
        {
            out += &style(&format!("{} {line}", if i == 0 { "!" } else { " " }), "33", color);
            out.push('\n');
        }
    }
    Ok(out)
}

fn figures(summaries: &[Summary], width: usize) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_style(TableComponent::HeaderLines, '─')
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(u16::try_from(width).unwrap_or(u16::MAX));
    table.set_header(COLUMNS);
    table.add_rows(summaries.iter().map(cells));
    for (i, column) in table.column_iter_mut().enumerate() {
        // Two blanks between columns and none around them: nine columns fit into 100.
        column.set_padding(if i == 0 { (0, 0) } else { (2, 0) });
        column.set_cell_alignment(if i == 0 {
            CellAlignment::Left
        } else {
            CellAlignment::Right
        });
    }
    table.trim_fmt()
}

fn cells(summary: &Summary) -> Vec<String> {
    vec![
        clean(summary.label),
        known(summary.latency(0.5), quantile),
        known(summary.latency(0.99), quantile),
        known(summary.age_mean_us(), time_us),
        known(summary.reach(), share),
        known(summary.requests_per_s(), number),
        known(summary.bytes_per_update(), bytes),
        known(summary.server_cpu_us_per_update(), time_us),
        known(summary.server_rss_bytes_per_client(), bytes),
    ]
}

/// Joins `words` by `separator` into lines of at most `width` characters, unless one word alone is longer.
fn wrap(words: impl Iterator<Item = String>, separator: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.chars().count() + separator.chars().count() + word.chars().count() <= width => {
                *line += separator;
                *line += &word;
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// Words of the record may hold anything; a terminal gets no control characters from them.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn style(text: &str, code: &str, color: bool) -> String {
    if color {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}
