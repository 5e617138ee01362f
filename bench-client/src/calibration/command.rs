//! The command that calibrates a plan, for reports: with the flags in which the plan differs from its scenario.

use std::path::Path;

use crate::{
    floor,
    plan::{self, Overrides},
    record::{FeedPlan, Mode, Plan},
    scenario::{BUILT_IN, Scenario},
};

/// The words after the program's name. A scenario file of the user's own is named as in the record, without its folder.
pub fn command(plan: &Plan, transports: &[&str]) -> String {
    let built_in = BUILT_IN.iter().any(|(name, _)| *name == plan.scenario);
    let usual = built_in.then(|| Scenario::load(&plan.scenario).ok()).flatten();
    let usual = usual.and_then(|scenario| plan::resolve(&scenario, &Overrides::default()).ok());
    let usual = usual.map(|resolved| Flags::of(&resolved.plan));
    let by_file =
        matches!(&plan.feed, FeedPlan::Replay { file, .. } if Scenario::replay(Path::new(file)).name == plan.scenario);
    let mut words = vec!["calibrate".to_owned()];
    match (built_in, by_file) {
        (true, _) => words.push(plan.scenario.clone()),
        (false, true) => {}
        (false, false) => words.push(format!("{}.toml", plan.scenario)),
    }
    // The floor is none of them.
    if transports.len() < plan.transports.iter().filter(|id| *id != floor::ID).count() {
        words.push(format!("--transport {}", transports.join(",")));
    }
    for (flag, value) in Flags::of(plan).0 {
        let is_usual = usual
            .as_ref()
            .is_some_and(|usual| usual.0.contains(&(flag, value.clone())));
        if let Some(value) = value.filter(|_| !is_usual) {
            words.push(format!("{flag} {value}"));
        }
    }
    words.join(" ")
}

/// Flags and their values; None where a plan has none.
struct Flags(Vec<(&'static str, Option<String>)>);

impl Flags {
    fn of(plan: &Plan) -> Self {
        let mut flags = vec![
            ("--clients", Some(plan.clients.to_string())),
            ("--poll-interval", Some(plan.poll_interval_ms.to_string())),
            (
                "--mode",
                Some(match plan.mode {
                    Mode::Every => "every".to_owned(),
                    Mode::Latest => "latest".to_owned(),
                }),
            ),
        ];
        match &plan.feed {
            FeedPlan::Simulated {
                topics,
                rate_hz,
                update_bytes,
                ..
            } => flags.extend([
                ("--topics", Some(topics.to_string())),
                ("--rate", Some(rate_hz.to_string())),
                ("--payload", update_bytes.map(|bytes| bytes.to_string())),
            ]),
            FeedPlan::Replay {
                file,
                speed,
                update_bytes,
                ..
            } => flags.extend([
                ("--replay", Some(file.clone())),
                ("--speed", Some(speed.to_string())),
                ("--payload", update_bytes.map(|bytes| bytes.to_string())),
            ]),
            FeedPlan::Target { .. } => {}
        }
        Self(flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_names_what_differs_from_the_scenario() {
        let scenario = Scenario::load("live-score").expect("a built-in scenario");
        let overrides = Overrides {
            clients: Some(500),
            rate_hz: Some(7.5),
            mode: Some(Mode::Latest),
            repeats: Some(9),
            ..Overrides::default()
        };
        let mut plan = plan::resolve(&scenario, &overrides).expect("a good plan").plan;
        let all: Vec<_> = plan.transports.clone();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        assert_eq!(
            command(&plan, &all),
            "calibrate live-score --clients 500 --mode latest --rate 7.5"
        );
        let usual = plan::resolve(&scenario, &Overrides::default())
            .expect("a good plan")
            .plan;
        assert_eq!(
            command(&usual, &["sse", "websocket"]),
            "calibrate live-score --transport sse,websocket"
        );

        // What a file of the user's own says is not known here: everything that can be said is.
        plan.scenario = "mine".into();
        assert_eq!(
            command(&plan, &all),
            "calibrate mine.toml --clients 500 --poll-interval 1000 --mode latest --topics 1 --rate 7.5 --payload 256"
        );
        plan.feed = FeedPlan::Replay {
            file: "mine.json".into(),
            source: Default::default(),
            speed: 60.0,
            topics: 2,
            update_bytes: None,
            updates: None,
        };
        assert_eq!(
            command(&plan, &all),
            "calibrate --clients 500 --poll-interval 1000 --mode latest --replay mine.json --speed 60"
        );
    }
}
