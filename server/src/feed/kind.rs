//! Every kind of event a feed can hand out, exactly as it travels in an update's `event`.
//!
//! The simulated season and the replay take their words from here; clients may meet any of them. Names stay within 12 bytes
//! where the simulated season uses them, so that its updates stay small. What a kind means for the score is said here and
//! nowhere else: only goals and a correction change it.

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$doc])* pub const $name: &str = $text;)*

        /// All of them, in the order of this file.
        pub const ALL: &[&str] = &[$($name),*];
    };
}

kinds! {
    /// The match begins at 0:0, and with it a new score of this topic.
    KICK_OFF = "kick_off";
    /// The clock moved on, nothing else.
    CLOCK = "clock";
    /// A promising attack without a shot.
    CHANCE = "chance";
    /// A shot that missed.
    SHOT = "shot";
    /// A shot the goalkeeper held.
    SAVE = "save";
    CORNER = "corner";
    OFFSIDE = "offside";
    FOUL = "foul";
    YELLOW_CARD = "yellow_card";
    RED_CARD = "red_card";
    /// The player named comes on.
    SUBSTITUTION = "substitution";
    /// A goal from play; the player named scored it.
    GOAL = "goal";
    /// A goal for the other side: the player named belongs to the side that conceded.
    OWN_GOAL = "own_goal";
    /// A penalty scored during the match; those of a shoot-out are not goals.
    PENALTY_GOAL = "penalty_goal";
    /// End of the first 45 minutes.
    HALF_TIME = "half_time";
    SECOND_HALF = "second_half";
    /// End of 90 minutes of a match that goes on into extra time.
    NORMAL_TIME = "normal_time";
    /// Extra time begins.
    EXTRA_TIME = "extra_time";
    /// End of the first 15 minutes of extra time.
    EXTRA_TIME_HALF_TIME = "extra_time_half_time";
    EXTRA_TIME_SECOND_HALF = "extra_time_second_half";
    /// The match is over; the score is final.
    FULL_TIME = "full_time";
    /// Result of a shoot-out after full time, in `player` as `4-2`, home side first. The score stays the match's.
    SHOOTOUT_RESULT = "shootout_result";
    /// The score is put right without a goal: a replayed file lists other goals than its score says.
    CORRECTION = "correction";
}

/// The result that an update of this kind and player tells, home side first; `None` for all but a shoot-out's.
pub fn shootout(kind: &str, player: &str) -> Option<[u8; 2]> {
    let (home, away) = player.split_once('-').filter(|_| kind == SHOOTOUT_RESULT)?;
    Some([home.parse().ok()?, away.parse().ok()?])
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn only_a_shootout_has_its_result_in_the_player() {
        assert_eq!(shootout(SHOOTOUT_RESULT, "4-2"), Some([4, 2]));
        for (kind, player) in [(GOAL, "4-2"), (SHOOTOUT_RESULT, "Lunde"), (SHOOTOUT_RESULT, "4-")] {
            assert_eq!(shootout(kind, player), None, "{kind} {player}");
        }
    }

    #[test]
    fn kinds_are_distinct_plain_words() {
        assert_eq!(ALL.iter().collect::<HashSet<_>>().len(), ALL.len());
        assert!(
            ALL.iter()
                .all(|kind| kind.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
        );
    }
}
