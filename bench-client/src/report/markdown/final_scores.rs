//! The final scores of a replay, folded, and once for all rows that show the same.

use crate::record::{FinalScore, RunRecord};
use crate::report::final_scores::verdict;
use crate::report::format::UNKNOWN;
use crate::report::summary::row_label;

use super::table::{escape, table};

pub fn final_scores(record: &RunRecord) -> String {
    match parts(record) {
        Some((words, tables)) => {
            format!("{words}\n<details>\n<summary>Match by match</summary>\n\n{tables}</details>\n")
        }
        None => String::new(),
    }
}

/// The same for a page that folds sections itself.
pub fn unfolded(record: &RunRecord) -> String {
    parts(record).map_or_else(String::new, |(words, tables)| format!("{words}\n{tables}"))
}

/// The sentence under its heading, and the tables.
fn parts(record: &RunRecord) -> Option<(String, String)> {
    let mut shown: Vec<(&[FinalScore], Vec<String>)> = Vec::new();
    for row in record.rows.iter().filter(|row| !row.final_scores.is_empty()) {
        let name = format!("{}, repeat {}", row_label(record, row), row.figures.repeat);
        match shown.iter_mut().find(|(scores, _)| *scores == row.final_scores) {
            Some((_, names)) => names.push(name),
            None => shown.push((&row.final_scores, vec![name])),
        }
    }
    let words = format!(
        "## Final scores\n\nWhat the clients ended with: {}.\n",
        escape(&verdict(record)?)
    );
    let tables = shown
        .into_iter()
        .map(|(scores, names)| format!("{}:\n\n{}\n", escape(&names.join("; ")), scores_table(scores)));
    Some((words, tables.collect()))
}

fn scores_table(scores: &[FinalScore]) -> String {
    let kick_off = |score: &FinalScore| score.expected.as_ref()?.kick_off.clone();
    let dated = scores.iter().any(|score| kick_off(score).is_some());
    let headers = [
        "kick-off",
        "topic",
        "home",
        "score",
        "away",
        "by the source",
        "true at every client",
    ];
    let rows = scores.iter().map(|score| {
        let is_true = match score.is_true() {
            Some(true) => "yes",
            Some(false) => "NO",
            None if score.agreed => UNKNOWN,
            None => "NO: they differ",
        };
        let by_source = score.expected.as_ref().map(|expected| expected.score());
        let mut cells = vec![
            score.topic.clone(),
            score.home.clone(),
            score.score(),
            score.away.clone(),
            by_source.unwrap_or_else(|| UNKNOWN.to_owned()),
            is_true.to_owned(),
        ];
        if dated {
            cells.insert(0, kick_off(score).unwrap_or_else(|| UNKNOWN.to_owned()));
        }
        cells
    });
    table(&headers[usize::from(!dated)..], headers.len(), rows)
}
