//! The final scores of a replay, folded, and once for all rows that show the same.

use crate::record::{FinalScore, RunRecord};
use crate::report::final_scores::verdict;
use crate::report::format::UNKNOWN;
use crate::report::summary::label;

use super::table::{escape, table};

pub fn final_scores(record: &RunRecord) -> String {
    let mut shown: Vec<(&[FinalScore], Vec<String>)> = Vec::new();
    for row in record.rows.iter().filter(|row| !row.final_scores.is_empty()) {
        let name = format!(
            "{}, repeat {}",
            label(record, &row.figures.transport),
            row.figures.repeat
        );
        match shown.iter_mut().find(|(scores, _)| *scores == row.final_scores) {
            Some((_, names)) => names.push(name),
            None => shown.push((&row.final_scores, vec![name])),
        }
    }
    let Some(verdict) = verdict(record) else {
        return String::new();
    };
    let mut out = format!(
        "## Final scores\n\nWhat the clients ended with: {}.\n\n<details>\n<summary>Match by match</summary>\n\n",
        escape(&verdict)
    );
    for (scores, names) in shown {
        out += &format!("{}:\n\n{}\n", escape(&names.join("; ")), scores_table(scores));
    }
    out + "</details>\n"
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
