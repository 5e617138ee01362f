//! How the matches of a replay ended at its clients, held against what its source says.

use std::collections::HashMap;

use super::figures::{End, Measured};
use crate::{
    record::{FeedPlan, FinalScore},
    tally,
};

/// What the clients of a replay ended with, beside what its source says where the row saw the end of it.
pub fn final_scores(measured: &Measured) -> Vec<FinalScore> {
    if !matches!(measured.plan.feed, FeedPlan::Replay { .. }) {
        return Vec::new();
    }
    let matches = &measured.state.matches;
    let mut scores = tally::final_scores(&measured.logs, matches);
    if matches!(measured.end, End::Whole) {
        let topics = matches.iter().map(|(topic, ..)| topic.as_str());
        let by_topic: HashMap<_, _> = topics.zip(&measured.results).collect();
        for score in &mut scores {
            score.expected = by_topic.get(score.topic.as_str()).map(|result| (*result).into());
        }
    }
    scores
}

/// The matches that did not end as they should, in words; the first of them by name.
pub fn wrong_scores(scores: &[FinalScore]) -> Option<String> {
    let wrong: Vec<_> = scores.iter().filter(|score| score.is_true() == Some(false)).collect();
    let first = wrong.first()?;
    let expected = first.expected.as_ref()?.score();
    let told = if first.agreed { "" } else { ", and not at every client" };
    Some(format!(
        "{} of {} matches ended with a wrong score, the first {}{told}; {expected} is true",
        wrong.len(),
        scores.len(),
        first.line(),
    ))
}

#[cfg(test)]
mod tests {
    use server::feed::MatchResult;

    use super::*;

    #[test]
    fn a_wrong_final_score_is_said_with_the_true_one() {
        let result = MatchResult {
            score: [3, 3],
            extra_time: true,
            shootout: Some([4, 2]),
            kick_off: None,
        };
        let mut score = FinalScore {
            topic: "match-16".into(),
            home: "Argentina".into(),
            away: "France".into(),
            home_score: 3,
            away_score: 3,
            shootout: Some([4, 2]),
            agreed: true,
            expected: Some((&result).into()),
        };
        assert_eq!(wrong_scores(std::slice::from_ref(&score)), None);
        score.away_score = 2;
        score.agreed = false;
        let said = "1 of 1 matches ended with a wrong score, the first Argentina 3–2 France (4–2 on penalties), and not at every \
                    client; 3–3 (4–2 on penalties) is true";
        assert_eq!(wrong_scores(std::slice::from_ref(&score)).as_deref(), Some(said));
        score.expected = None;
        assert_eq!(wrong_scores(&[score]), None, "nobody knows better");
    }
}
