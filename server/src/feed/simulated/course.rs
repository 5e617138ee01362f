//! The course of one topic's matches: what happens next, and in which minute. One match after the other, for ever.
//!
//! ```text
//! Over -> kick_off -> First … half_time -> Break -> second_half -> Second … full_time -> Over
//! ```
//!
//! Knows no due times but the one it is told: each event moves the match clock by some 36 seconds of play, whatever the rate.

use std::{borrow::Cow, time::Duration};

use super::{
    names::{PLAYERS, SQUAD},
    random::{Random, Stream},
};
use crate::feed::{Event, kind};

/// The most goals of one side in a match, so that updates stay within a known size: one match in some 300,000 would have more.
pub const MAX_SCORE: u16 = 9;

const HALF_S: u32 = 45 * 60;
const MAX_STOPPAGE_S: u32 = 5 * 60;
/// Seconds of play from one event to the next: 36 on average.
const GAP_S: std::ops::RangeInclusive<u32> = 12..=60;

/// Who an event names.
#[derive(Clone, Copy, PartialEq)]
enum Who {
    Nobody,
    Player,
}

/// What happens during play, and how often out of [`WEIGHTS`]. With some 155 draws a match that is 2.7 goals, 10 corners, 3.6
/// yellow cards: about what real matches have. The rest is the clock.
const PLAY: [(&str, u32, Who); 13] = [
    (kind::CLOCK, 4_780, Who::Nobody),
    (kind::SHOT, 1_100, Who::Player),
    (kind::CHANCE, 900, Who::Player),
    (kind::FOUL, 1_000, Who::Player),
    (kind::CORNER, 640, Who::Player),
    (kind::SUBSTITUTION, 500, Who::Player),
    (kind::SAVE, 420, Who::Player),
    (kind::OFFSIDE, 250, Who::Player),
    (kind::YELLOW_CARD, 230, Who::Player),
    (kind::GOAL, 145, Who::Player),
    (kind::PENALTY_GOAL, 17, Who::Player),
    (kind::OWN_GOAL, 12, Who::Player),
    (kind::RED_CARD, 6, Who::Player),
];
const WEIGHTS: u32 = 10_000;

/// Out of 20 events with a player, how many are the home side's.
const HOME_SHARE: u32 = 11;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Phase {
    First,
    Break,
    Second,
    /// Before the first match too.
    Over,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Side {
    Home = 0,
    Away = 1,
}

/// One topic's match, and the next one, and the next.
#[derive(Debug, Clone)]
pub struct Course {
    random: Random,
    phase: Phase,
    /// Seconds of play; set back to 45:00 when the second half begins, and to 0 at kick-off.
    clock_s: u32,
    /// When the current half ends, stoppage included.
    end_s: u32,
    /// Home, away; 0:0 again at each kick-off.
    score: [u16; 2],
    /// Where in [`PLAYERS`] the home side's squad begins; the away side's follows it. Fixed per topic, as its clubs are.
    squads: usize,
}

impl Course {
    pub fn new(seed: u64, topic: u32) -> Self {
        let mut random = Random::new(seed, Stream::Course, topic);
        let squads = random.below(PLAYERS.len() as u32) as usize;
        Course {
            random,
            phase: Phase::Over,
            clock_s: 0,
            end_s: 0,
            score: [0, 0],
            squads,
        }
    }

    /// The next event, due whenever the caller says.
    pub fn next_event(&mut self, due: Duration, topic: usize) -> Event {
        let (event, player) = match self.phase {
            Phase::Over => {
                self.score = [0, 0];
                self.start(Phase::First, 0);
                (kind::KICK_OFF, "")
            }
            Phase::Break => {
                self.start(Phase::Second, HALF_S);
                (kind::SECOND_HALF, "")
            }
            Phase::First | Phase::Second => self.play_on(),
        };
        let [home_score, away_score] = self.score;
        let minute = self.minute();
        Event {
            due,
            topic,
            home_score,
            away_score,
            minute,
            event,
            player: Cow::Borrowed(player),
        }
    }

    fn start(&mut self, half: Phase, from_s: u32) {
        self.phase = half;
        self.clock_s = from_s;
        self.end_s = from_s + HALF_S + self.random.below(MAX_STOPPAGE_S + 1);
    }

    fn play_on(&mut self) -> (&'static str, &'static str) {
        self.clock_s += GAP_S.start() + self.random.below(GAP_S.end() - GAP_S.start() + 1);
        if self.clock_s >= self.end_s {
            let (over, event) = match self.phase {
                Phase::First => (Phase::Break, kind::HALF_TIME),
                _ => (Phase::Over, kind::FULL_TIME),
            };
            self.phase = over;
            return (event, "");
        }
        let mut draw = self.random.below(WEIGHTS);
        // The weights add up to WEIGHTS (tested), so something is always found.
        let (event, _, who) = PLAY
            .into_iter()
            .find(|(_, weight, _)| below_or_subtract(&mut draw, *weight))
            .unwrap_or(PLAY[0]);
        match who {
            Who::Nobody => (event, ""),
            Who::Player => self.act(event),
        }
    }

    /// Something a player does, with its effect on the score.
    fn act(&mut self, event: &'static str) -> (&'static str, &'static str) {
        let side = if self.random.below(20) < HOME_SHARE {
            Side::Home
        } else {
            Side::Away
        };
        let of_player = match (event, side) {
            (kind::OWN_GOAL, Side::Home) => Side::Away,
            (kind::OWN_GOAL, Side::Away) => Side::Home,
            _ => side,
        };
        let in_squad = of_player as usize * SQUAD + self.random.below(SQUAD as u32) as usize;
        let player = PLAYERS[(self.squads + in_squad) % PLAYERS.len()];
        if !matches!(event, kind::GOAL | kind::PENALTY_GOAL | kind::OWN_GOAL) {
            return (event, player);
        }
        let score = &mut self.score[side as usize];
        if *score == MAX_SCORE {
            return (kind::CHANCE, player);
        }
        *score += 1;
        (event, player)
    }

    /// As football counts: the first second is in minute 1; kick-off alone is minute 0. Stoppage stays at 45 and 90.
    fn minute(&self) -> u16 {
        let last = if matches!(self.phase, Phase::First | Phase::Break) {
            45
        } else {
            90
        };
        (self.clock_s.div_ceil(60)).min(last) as u16
    }
}

/// Whether `draw` falls into this weight; if not, it is counted from the next one on.
fn below_or_subtract(draw: &mut u32, weight: u32) -> bool {
    let below = *draw < weight;
    *draw = draw.saturating_sub(weight);
    below
}

/// The event and player that take the most room together.
pub fn longest_event() -> (&'static str, &'static str) {
    let player = PLAYERS
        .into_iter()
        .max_by_key(|player| player.len())
        .unwrap_or_default();
    let with_player = PLAY
        .into_iter()
        .map(|(event, _, who)| (event, if who == Who::Player { player } else { "" }));
    let markers = [kind::KICK_OFF, kind::HALF_TIME, kind::SECOND_HALF, kind::FULL_TIME].map(|event| (event, ""));
    with_player
        .chain(markers)
        .max_by_key(|(event, player)| event.len() + player.len())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_add_up() {
        assert_eq!(PLAY.iter().map(|(_, weight, _)| weight).sum::<u32>(), WEIGHTS);
    }

    /// Plays `matches` matches of one topic, each from kick_off to full_time.
    fn play(seed: u64, matches: usize) -> Vec<Vec<Event>> {
        let mut course = Course::new(seed, 0);
        let mut one_match = || {
            let mut events = Vec::new();
            while events.last().is_none_or(|last: &Event| last.event != kind::FULL_TIME) {
                events.push(course.next_event(Duration::ZERO, 0));
            }
            events
        };
        (0..matches).map(|_| one_match()).collect()
    }

    #[test]
    fn each_match_runs_from_kick_off_to_full_time() {
        for events in play(1, 500) {
            assert!((100..=200).contains(&events.len()), "{} events", events.len());
            let markers: Vec<_> = events
                .iter()
                .filter(|e| [kind::KICK_OFF, kind::HALF_TIME, kind::SECOND_HALF, kind::FULL_TIME].contains(&e.event))
                .map(|e| (e.event, e.minute))
                .collect();
            let expected = [
                (kind::KICK_OFF, 0),
                (kind::HALF_TIME, 45),
                (kind::SECOND_HALF, 45),
                (kind::FULL_TIME, 90),
            ];
            assert_eq!(markers, expected);
            assert_eq!(
                (events[0].event, events[0].home_score, events[0].away_score),
                (kind::KICK_OFF, 0, 0)
            );
            assert!(
                events.windows(2).all(|pair| pair[0].minute <= pair[1].minute),
                "the clock ran backwards"
            );
        }
    }

    #[test]
    fn only_goals_change_the_score_and_by_one() {
        for pair in play(2, 500).iter().flat_map(|events| events.windows(2)) {
            let goals = |event: &Event| event.home_score + event.away_score;
            let is_goal = [kind::GOAL, kind::OWN_GOAL, kind::PENALTY_GOAL].contains(&pair[1].event);
            assert_eq!(goals(&pair[1]) - goals(&pair[0]), u16::from(is_goal), "{:?}", pair[1]);
        }
    }

    #[test]
    fn goals_are_about_as_frequent_as_in_football() {
        let matches = play(3, 2_000);
        let goals: u32 = matches
            .iter()
            .flat_map(|m| m.last())
            .map(|e| u32::from(e.home_score + e.away_score))
            .sum();
        let goals_a_match = f64::from(goals) / matches.len() as f64;
        assert!((2.5..2.9).contains(&goals_a_match), "{goals_a_match}");
    }
}
