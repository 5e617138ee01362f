//! From what is known of matches to their events: clock, breaks, goals, corrections, each with its due time.
//!
//! ```text
//! Played (who, when, how it ended) -> periods -> one course of events a match -> Feed, in order of due time
//! ```
//!
//! Goals are the truth while play goes on. The source's score rules at the end: where it lists other goals than that, a
//! `correction` puts the score right before full time, and already at a break whose score the source knows. A half-time score
//! that contradicts a complete list of goals is ignored (the real files have several).

use std::{borrow::Cow, time::Duration};

use super::{Goal, Played, Score};
use crate::feed::{Event, Feed, Match, MatchResult, kind};

pub fn lay_out(played: &[Played], speed: f64) -> Feed {
    let matches: Vec<_> = played
        .iter()
        .enumerate()
        .map(|(j, of)| Match::new(j, &of.home, &of.away))
        .collect();
    let courses = played.iter().enumerate().map(|(topic, of)| {
        let stagger = topic as f64 / played.len() as f64;
        course(of, topic, |minutes| {
            Duration::from_secs_f64((minutes + stagger) * 60.0 / speed)
        })
    });
    let events = courses.flatten().collect();
    let mut feed = Feed::finite(matches, events);
    feed.source.results = played.iter().map(result).collect();
    feed
}

/// How it ended, by the source itself: not taken from the events, so that the two can be compared.
fn result(of: &Played) -> MatchResult {
    MatchResult {
        score: of.result,
        extra_time: of.extra_time,
        // No source has more than 99.
        shootout: of.shootout.map(|score| score.map(|n| n as u8)),
        kick_off: of.kick_off.clone(),
    }
}

/// A stretch of play without a break.
struct Period {
    begins: &'static str,
    /// Minutes already played when it begins; its own are those after, up to `to`.
    from: u16,
    to: u16,
    ends: &'static str,
    /// Score at its end where the file knows one.
    score: Option<Score>,
}

fn periods(of: &Played) -> Vec<Period> {
    let first = Period {
        begins: kind::KICK_OFF,
        from: 0,
        to: 45,
        ends: kind::HALF_TIME,
        score: of.half_time,
    };
    let second = Period {
        begins: kind::SECOND_HALF,
        from: 45,
        to: 90,
        ends: kind::FULL_TIME,
        score: Some(of.result),
    };
    if !of.extra_time {
        return vec![first, second];
    }
    vec![
        first,
        Period {
            ends: kind::NORMAL_TIME,
            score: of.normal_time,
            ..second
        },
        Period {
            begins: kind::EXTRA_TIME,
            from: 90,
            to: 105,
            ends: kind::EXTRA_TIME_HALF_TIME,
            score: None,
        },
        Period {
            begins: kind::EXTRA_TIME_SECOND_HALF,
            from: 105,
            to: 120,
            ends: kind::FULL_TIME,
            score: Some(of.result),
        },
    ]
}

/// All events of a match. `due` turns match minutes since kick-off, breaks included, into a due time.
pub fn course(of: &Played, topic: usize, due: impl Fn(f64) -> Duration) -> Vec<Event> {
    let mut course = Course {
        of,
        topic,
        due,
        score: [0, 0],
        events: Vec::new(),
    };
    let (mut now, mut minute) = (0, 0);
    for period in periods(of) {
        now = course.play(&period, now);
        minute = period.to;
    }
    if let Some([home, away]) = of.shootout {
        course.push(
            f64::from(now),
            minute,
            kind::SHOOTOUT_RESULT,
            format!("{home}-{away}").into(),
        );
    }
    course.events
}

/// One match on its way from kick-off to the end.
struct Course<'a, D> {
    of: &'a Played,
    topic: usize,
    due: D,
    /// After the last event laid out.
    score: Score,
    events: Vec<Event>,
}

impl<D: Fn(f64) -> Duration> Course<'_, D> {
    /// Plays a period that begins `now` minutes after kick-off; returns when the next one may begin.
    fn play(&mut self, period: &Period, mut now: u16) -> u16 {
        let goals: Vec<_> = self
            .of
            .goals
            .iter()
            .filter(|goal| goal.minute > period.from && goal.minute <= period.to)
            .collect();
        let stoppage = goals.iter().map(|goal| goal.stoppage).max().unwrap_or(0);
        self.push(f64::from(now), period.from, period.begins, "".into());
        for played in period.from + 1..=period.to + stoppage {
            let in_minute: Vec<_> = goals
                .iter()
                .filter(|goal| goal.minute + goal.stoppage == played)
                .collect();
            for (i, goal) in in_minute.iter().enumerate() {
                self.score(goal, f64::from(now) + (i + 1) as f64 / (in_minute.len() + 1) as f64);
            }
            now += 1;
            self.push(f64::from(now), played.min(period.to), kind::CLOCK, "".into());
        }
        self.put_right(period, now);
        self.push(f64::from(now), period.to, period.ends, "".into());
        now + 1
    }

    fn score(&mut self, goal: &Goal, at: f64) {
        self.score[goal.side] += 1;
        self.push(at, goal.minute, goal.kind, goal.player.clone().into());
    }

    /// The file's score rules at the end of a match, and before it for a side whose list of goals is wrong anyway.
    fn put_right(&mut self, period: &Period, now: u16) {
        let Some(known) = period.score else { return };
        let right = [0, 1].map(|side| {
            let listed = self.of.goals.iter().filter(|goal| goal.side == side).count();
            let complete = listed == usize::from(self.of.result[side]);
            if complete { self.score[side] } else { known[side] }
        });
        if right != self.score {
            self.score = right;
            self.push(f64::from(now), period.to, kind::CORRECTION, "".into());
        }
    }

    fn push(&mut self, at: f64, minute: u16, event: &'static str, player: Cow<'static, str>) {
        let [home_score, away_score] = self.score;
        self.events.push(Event {
            due: (self.due)(at),
            topic: self.topic,
            home_score,
            away_score,
            minute,
            event,
            player,
        });
    }
}
