//! The command that makes a recorded plan again, for documents that show what it came to.
//!
//! ```text
//! Plan -> flags in which it differs from its scenario -> planned once more -> the same? `run SCENARIO …` : `run --like DIR`
//! ```

use crate::{
    plan::{self, Overrides, PlanError},
    record::{FeedPlan, Mode, Plan, ReplaySource},
    scenario::{BUILT_IN, Scenario},
};

/// The words after the program's name. `folder` is where the record lies.
pub fn command(plan: &Plan, folder: &str) -> String {
    if let Some(words) = by_flags(plan) {
        return words.join(" ");
    }
    let mut words = vec!["run --like".to_owned(), quoted(folder)];
    if let FeedPlan::Replay { file, source, .. } = &plan.feed
        && *source != ReplaySource::Table
    {
        words.push(format!("--replay {}", quoted(file)));
    }
    if plan.remote {
        words.push("--target URL".to_owned());
    }
    words.join(" ")
}

/// The scenario and flags that are planned into the very same plan, where there are any.
fn by_flags(plan: &Plan) -> Option<Vec<String>> {
    let (name, _) = BUILT_IN.iter().find(|(name, _)| *name == plan.scenario)?;
    let scenario = Scenario::load(name).ok()?;
    let usual = plan::resolve(&scenario, &Overrides::default()).ok()?.plan;
    let mut overrides = overrides(plan, &usual);
    let planned = match plan::resolve(&scenario, &overrides) {
        // The record does not keep whether it was forced.
        Err(PlanError::TooFewUpdates { .. } | PlanError::TooFewBursts { .. }) => {
            overrides.force = true;
            plan::resolve(&scenario, &overrides)
        }
        planned => planned,
    };
    same(&planned.ok()?.plan, plan).then(|| {
        let mut words = vec!["run".to_owned(), (*name).to_owned()];
        words.extend(flags(&overrides));
        words
    })
}

/// Whether both measure the same; what they say of it may differ.
fn same(a: &Plan, b: &Plan) -> bool {
    let silent = |plan: &Plan| Plan {
        summary: String::new(),
        analysis: String::new(),
        ..plan.clone()
    };
    silent(a) == silent(b)
}

fn overrides(plan: &Plan, usual: &Plan) -> Overrides {
    fn other<T: PartialEq + Clone>(value: &T, usual: &T) -> Option<T> {
        (value != usual).then(|| value.clone())
    }
    let mut overrides = Overrides {
        transports: other(&plan.transports, &usual.transports),
        clients: other(&plan.clients, &usual.clients),
        poll_interval_ms: other(&plan.poll_interval_ms, &usual.poll_interval_ms),
        duration_s: other(&plan.duration_s, &usual.duration_s),
        repeats: other(&plan.repeats, &usual.repeats),
        until_settled: plan
            .looks
            .as_ref()
            .and_then(|looks| looks.after_repeats.last().copied()),
        mode: other(&plan.mode, &usual.mode),
        seed: other(&plan.seed, &usual.seed),
        workers: other(&plan.workers, &usual.workers),
        nodes: other(&plan.nodes, &usual.nodes),
        thresholds: plan
            .thresholds
            .get(usual.thresholds.len()..)
            .unwrap_or_default()
            .to_vec(),
        ..Overrides::default()
    };
    if let (
        FeedPlan::Simulated {
            topics,
            rate_hz,
            update_bytes,
            ..
        },
        FeedPlan::Simulated {
            topics: usual_topics,
            rate_hz: usual_rate,
            update_bytes: usual_bytes,
            ..
        },
    ) = (&plan.feed, &usual.feed)
    {
        overrides.topics = other(topics, usual_topics);
        overrides.rate_hz = other(rate_hz, usual_rate);
        overrides.update_bytes = update_bytes.filter(|_| update_bytes != usual_bytes);
    }
    if let (FeedPlan::Replay { speed, .. }, FeedPlan::Replay { speed: usual, .. }) = (&plan.feed, &usual.feed) {
        overrides.speed = other(speed, usual);
    }
    overrides
}

/// As they are typed.
fn flags(overrides: &Overrides) -> Vec<String> {
    fn flag(name: &str, value: Option<impl ToString>) -> Option<String> {
        value.map(|value| format!("{name} {}", quoted(&value.to_string())))
    }
    let mode = overrides.mode.map(Mode::name);
    let flags = [
        flag("--transport", overrides.transports.as_ref().map(|ids| ids.join(","))),
        flag("--clients", overrides.clients),
        flag("--topics", overrides.topics),
        flag("--rate", overrides.rate_hz),
        flag("--payload", overrides.update_bytes),
        flag("--poll-interval", overrides.poll_interval_ms),
        flag("--duration", overrides.duration_s),
        flag("--repeats", overrides.repeats),
        flag("--until-settled", overrides.until_settled),
        flag("--mode", mode),
        flag("--seed", overrides.seed),
        flag("--speed", overrides.speed),
        flag("--workers", overrides.workers),
        flag("--nodes", overrides.nodes),
    ];
    let thresholds = overrides.thresholds.iter().map(|text| flag("--threshold", Some(text)));
    let force = overrides.force.then(|| "--force".to_owned());
    flags.into_iter().chain(thresholds).chain([force]).flatten().collect()
}

/// A word that a shell takes as it is.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./,:=+-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    let word: String = word.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(name: &str, overrides: &Overrides) -> Plan {
        let scenario = Scenario::load(name).expect("a built-in scenario");
        plan::resolve(&scenario, overrides).expect("a good plan").plan
    }

    #[test]
    fn it_names_only_what_differs_from_the_scenario() {
        for (name, _) in BUILT_IN {
            assert_eq!(
                command(&planned(name, &Overrides::default()), "dir"),
                format!("run {name}")
            );
        }
        let overrides = Overrides {
            transports: Some(vec!["websocket".into(), "sse".into()]),
            clients: Some(500),
            topics: Some(3),
            rate_hz: Some(20.5),
            update_bytes: Some(1024),
            poll_interval_ms: Some(500),
            duration_s: Some(8.0),
            repeats: Some(3),
            until_settled: Some(9),
            mode: Some(Mode::Latest),
            seed: Some(7),
            workers: Some(3),
            nodes: Some(2),
            thresholds: vec!["websocket.latency_p99_ms < 50".into()],
            ..Overrides::default()
        };
        assert_eq!(
            command(&planned("live-score", &overrides), "dir"),
            "run live-score --transport websocket,sse --clients 500 --topics 3 --rate 20.5 --payload 1024 --poll-interval 500 \
             --duration 8 --repeats 3 --until-settled 9 --mode latest --seed 7 --workers 3 --nodes 2 --threshold 'websocket.latency_p99_ms < 50'"
        );
        let few = Overrides {
            rate_hz: Some(1.0),
            force: true,
            ..Overrides::default()
        };
        assert_eq!(
            command(&planned("live-score", &few), "dir"),
            "run live-score --rate 1 --force"
        );
    }

    #[test]
    fn what_flags_cannot_say_is_taken_from_the_record() {
        let mut plan = planned("live-score", &Overrides::default());
        plan.analysis = "Other words change nothing.".into();
        assert_eq!(command(&plan, "results/a"), "run live-score");
        plan.wait_ms += 1;
        assert_eq!(command(&plan, "results/a b"), "run --like 'results/a b'");
        plan.scenario = "mine".into();
        plan.remote = true;
        assert_eq!(command(&plan, "out"), "run --like out --target URL");
        plan.remote = false;
        plan.feed = FeedPlan::Replay {
            file: "it's.json".into(),
            source: ReplaySource::Matches,
            speed: 60.0,
            topics: 2,
            update_bytes: None,
            updates: None,
        };
        assert_eq!(command(&plan, "out"), r"run --like out --replay 'it'\''s.json'");
    }
}
