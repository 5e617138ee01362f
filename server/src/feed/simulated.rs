//! An invented football season: any number of matches at once, endless, the same for the same seed.
//!
//! ```text
//! seed -> names (who plays whom)     one Match a topic
//!      -> course (what happens next) one a topic  \
//!      -> arrivals (when it is due)                -> Events in order of due time
//! ```
//!
//! When something is due depends on rate and arrivals alone, what happens on the seed alone: the same matches can be played at
//! any rate, and a feed can go on at another one (see [`Season`]). A match takes some 160 events, so at 1000 Hz a season passes in seconds; only the order is plausible, not the pace.
//! It leaves out tables, line-ups and dismissals that last: a player sent off may score later.

mod course;
mod names;
mod random;

use std::{borrow::Cow, cmp::Reverse, collections::BinaryHeap, ops::RangeInclusive, time::Duration};

use self::{
    course::Course,
    random::{Random, Stream},
};
use super::{Event, Events, Feed, Longest, Source, blank_event};

/// How many matches can be on at once.
pub const TOPICS: RangeInclusive<u32> = 1..=10_000;
/// Updates per second and topic, unless silent.
pub const RATE_HZ: RangeInclusive<f64> = 0.1..=1000.0;
/// Updates of one topic that are due in the same instant.
pub const BURST_SIZE: RangeInclusive<u32> = 1..=10_000;

/// When the updates of a topic are due. The rate is the same on average in all three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Arrivals {
    /// Evenly: update k of topic j of N at (k + j/N)/rate, so that topics never tick in the same instant.
    #[default]
    Regular,
    /// At random, independent of each other: exponential gaps, drawn per topic.
    Poisson,
    /// `size` updates in the same instant, then nothing for size/rate seconds; topics take turns as in `Regular`.
    Burst { size: u32 },
}

/// What a simulated feed is made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Simulated {
    /// Matches at once, see [`TOPICS`].
    pub topics: u32,
    /// Updates per second and topic, see [`RATE_HZ`]; 0 is silence.
    pub rate_hz: f64,
    pub arrivals: Arrivals,
    /// The same seed gives the same matches and the same due times.
    pub seed: u64,
}

/// A parameter no feed can be made from.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SimulatedError {
    #[error("{0} topics: choose between {min} and {max}", min = TOPICS.start(), max = TOPICS.end())]
    Topics(u32),
    #[error(
        "a rate of {0} updates per second and topic: choose between {min} and {max}, or 0 for silence; \
         for more updates in all, take more topics",
        min = RATE_HZ.start(), max = RATE_HZ.end()
    )]
    Rate(f64),
    #[error("bursts of {0} updates: choose a size between {min} and {max}", min = BURST_SIZE.start(), max = BURST_SIZE.end())]
    BurstSize(u32),
}

impl Simulated {
    /// Refuses what is out of bounds, without making anything.
    pub fn validate(&self) -> Result<(), SimulatedError> {
        if !TOPICS.contains(&self.topics) {
            return Err(SimulatedError::Topics(self.topics));
        }
        if self.rate_hz != 0.0 && !RATE_HZ.contains(&self.rate_hz) {
            return Err(SimulatedError::Rate(self.rate_hz));
        }
        match self.arrivals {
            Arrivals::Burst { size } if !BURST_SIZE.contains(&size) => Err(SimulatedError::BurstSize(size)),
            _ => Ok(()),
        }
    }

    /// The feed of these parameters. Nothing is played ahead: events are made as they are asked for.
    pub fn feed(&self) -> Result<Feed, SimulatedError> {
        // Before a season of so many topics is made.
        self.validate()?;
        self.feed_after(&Season::new(self.seed, self.topics))
    }

    /// The feed that follows a season of this seed and as many topics. Due times count from the last event played: the next one is due
    /// when these parameters would have it due after that one.
    pub fn feed_after(&self, season: &Season) -> Result<Feed, SimulatedError> {
        self.validate()?;
        let matches = names::fixtures(self.topics as usize, &mut Random::new(self.seed, Stream::Fixtures, 0));
        let events: Events = if self.rate_hz == 0.0 {
            Box::new(std::iter::empty())
        } else {
            let mut courses = season.courses.clone();
            let played = season.played.iter().sum();
            let play = move |(due, topic): (Duration, usize)| courses[topic].next_event(due, topic);
            match self.arrivals {
                Arrivals::Regular => Box::new(in_turn(self.topics, self.rate_hz, 1, played).map(play)),
                Arrivals::Burst { size } => Box::new(in_turn(self.topics, self.rate_hz, size, played).map(play)),
                // Gaps have no memory, so later ones do as well as the next; other than the first ones they should be.
                Arrivals::Poisson => Box::new(poisson(self.topics, self.rate_hz, self.seed ^ played).map(play)),
            }
        };
        let longest = self.longest(&matches);
        Ok(Feed {
            matches,
            events,
            extent: None,
            longest,
            source: Source::default(),
        })
    }

    /// Put together from what can happen, because an endless feed cannot be searched.
    fn longest(&self, matches: &[super::Match]) -> Longest {
        let (event, player) = course::longest_event();
        let candidates: Vec<_> = (0..matches.len())
            .map(|topic| Event {
                topic,
                home_score: course::MAX_SCORE,
                away_score: course::MAX_SCORE,
                minute: 90,
                event,
                player: Cow::Borrowed(player),
                ..blank_event()
            })
            .collect();
        Longest::among(matches, &candidates)
    }
}

/// How far each match has come: another rate goes on from there, because what happens depends on the seed alone.
///
/// Matches are counted one by one, so it holds in whatever order and however fast they were played.
#[derive(Debug, Clone)]
pub struct Season {
    courses: Vec<Course>,
    /// Events so far, by topic.
    played: Vec<u64>,
}

impl Season {
    /// Before the first event.
    pub fn new(seed: u64, topics: u32) -> Self {
        Self {
            courses: (0..topics).map(|topic| Course::new(seed, topic)).collect(),
            played: vec![0; topics as usize],
        }
    }

    /// Plays on until each topic has had so many events. It has no way back: where it is further, it stays.
    pub fn play_to(&mut self, played: &[u64]) {
        let topics = self.courses.iter_mut().zip(&mut self.played).zip(played);
        for (topic, ((course, so_far), target)) in topics.enumerate() {
            while *so_far < *target {
                course.next_event(Duration::ZERO, topic);
                *so_far += 1;
            }
        }
    }
}

/// Topics take turns, `size` updates a turn, at even distances. Regular arrivals are bursts of one. Where `played` updates went before,
/// the turn goes on, and due times count from that of the last of them.
fn in_turn(topics: u32, rate_hz: f64, size: u32, played: u64) -> impl Iterator<Item = (Duration, usize)> {
    let (topics, size) = (u64::from(topics), u64::from(size));
    let last_turn = played.saturating_sub(1) / size;
    (played..).map(move |update| {
        let turn = update / size;
        // Exact to the nanosecond for 100 days, as long as a turn is not added to a turn but always multiplied.
        let due_s = (turn - last_turn) as f64 * size as f64 / (topics as f64 * rate_hz);
        // u64 runs out of updates before Duration runs out of seconds.
        (
            Duration::try_from_secs_f64(due_s).unwrap_or(Duration::MAX),
            (turn % topics) as usize,
        )
    })
}

/// Each topic draws its own gaps; the topic that is due next stands on top of the heap, of equals the lower one.
fn poisson(topics: u32, rate_hz: f64, seed: u64) -> impl Iterator<Item = (Duration, usize)> {
    let mut gaps: Vec<_> = (0..topics)
        .map(|topic| Random::new(seed, Stream::Arrivals, topic))
        .collect();
    let mut gap_ns = move |topic: usize| (gaps[topic].exponential() * 1e9 / rate_hz) as u64;
    let mut next: BinaryHeap<_> = (0..topics as usize)
        .map(|topic| Reverse((gap_ns(topic), topic)))
        .collect();
    std::iter::from_fn(move || {
        // Changing the top in place sifts it down once; pop and push would sift twice.
        let mut top = next.peek_mut()?;
        let Reverse((due_ns, topic)) = *top;
        top.0.0 = due_ns.saturating_add(gap_ns(topic));
        Some((Duration::from_nanos(due_ns), topic))
    })
}

#[cfg(test)]
mod tests;
