//! How the matches of a replay ended: at the clients, and by the replay's own source. Two ways to one score, for a check from end
//! to end that needs no sequence number.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use server::feed::MatchResult;

/// The last score that the clients of a topic showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FinalScore {
    pub topic: String,
    pub home: String,
    pub away: String,
    pub home_score: u16,
    pub away_score: u16,
    /// Result of the shoot-out, home side first; absent without one.
    #[serde(default)]
    pub shootout: Option<[u8; 2]>,
    /// False when clients of one topic ended with different scores.
    pub agreed: bool,
    /// How it ended by the replay's source; absent where the row did not last until the end.
    #[serde(default)]
    pub expected: Option<ExpectedScore>,
}

/// How a match ended, by the source of the replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExpectedScore {
    pub home_score: u16,
    pub away_score: u16,
    /// Whether there was any.
    pub extra_time: bool,
    /// Result of the shoot-out, home side first; absent without one.
    pub shootout: Option<[u8; 2]>,
    /// When it was really played, as `2022-12-18T15:00:00Z`; absent where the source does not say.
    pub kick_off: Option<String>,
}

impl From<&MatchResult> for ExpectedScore {
    fn from(result: &MatchResult) -> Self {
        let [home_score, away_score] = result.score;
        Self {
            home_score,
            away_score,
            extra_time: result.extra_time,
            shootout: result.shootout,
            kick_off: result.kick_off.clone(),
        }
    }
}

impl FinalScore {
    /// Whether every client ended with the score of the source; `None` where that is unknown.
    pub fn is_true(&self) -> Option<bool> {
        let expected = self.expected.as_ref()?;
        let shown = (self.home_score, self.away_score, self.shootout);
        Some(self.agreed && shown == (expected.home_score, expected.away_score, expected.shootout))
    }

    /// The score as people write it, such as `3–3 (4–2 on penalties)`.
    pub fn score(&self) -> String {
        let extra_time = self.expected.as_ref().is_some_and(|expected| expected.extra_time);
        score((self.home_score, self.away_score), self.shootout, extra_time)
    }

    /// The match with its score, such as `Argentina 3–3 France (4–2 on penalties)`.
    pub fn line(&self) -> String {
        let (score, more) = self.score().split_once(' ').map_or_else(
            || (self.score(), String::new()),
            |(score, more)| (score.to_owned(), format!(" {more}")),
        );
        format!("{} {score} {}{more}", self.home, self.away)
    }
}

impl ExpectedScore {
    /// The score as people write it.
    pub fn score(&self) -> String {
        score((self.home_score, self.away_score), self.shootout, self.extra_time)
    }
}

fn score((home, away): (u16, u16), shootout: Option<[u8; 2]>, extra_time: bool) -> String {
    match (shootout, extra_time) {
        (Some([of_home, of_away]), _) => format!("{home}–{away} ({of_home}–{of_away} on penalties)"),
        (None, true) => format!("{home}–{away} (after extra time)"),
        (None, false) => format!("{home}–{away}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(shootout: Option<[u8; 2]>, agreed: bool, expected: Option<(u16, Option<[u8; 2]>)>) -> FinalScore {
        FinalScore {
            topic: "match-1".into(),
            home: "Argentina".into(),
            away: "France".into(),
            home_score: 3,
            away_score: 3,
            shootout,
            agreed,
            expected: expected.map(|(away_score, shootout)| ExpectedScore {
                home_score: 3,
                away_score,
                extra_time: true,
                shootout,
                kick_off: None,
            }),
        }
    }

    #[test]
    fn a_score_is_true_when_all_of_it_is() {
        let penalties = Some([4, 2]);
        for (score, is_true) in [
            (shown(penalties, true, Some((3, penalties))), Some(true)),
            (shown(penalties, true, None), None),
            (shown(penalties, false, Some((3, penalties))), Some(false)),
            (shown(penalties, true, Some((2, penalties))), Some(false)),
            (shown(None, true, Some((3, penalties))), Some(false)),
            (shown(Some([2, 4]), true, Some((3, penalties))), Some(false)),
        ] {
            assert_eq!(score.is_true(), is_true, "{score:?}");
        }
    }

    #[test]
    fn scores_are_written_as_people_do() {
        let lines = [Some([4, 2]), None].map(|shootout| shown(shootout, true, Some((3, None))).line());
        assert_eq!(
            lines,
            [
                "Argentina 3–3 France (4–2 on penalties)",
                "Argentina 3–3 France (after extra time)"
            ]
        );
        assert_eq!(shown(None, true, None).line(), "Argentina 3–3 France");
    }
}
