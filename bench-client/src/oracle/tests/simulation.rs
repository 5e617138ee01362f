//! A row of pollers, played event by event: it knows no formula, so the models are held against it.

use super::*;

/// What the models are asked about: a poller every `interval_s` of a feed.
#[derive(Clone)]
pub(super) struct World {
    pub(super) feed: Feed,
    pub(super) interval_s: f64,
    pub(super) seed: u64,
}

/// What came out of it.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) published: f64,
    pub(super) expected: f64,
    pub(super) deliveries: f64,
    /// Pairs received in the window, whenever they were due.
    pub(super) carried: f64,
    pub(super) polls: f64,
    pub(super) empty: f64,
    pub(super) latencies: Vec<f64>,
    pub(super) age_s: f64,
    pub(super) stale: f64,
}

pub(super) struct Dice(pub(super) Pcg64Mcg);

impl Dice {
    pub(super) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Even arrivals, one topic, T0 halfway between two turns: as the harness makes them.
pub(super) fn even(clients: u32, topics: u32, rate_hz: f64, at_once: u32, window_s: f64, settle_s: f64) -> Feed {
    let turn_s = f64::from(at_once) / (f64::from(topics) * rate_hz);
    Feed {
        clients,
        topics,
        all: false,
        rate_hz,
        random: false,
        at_once,
        latest: false,
        since_start_s: ((settle_s / turn_s).ceil() + 0.5) * turn_s,
        window_s,
    }
}

pub(super) fn random(clients: u32, topics: u32, rate_hz: f64, window_s: f64, settle_s: f64) -> Feed {
    Feed {
        random: true,
        since_start_s: settle_s,
        ..even(clients, topics, rate_hz, 1, window_s, settle_s)
    }
}

/// Due times of each topic since the feed's start, to the window's end.
pub(super) fn schedule(feed: &Feed, dice: &mut Dice) -> Vec<Vec<f64>> {
    let end = feed.since_start_s + feed.window_s;
    let mut topics = vec![Vec::new(); feed.topics as usize];
    if feed.random {
        for topic in &mut topics {
            let mut at = 0.0;
            loop {
                at += -(1.0 - dice.unit()).ln() / feed.rate_hz;
                if at >= end {
                    break;
                }
                topic.push(at);
            }
        }
        return topics;
    }
    let turn_s = f64::from(feed.at_once) / (f64::from(feed.topics) * feed.rate_hz);
    for turn in 0.. {
        let at = f64::from(turn) * turn_s;
        if at >= end {
            return topics;
        }
        for _ in 0..feed.at_once {
            topics[turn as usize % feed.topics as usize].push(at);
        }
    }
    unreachable!("a feed goes on")
}

/// Plays a whole row of pollers.
pub(super) fn play(world: &World) -> Seen {
    let World { feed, interval_s, seed } = world;
    let mut dice = Dice(Pcg64Mcg::seed_from_u64(*seed));
    let topics = schedule(feed, &mut dice);
    let (t0, t1) = (feed.since_start_s, feed.since_start_s + feed.window_s);
    let mut seen = Seen {
        published: topics.iter().flatten().filter(|due| **due >= t0).count() as f64,
        ..Seen::default()
    };
    let mut client_time = 0.0;
    // The clients were there before the feed: their polls are at any phase to its start.
    let shift = dice.unit() * interval_s;
    for client in 0..feed.clients {
        let phase = (f64::from(client) + dice.unit()) / f64::from(feed.clients) * interval_s;
        let first = (phase + shift) % interval_s;
        let polls: Vec<f64> = (0..)
            .map(|k| first + f64::from(k) * interval_s)
            .take_while(|at| *at < t1 + 2.0 * interval_s)
            .collect();
        let follows = |topic: usize| feed.all || topic == (client % feed.topics) as usize;
        let mut news = vec![0u32; polls.len()];
        for (_, dues) in topics.iter().enumerate().filter(|(topic, _)| follows(*topic)) {
            let mut held = Vec::new();
            for (index, due) in dues.iter().enumerate() {
                let poll = polls.partition_point(|at| at <= due);
                let at = polls[poll];
                held.push(at);
                let newest = dues.get(index + 1).is_none_or(|next| *next > at);
                if *due >= t0 {
                    seen.expected += 1.0;
                    seen.latencies.push(at - due);
                }
                if feed.latest && !newest {
                    continue;
                }
                news[poll] += 1;
                if (t0..t1).contains(&at) {
                    seen.carried += 1.0;
                    seen.deliveries += f64::from(u8::from(*due >= t0));
                }
            }
            client_time += feed.window_s;
            let (age, stale) = integrals(dues, &held, t0, t1);
            seen.age_s += age;
            seen.stale += stale;
        }
        for (at, news) in polls.iter().zip(news) {
            if (t0..t1).contains(at) {
                seen.polls += 1.0;
                seen.empty += f64::from(u8::from(news == 0));
            }
        }
    }
    seen.age_s /= client_time;
    seen.stale /= client_time;
    seen.latencies.sort_by(f64::total_cmp);
    seen
}

/// Age and staleness of one client and topic, as time integrals: stepped from event to event.
pub(super) fn integrals(dues: &[f64], held: &[f64], t0: f64, t1: f64) -> (f64, f64) {
    let mut steps: Vec<f64> = dues
        .iter()
        .chain(held)
        .copied()
        .filter(|at| (t0..t1).contains(at))
        .collect();
    steps.extend([t0, t1]);
    steps.sort_by(f64::total_cmp);
    let (mut age, mut stale) = (0.0, 0.0);
    for pair in steps.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let middle = f64::midpoint(from, to);
        let holds = held.partition_point(|at| *at <= middle);
        let is_due = dues.partition_point(|at| *at <= middle);
        let newest = if holds > 0 { dues[holds - 1] } else { 0.0 };
        age += (to - from) * (middle - newest);
        if is_due > holds {
            stale += to - from;
        }
    }
    (age, stale)
}
