//! Scenarios: any TOML is refused, or makes a plan that keeps all bounds, that a record can hold, and that can be run again from there.

use crate::{
    cli::dry_run,
    limits,
    plan::{Changes, Overrides, resolve, resolve_like},
    record::{Plan, RunRecord},
    report::fixture,
    scenario::Scenario,
};

/// Events of a feed that are looked at.
const EVENTS: usize = 20;

thread_local! {
    /// Where plans are put; making it up takes longer than a case.
    static EMPTY: RunRecord = fixture::empty();
}

/// Reads the scenario, plans it, and does everything with the plan that comes before the first server starts.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(mut scenario) = Scenario::parse("check", text) else {
        return;
    };
    // The name of a file: what is in it is another parser's.
    scenario.file.replay = None;
    let resolved = match resolve(&scenario, &Overrides::default()) {
        Ok(resolved) => resolved,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let plan = &resolved.plan;
    in_bounds(plan);
    let json = serde_json::to_string(plan).expect("plain data");
    let again: Plan = serde_json::from_str(&json).expect("a record holds any plan");
    assert_eq!(again, *plan);

    let mut record = EMPTY.with(RunRecord::clone);
    let needs = limits::needs(plan, &record.environment);
    assert!(!dry_run::describe(plan, &needs).is_empty());
    for id in &plan.transports {
        assert!(limits::traffic(plan, id).requests_per_s.is_finite());
    }
    assert!(limits::run_s(plan).is_finite());

    let settings = resolved.feed.as_ref().expect("a server of our own");
    let (feed, _) = settings.feed().expect("it was made once");
    let due: Vec<_> = feed.events.take(EVENTS).map(|event| event.due).collect();
    assert!(due.is_sorted());

    record.plan = again;
    let like = resolve_like(&record, &Changes::default(), None).expect("what was planned can be planned again");
    assert_eq!(like.plan, *plan);
}

fn in_bounds(plan: &Plan) {
    assert!((1..=1_000_000).contains(&plan.clients) && (1..=1_000).contains(&plan.repeats));
    assert!((1..=10_000).contains(&plan.topics()) && (10..=3_600_000).contains(&plan.poll_interval_ms));
    for seconds in [plan.settle_s, plan.duration_s] {
        assert!((0.1..=86_400.0).contains(&seconds));
    }
    assert!(plan.wait_ms <= 60_000 && (0.0..=1.0).contains(&plan.margin));
    let contenders = plan.transports.len() * plan.variants.len().max(1);
    assert_eq!(plan.rows().len(), contenders * plan.repeats as usize);
    // Bounded by the repeats, the transports that there are, and the variants that a plan may have.
    assert!(contenders <= 8 * crate::transports::ALL.len() && plan.repeats <= 1_000);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{properties::cases, scenario::BUILT_IN};

    /// Keys with values of their kind, in range and out of it.
    fn line() -> impl Strategy<Value = String> {
        let whole = prop::sample::select(
            &[
                "repeats",
                "clients",
                "topics",
                "update_bytes",
                "burst_size",
                "poll_interval_ms",
                "wait_ms",
                "seed",
            ][..],
        );
        let number = prop::sample::select(&["rate_hz", "speed", "settle_s", "duration_s", "ramp_per_s", "margin"][..]);
        let word = prop::sample::select(&["follow", "arrivals", "mode", "request_headers", "summary", "replay"][..]);
        let size = prop_oneof![4 => 1..2_000i64, 1 => any::<i64>(), 1 => prop::sample::select(&[0, -1, i64::MAX, 4_294_967_296, 65_536][..])];
        let float = prop_oneof![
            4 => (0.0..100.0f64).prop_map(|value| value.to_string()),
            1 => any::<f64>().prop_map(|value| format!("{value:?}").replace("NaN", "nan")),
            1 => prop::sample::select(&["nan", "inf", "-inf", "-0.0", "1e308", "5e-324", "1_000", "0"][..]).prop_map(str::to_owned),
        ];
        let of = prop::sample::select(
            &[
                "one", "all", "regular", "poisson", "burst", "every", "latest", "browser", "minimal", "", "x",
            ][..],
        );
        prop_oneof![
            4 => (whole, size).prop_map(|(key, value)| format!("{key} = {value}")),
            4 => (number, float.clone()).prop_map(|(key, value)| format!("{key} = {value}")),
            3 => (word, of).prop_map(|(key, value)| format!("{key} = {value:?}")),
            1 => any::<bool>().prop_map(|value| format!("keep_alive = {value}")),
            2 => any::<bool>().prop_map(|value| format!("force = {value}")),
            1 => prop::collection::vec(prop::sample::select(&["sse", "websocket", "short-poll", "long-poll", "x"][..]), 0..5).prop_map(|ids| format!("transports = {ids:?}")),
            1 => prop::collection::vec("(all|sse)\\.(missed|reach|x) (<|==) [0-9]{1,3}", 0..3).prop_map(|all| format!("thresholds = {all:?}")),
            1 => (prop::sample::select(&["client_cpu_share", "drift_ratio", "x"][..]), float).prop_map(|(key, value)| format!("bounds.{key} = {{ suspect = {value} }}")),
        ]
    }

    proptest! {
        #![proptest_config(cases(50))]

        #[test]
        fn any_bytes(data in prop::collection::vec(any::<u8>(), 0..100)) {
            check(&data);
        }

        #[test]
        fn scenarios_good_and_bad(lines in prop::collection::hash_set(line(), 0..6)) {
            check(lines.into_iter().collect::<Vec<_>>().join("\n").as_bytes());
        }

        #[test]
        fn built_in_ones_with_a_part_exchanged(which in 0..BUILT_IN.len(), at: usize, length in 0..6usize, part in "[ -~\n]{0,6}") {
            let mut text: Vec<char> = BUILT_IN[which].1.chars().collect();
            let at = at % text.len();
            let end = (at + length).min(text.len());
            text.splice(at..end, part.chars());
            check(text.into_iter().collect::<String>().as_bytes());
        }
    }

    #[test]
    fn what_is_within_every_range_may_be_more_than_can_be_counted() {
        check(b"clients = 1000000\ntopics = 10000\nrate_hz = 1000\nfollow = \"all\"\nsettle_s = 86400\nduration_s = 86400");
    }

    #[test]
    fn bounds_that_are_no_numbers_are_refused() {
        for (value, said) in [
            ("nan", "no finite number"),
            ("inf", "no finite number"),
            ("-1.0", "is -1"),
        ] {
            let text = format!("[bounds]\ndrift_ratio = {{ suspect = {value} }}");
            let scenario = Scenario::parse("check", &text).expect("a scenario");
            let error = resolve(&scenario, &Overrides::default())
                .expect_err("no bound")
                .to_string();
            assert!(
                error.contains("bounds.drift_ratio.suspect") && error.contains(said),
                "{error}"
            );
        }
    }

    #[test]
    fn thresholds_are_bounded_in_number_and_length() {
        let refused = |thresholds: Vec<String>| {
            let mut scenario = Scenario::load("smoke").expect("built in");
            scenario.file.thresholds = Some(thresholds);
            resolve(&scenario, &Overrides::default())
                .err()
                .map(|error| error.to_string())
        };
        let good = "all.missed == 0".to_owned();
        assert_eq!(refused(vec![good.clone(); 200]), None);
        assert!(
            refused(vec![good.clone(); 201])
                .expect("too many")
                .contains("201: expected 0 to 200")
        );
        let long = format!("{good}{}", " ".repeat(200));
        assert!(
            refused(vec![long])
                .expect("too long")
                .contains("it has 215 bytes, and 200 are the most")
        );
    }

    #[test]
    fn nesting_without_end_is_refused() {
        for (open, close) in [("[", "]"), ("{a=", "}")] {
            let depth = 20_000;
            check(format!("transports = {}{}", open.repeat(depth), close.repeat(depth)).as_bytes());
        }
    }
}
