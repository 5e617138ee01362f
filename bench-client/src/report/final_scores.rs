//! What became of the scores of a replay: whether everybody ended with the true ones, and which they are.

use crate::record::{FeedPlan, FinalScore, ReplaySource, Row, RunRecord};

/// Scores that a line on a terminal may hold; more stand in report.md alone.
const LISTED: usize = 40;

/// Whether they are the true ones, as a sentence without its end; `None` where no row has scores.
pub fn verdict(record: &RunRecord) -> Option<String> {
    let FeedPlan::Replay { file, source, .. } = &record.plan.feed else {
        return None;
    };
    let rows: Vec<&Row> = with_scores(record).collect();
    let matches = rows.iter().map(|row| row.final_scores.len()).max()?;
    let by = match source {
        ReplaySource::Matches | ReplaySource::Table => format!("true by {file}"),
        ReplaySource::Recording => format!("as recorded in {file}"),
    };
    let wrong = scores(&rows).filter(|score| score.is_true() == Some(false)).count();
    let unknown = scores(&rows).filter(|score| score.is_true().is_none()).count();
    let all = scores(&rows).count();
    Some(match (wrong, unknown) {
        (0, 0) if matches == 1 => format!("the one match ended {by}, at every client of every row"),
        (0, 0) => format!("all {matches} {by}, at every client of every row"),
        (0, _) => format!("{unknown} of {all} not checked, because their row saw no end of the match"),
        _ => format!("{wrong} of {all} NOT {by}"),
    })
}

/// The verdict, and the scores where they are few enough for a terminal.
pub fn words(record: &RunRecord) -> Option<String> {
    let verdict = verdict(record)?;
    // Where rows differ, the one that is wrong is the one to look at.
    let wrong = with_scores(record).find(|row| row.final_scores.iter().any(|score| score.is_true() == Some(false)));
    let shown = wrong.or_else(|| with_scores(record).next())?;
    if shown.final_scores.len() > LISTED {
        return Some(format!("{verdict}; report.md lists them"));
    }
    let lines: Vec<String> = shown.final_scores.iter().map(line).collect();
    Some(format!("{verdict}: {}", lines.join(" · ")))
}

fn line(score: &FinalScore) -> String {
    match (&score.expected, score.is_true()) {
        (Some(expected), Some(false)) => format!("{} (WRONG: {} is true)", score.line(), expected.score()),
        _ => score.line(),
    }
}

fn with_scores(record: &RunRecord) -> impl Iterator<Item = &Row> {
    record.rows.iter().filter(|row| !row.final_scores.is_empty())
}

fn scores<'a>(rows: &'a [&Row]) -> impl Iterator<Item = &'a FinalScore> {
    rows.iter().flat_map(|row| &row.final_scores)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn the_verdict_says_what_is_known() {
        let mut record = fixture::interrupted_replay();
        let said = |record: &RunRecord| words(record).expect("a replay has scores");
        assert!(said(&record).starts_with("4 of 6 not checked"), "{}", said(&record));

        record.rows.truncate(2);
        record.rows.iter_mut().for_each(|row| drop(row.final_scores.remove(0)));
        let all = "the one match ended true by matches_<2024>.csv, at every client of every row: Rovers 0–0 United | Reserves (4–2 on penalties)";
        assert_eq!(said(&record), all);

        record.rows[1].final_scores[0].shootout = None;
        let wrong = "1 of 2 NOT true by matches_<2024>.csv: Rovers 0–0 United | Reserves (after extra time) (WRONG: 0–0 (4–2 on penalties) is true)";
        assert_eq!(said(&record), wrong);

        let many = record.rows[0].final_scores[0].clone();
        record.rows.truncate(1);
        record.rows[0].final_scores = vec![many; LISTED + 1];
        assert!(
            said(&record).ends_with("every row; report.md lists them"),
            "{}",
            said(&record)
        );
        assert_eq!(words(&fixture::record()), None);
    }
}
