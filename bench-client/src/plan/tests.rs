use super::*;
use crate::scenario::ScenarioFile;

fn refusal(file: ScenarioFile) -> String {
    let scenario = Scenario { name: "x".into(), file };
    resolve(&scenario, &Overrides::default())
        .err()
        .map_or_else(String::new, |error| error.to_string())
}

#[test]
fn bursts_are_counted_whole() {
    let burst = |burst_size, duration_s| ScenarioFile {
        rate_hz: Some(20.0),
        arrivals: Some(Arrivals::Burst),
        burst_size: Some(burst_size),
        duration_s: Some(duration_s),
        ..ScenarioFile::default()
    };
    assert_eq!(refusal(burst(10, 2.0)), "");
    // 40 updates by the mean rate, but a burst comes every 20 s.
    let said = refusal(burst(400, 2.0));
    assert!(said.contains("every 20 s") && said.contains("--duration 20"), "{said}");
}

#[test]
fn a_replay_and_a_simulation_in_one_scenario_contradict_each_other() {
    let file = ScenarioFile {
        replay: Some("a.json".into()),
        rate_hz: Some(3.0),
        ..ScenarioFile::default()
    };
    assert!(refusal(file).contains("rate_hz makes no sense beside replay"));
}

#[test]
fn only_a_window_that_sees_the_end_knows_how_matches_end() {
    let scenario = Scenario::load("real-matches").expect("a built-in scenario");
    let results = |duration_s| {
        let overrides = Overrides {
            duration_s,
            ..Overrides::default()
        };
        let resolved = resolve(&scenario, &overrides).expect("a good plan");
        resolved.source.results.len()
    };
    assert_eq!([None, Some(1_000.0), Some(20.0)].map(results), [16, 16, 0]);
}

#[test]
fn rounds_go_forth_and_back() {
    let scenario = Scenario::load("live-score").expect("a built-in scenario");
    let plan = resolve(
        &scenario,
        &Overrides {
            repeats: Some(3),
            ..Overrides::default()
        },
    )
    .expect("a good plan")
    .plan;
    let ids: Vec<_> = plan.rows().into_iter().map(|(id, _)| id).collect();
    let (first, second) = (&ids[..4], &ids[4..8]);
    assert_eq!(first, ["short-poll", "long-poll", "sse", "websocket"]);
    assert!(second.iter().eq(first.iter().rev()));
    assert_eq!(first, &ids[8..]);
}

#[test]
fn looks_are_planned_where_there_is_something_to_settle() {
    let scenario = Scenario::load("live-score").expect("a built-in scenario");
    let planned = |repeats, transports: &[&str], most| {
        let overrides = Overrides {
            repeats: Some(repeats),
            transports: Some(transports.iter().map(|id| (*id).to_owned()).collect()),
            until_settled: Some(most),
            ..Overrides::default()
        };
        resolve(&scenario, &overrides).map(|resolved| resolved.plan.looks.map(|looks| looks.after_repeats))
    };
    let refusal = |repeats, transports: &[&str], most| match planned(repeats, transports, most) {
        Ok(looks) => panic!("{looks:?}"),
        Err(error) => error.to_string(),
    };
    let two = ["sse", "websocket"];
    assert_eq!(planned(4, &two, 20).expect("a good plan"), Some(vec![4, 6, 9, 14, 20]));
    let said = refusal(4, &two, 3);
    assert!(said.contains("--until-settled 3: expected 4 to 1000"), "{said}");
    assert!(refusal(4, &two, 1001).contains("--until-settled 1001: expected 4 to 1000"));
    assert!(refusal(1, &two, 20).contains("--repeats 2"));
    assert!(refusal(4, &["sse"], 20).contains("two or more"));
}
