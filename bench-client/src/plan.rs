//! From a scenario to a plan: defaults filled in, overrides applied, everything checked before anything starts.
//!
//! ```text
//! Scenario + Overrides -> Plan (goes into the record) + FeedSettings (go to the server) -> check() against the machine
//! ```

mod check;
mod command;
mod error;
mod like;

use std::{path::PathBuf, time::Duration};

use server::{
    FeedDescription, RECORDING,
    feed::{Source, replay},
    settings::{ArrivalsSetting, DEFAULT_BURST_SIZE, DEFAULT_RATE_HZ, DEFAULT_SEED, FeedSettings},
};

use crate::{
    floor,
    record::{
        Arrivals, ContenderId, FeedPlan, Follow, Looks, Mode, Plan, ReplaySource, RequestHeaders, Variant,
        default_margin,
    },
    scenario::{Scenario, nearest},
    statistics::looks::schedule,
};

use check::{REPEATS, SECONDS, check, check_processes, check_repeats, check_restart, check_thresholds, check_updates};
pub use command::command;
pub use error::PlanError;
pub use like::{Changes, LikeError, differences, resolve_like};

const DEFAULT_CLIENTS: u32 = 2_000;
const DEFAULT_POLL_INTERVAL_MS: u64 = 1_000;
const DEFAULT_WAIT_MS: u64 = 25_000;
const DEFAULT_DURATION_S: f64 = 5.0;
const DEFAULT_REPEATS: u32 = 4;
/// One repeat has no spread to look at.
const REPEATS_TO_LOOK: u32 = 2;
/// Settling takes a whole poll interval, so that every poller has polled once, and this on top.
const SETTLE_BEYOND_POLL_S: f64 = 0.5;
/// So many mean absences, on top again: by then those who leave are as many as those who come back, but for a few per cent.
const SETTLE_AWAYS: f64 = 3.0;
/// A replay's window goes on so long after its last event.
const REPLAY_TAIL_S: f64 = 0.1;
/// What the command line says besides the scenario's name.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    pub transports: Option<Vec<String>>,
    pub clients: Option<u32>,
    pub topics: Option<u32>,
    pub rate_hz: Option<f64>,
    pub update_bytes: Option<u32>,
    pub poll_interval_ms: Option<u64>,
    pub duration_s: Option<f64>,
    pub repeats: Option<u32>,
    /// The most repeats, where rounds are added until the comparisons settle.
    pub until_settled: Option<u32>,
    pub mode: Option<Mode>,
    pub seed: Option<u64>,
    pub replay: Option<PathBuf>,
    pub speed: Option<f64>,
    pub workers: Option<u32>,
    pub nodes: Option<u32>,
    /// On top of the scenario's.
    pub thresholds: Vec<String>,
    pub force: bool,
}

/// A plan that can be run.
#[derive(Debug, Clone)]
pub struct Resolved {
    pub plan: Plan,
    /// What a server of our own is started with; None when the server is not ours.
    pub feed: Option<FeedSettings>,
    /// What the source of a replay says besides: how its matches end, where the window sees the end of them, and remarks.
    pub source: Source,
}

/// Makes the plan for servers of our own.
pub fn resolve(scenario: &Scenario, overrides: &Overrides) -> Result<Resolved, PlanError> {
    let file = &scenario.file;
    let replay = overrides.replay.clone().or_else(|| file.replay.clone());
    if file.replay.is_some() {
        let of_a_simulation = [
            ("topics", file.topics.is_some()),
            ("rate_hz", file.rate_hz.is_some()),
            ("arrivals", file.arrivals.is_some()),
            ("burst_size", file.burst_size.is_some()),
        ];
        if let Some((key, _)) = of_a_simulation.iter().find(|(_, given)| *given) {
            return Err(PlanError::BesideReplay(key));
        }
    }
    let settings = if let Some(replay) = replay {
        // On a replay the scenario's own feed counts for nothing; an override of it is a mistake, and refused below.
        FeedSettings {
            topics: overrides.topics,
            rate: overrides.rate_hz,
            payload: overrides
                .update_bytes
                .or(file.update_bytes.filter(|_| file.replay.is_some())),
            replay: Some(replay),
            speed: overrides.speed.or(file.speed),
            ..FeedSettings::default()
        }
    } else {
        FeedSettings {
            topics: Some(overrides.topics.or(file.topics).unwrap_or(1)),
            rate: Some(overrides.rate_hz.or(file.rate_hz).unwrap_or(DEFAULT_RATE_HZ)),
            payload: overrides.update_bytes.or(file.update_bytes),
            arrivals: file.arrivals.map(setting),
            burst_size: file.burst_size,
            seed: Some(overrides.seed.or(file.seed).unwrap_or(DEFAULT_SEED)),
            speed: overrides.speed.or(file.speed),
            replay: None,
        }
    };
    let (mut feed, description) = settings.feed()?;
    let mut plan = base(scenario, overrides, feed_plan(&settings, &description))?;
    if let Some(extent) = feed.extent {
        // The window reaches to the end of the matches, unless a shorter one is asked for.
        let length = extent.length.as_secs_f64();
        let rest = length - plan.settle_s + REPLAY_TAIL_S;
        if rest < *SECONDS.start() {
            return Err(PlanError::ReplayTooShort {
                length,
                settle: plan.settle_s,
            });
        }
        plan.duration_s = overrides
            .duration_s
            .or(file.duration_s)
            .map_or(rest, |asked| asked.min(rest));
        if let FeedPlan::Replay { updates, .. } = &mut plan.feed {
            *updates = Some(extent.events as u64);
        }
        if plan.duration_s < rest {
            feed.source.results.clear();
        }
    }
    check_processes(&plan)?;
    check_restart(&plan)?;
    check_updates(&plan, overrides.force || file.force == Some(true))?;
    Ok(Resolved {
        plan,
        feed: Some(settings),
        source: feed.source,
    })
}

/// Makes the plan for a server that runs elsewhere, with the feed it says it has.
pub fn resolve_target(
    scenario: &Scenario,
    overrides: &Overrides,
    feed: &FeedDescription,
) -> Result<Resolved, PlanError> {
    let for_feed = [
        ("--topics", overrides.topics.is_some()),
        ("--rate", overrides.rate_hz.is_some()),
        ("--payload", overrides.update_bytes.is_some()),
        ("--replay", overrides.replay.is_some()),
        ("--speed", overrides.speed.is_some()),
        ("--nodes", overrides.nodes.is_some()),
    ];
    if let Some((flag, _)) = for_feed.iter().find(|(_, given)| *given) {
        return Err(PlanError::NotForTarget(flag));
    }
    let feed = FeedPlan::Target {
        topics: feed.topics,
        rate_hz: feed.rate_hz,
        update_bytes: feed.update_bytes,
    };
    let mut plan = base(scenario, overrides, feed)?;
    plan.remote = true;
    check_processes(&plan)?;
    check_restart(&plan)?;
    check_updates(&plan, overrides.force || scenario.file.force == Some(true))?;
    Ok(Resolved {
        plan,
        feed: None,
        source: Source::default(),
    })
}

fn base(scenario: &Scenario, overrides: &Overrides, feed: FeedPlan) -> Result<Plan, PlanError> {
    let file = &scenario.file;
    let poll_interval_ms = overrides
        .poll_interval_ms
        .or(file.poll_interval_ms)
        .unwrap_or(DEFAULT_POLL_INTERVAL_MS);
    let variants = variants(file.variants.as_deref().unwrap_or_default(), overrides)?;
    let intervals_ms = variants.iter().filter_map(|one| one.poll_interval_ms);
    let longest_ms = intervals_ms.fold(poll_interval_ms, u64::max);
    // With churn as many must be away as there will always be.
    let away_s = file.churn.map_or(0.0, |churn| churn.away_s * SETTLE_AWAYS);
    let settle_s = file
        .settle_s
        .unwrap_or(longest_ms as f64 / 1_000.0 + SETTLE_BEYOND_POLL_S + away_s);
    let asked = overrides.transports.as_ref().or(file.transports.as_ref());
    let mut plan = Plan {
        scenario: scenario.name.clone(),
        summary: file.summary.clone(),
        analysis: file.analysis.clone(),
        transports: transport_ids(asked)?,
        repeats: overrides.repeats.or(file.repeats).unwrap_or(DEFAULT_REPEATS),
        clients: overrides.clients.or(file.clients).unwrap_or(DEFAULT_CLIENTS),
        follow: file.follow.unwrap_or(Follow::One),
        feed,
        mode: overrides.mode.or(file.mode).unwrap_or(Mode::Every),
        poll_interval_ms,
        wait_ms: file.wait_ms.unwrap_or(DEFAULT_WAIT_MS),
        request_headers: file.request_headers.unwrap_or(RequestHeaders::Browser),
        keep_alive: file.keep_alive.unwrap_or(true),
        seed: overrides.seed.or(file.seed).unwrap_or(DEFAULT_SEED),
        settle_s,
        duration_s: overrides.duration_s.or(file.duration_s).unwrap_or(DEFAULT_DURATION_S),
        ramp_per_s: file.ramp_per_s,
        churn: file.churn,
        restart: file.restart,
        backoff_jitter: file.backoff_jitter.unwrap_or(true),
        stalled_clients: file.stalled_clients.unwrap_or(0),
        workers: overrides.workers.or(file.workers).unwrap_or(1),
        nodes: overrides.nodes.or(file.nodes).unwrap_or(1),
        remote: false,
        bounds: file.bounds.clone().unwrap_or_default(),
        thresholds: joined(file.thresholds.as_deref().unwrap_or_default(), &overrides.thresholds),
        margin: file.margin.unwrap_or_else(default_margin),
        looks: None,
        variants,
    };
    if asked.is_none() && floor::unfit(&plan).is_some() {
        plan.transports.retain(|id| id != floor::ID);
    }
    check(&plan)?;
    plan.looks = overrides.until_settled.map(|most| looks(&plan, most)).transpose()?;
    Ok(plan)
}

/// The scenario's variants. A flag that says how many clients there are says so for all of them; one that says what they are there to vary
/// would make them the same.
fn variants(variants: &[Variant], overrides: &Overrides) -> Result<Vec<Variant>, PlanError> {
    let given = [
        (
            "--mode",
            overrides.mode.is_some(),
            variants.iter().any(|one| one.mode.is_some()),
        ),
        (
            "--poll-interval",
            overrides.poll_interval_ms.is_some(),
            variants.iter().any(|one| one.poll_interval_ms.is_some()),
        ),
    ];
    if let Some((flag, ..)) = given.iter().find(|(_, flag, varied)| *flag && *varied) {
        return Err(PlanError::Varied(flag));
    }
    let one = |variant: &Variant| Variant {
        clients: variant.clients.filter(|_| overrides.clients.is_none()),
        ..variant.clone()
    };
    Ok(variants.iter().map(one).collect())
}

fn joined(first: &[String], second: &[String]) -> Vec<String> {
    first.iter().chain(second).cloned().collect()
}

/// The schedule of `--until-settled`, where there is something to settle.
fn looks(plan: &Plan, most: u32) -> Result<Looks, PlanError> {
    if plan.compared().len() < 2 {
        return Err(PlanError::NothingToSettle);
    }
    if plan.repeats < REPEATS_TO_LOOK {
        return Err(PlanError::TooFewToLook { repeats: plan.repeats });
    }
    if !(plan.repeats..=*REPEATS.end()).contains(&most) {
        return Err(PlanError::UntilSettled {
            most,
            repeats: plan.repeats,
            limit: *REPEATS.end(),
        });
    }
    Ok(schedule(plan.repeats, most))
}

fn transport_ids(asked: Option<&Vec<String>>) -> Result<Vec<String>, PlanError> {
    let Some(asked) = asked else {
        return Ok(floor::contender_ids().map(str::to_owned).collect());
    };
    for (index, id) in asked.iter().enumerate() {
        if floor::contender(id).is_none() {
            let nearest = nearest(id, floor::contender_ids());
            return Err(PlanError::UnknownTransport {
                name: id.clone(),
                nearest,
            });
        }
        if asked[..index].contains(id) {
            return Err(PlanError::Twice(id.clone()));
        }
    }
    if asked.is_empty() {
        Err(PlanError::NoTransport)
    } else {
        Ok(asked.clone())
    }
}

/// Updates one client is sent per second, by the plan; None when the feed does not say.
pub fn updates_per_client_s(plan: &Plan) -> Option<f64> {
    let (topics, rate) = match &plan.feed {
        FeedPlan::Simulated { topics, rate_hz, .. } => (*topics, Some(*rate_hz)),
        FeedPlan::Target { topics, rate_hz, .. } => (*topics, *rate_hz),
        FeedPlan::Replay { .. } => (0, None),
    };
    let followed = if plan.follow == Follow::All {
        f64::from(topics)
    } else {
        1.0
    };
    rate.map(|rate| rate * followed)
}

fn setting(arrivals: Arrivals) -> ArrivalsSetting {
    match arrivals {
        Arrivals::Regular => ArrivalsSetting::Regular,
        Arrivals::Poisson => ArrivalsSetting::Poisson,
        Arrivals::Burst => ArrivalsSetting::Burst,
    }
}

fn feed_plan(settings: &FeedSettings, feed: &FeedDescription) -> FeedPlan {
    match &settings.replay {
        Some(file) => FeedPlan::Replay {
            file: file
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
            source: match &*feed.kind {
                RECORDING => ReplaySource::Recording,
                _ if replay::is_named(file) => ReplaySource::Table,
                _ => ReplaySource::Matches,
            },
            speed: feed.speed.unwrap_or(1.0),
            topics: feed.topics,
            update_bytes: feed.update_bytes,
            // Known when the feed is made.
            updates: None,
        },
        None => FeedPlan::Simulated {
            topics: feed.topics,
            rate_hz: feed.rate_hz.unwrap_or(0.0),
            update_bytes: feed.update_bytes,
            arrivals: match settings.arrivals {
                None | Some(ArrivalsSetting::Regular) => Arrivals::Regular,
                Some(ArrivalsSetting::Poisson) => Arrivals::Poisson,
                Some(ArrivalsSetting::Burst) => Arrivals::Burst,
            },
            burst_size: settings.burst_size.unwrap_or(DEFAULT_BURST_SIZE),
        },
    }
}

impl Resolved {
    /// As a variant of the plan measures it.
    pub fn varied(&self, name: Option<&str>) -> Resolved {
        Resolved {
            plan: self.plan.varied(name),
            feed: self.feed.clone(),
            source: self.source.clone(),
        }
    }
}

impl Plan {
    pub fn poll_interval(&self) -> Duration {
        Duration::from_millis(self.poll_interval_ms)
    }

    /// Without what happens to clients and server: for a calibration, which asks what a client that stays adds.
    pub fn leave_in_peace(&mut self) {
        self.churn = None;
        self.restart = None;
        self.stalled_clients = 0;
        (self.workers, self.nodes) = (1, 1);
    }

    /// The node that serves a client, of so many topics: client i mod the nodes, and one further after each round in which topics and nodes come
    /// out even. Otherwise a node would have clients of some topics alone, wherever both numbers have a common factor.
    pub fn node_of(&self, client: u32, topics: u32) -> u32 {
        let nodes = self.nodes.max(1);
        let common = match self.follow {
            Follow::One => common_factor(topics.max(1), nodes),
            Follow::All => 1,
        };
        // Where nothing is shared there is nothing to shift; longer than that no plan is.
        let round = (topics.max(1) / common).saturating_mul(nodes);
        let shift = client / round % common;
        (client % nodes + shift) % nodes
    }

    pub fn topics(&self) -> u32 {
        match &self.feed {
            FeedPlan::Simulated { topics, .. } | FeedPlan::Replay { topics, .. } | FeedPlan::Target { topics, .. } => {
                *topics
            }
        }
    }

    /// The topic that client i follows, of so many; None when it follows all (or there is none).
    pub fn topic_of(&self, client: u32, topics: u32) -> Option<u32> {
        (self.follow == Follow::One && topics > 0).then(|| client % topics)
    }

    /// Transport and repeat of every row that is sure to be measured, in balanced order: A B C D, D C B A, A B C D …
    pub fn rows(&self) -> Vec<(ContenderId, u32)> {
        (1..=self.repeats).flat_map(|repeat| self.round(repeat)).collect()
    }

    /// The rows of one round.
    pub fn round(&self, repeat: u32) -> Vec<(ContenderId, u32)> {
        let mut round: Vec<_> = self.contenders().into_iter().map(|id| (id, repeat)).collect();
        if repeat.is_multiple_of(2) {
            round.reverse();
        }
        round
    }
}

/// The greatest number that divides both.
fn common_factor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { common_factor(b, a % b) }
}

#[cfg(test)]
mod tests;
