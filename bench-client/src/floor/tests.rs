//! Where a run has a floor, and where it has none.

use super::*;
use crate::{
    plan::{self, Overrides, PlanError},
    record::{Churn, Plan},
    report::fixture,
    scenario::{BUILT_IN, Scenario},
    statistics::between_transports,
};

fn planned(name: &str, overrides: &Overrides) -> Result<Plan, PlanError> {
    let scenario = Scenario::load(name).expect("a built-in scenario");
    plan::resolve(&scenario, overrides).map(|resolved| resolved.plan)
}

fn asking(transports: &[&str]) -> Overrides {
    Overrides {
        transports: Some(transports.iter().map(|id| (*id).to_owned()).collect()),
        ..Overrides::default()
    }
}

#[test]
fn a_run_that_names_no_transports_ends_each_odd_round_with_the_floor() {
    let plan = planned("live-score", &Overrides::default()).unwrap();
    assert_eq!(plan.transports, contender_ids().collect::<Vec<_>>());
    let of = |repeat| -> Vec<String> { plan.round(repeat).iter().map(|(id, _)| id.to_string()).collect() };
    let (first, mut second) = (of(1), of(2));
    assert_eq!(first.last().map(String::as_str), Some(ID));
    second.reverse();
    assert_eq!(first, second, "the balance stays");
    assert_eq!(left_out(&plan), None);
}

#[test]
fn built_in_scenarios_have_it_or_say_why_not() {
    for (name, _) in BUILT_IN {
        let plan = planned(name, &Overrides::default()).unwrap();
        let has = plan.transports.iter().any(|id| id == ID);
        assert_eq!(has, left_out(&plan).is_none(), "{name}");
        assert_eq!(has, unfit(&plan).is_none(), "{name}");
    }
    let with = [
        "live-score",
        "smoke",
        "ten-thousand",
        "goal-burst",
        "real-matches",
        "large-updates",
    ];
    for name in with {
        assert!(
            unfit(&planned(name, &Overrides::default()).unwrap()).is_none(),
            "{name}"
        );
    }
}

#[test]
fn asked_for_where_there_can_be_none_it_is_refused_with_the_reason() {
    assert!(planned("live-score", &asking(&["sse", ID])).is_ok());
    for (name, reason) in [
        ("idle", "without updates"),
        ("latest-state", "with variants"),
        ("churn", "with churn"),
        ("slow-readers", "with variants"),
    ] {
        let said = planned(name, &asking(&["sse", ID])).unwrap_err().to_string();
        let start = format!("the transport floor makes no sense {reason}");
        assert!(
            said.starts_with(&start) && said.ends_with("leave it out"),
            "{name}: {said}"
        );
        // Naming others is no reason to speak of it.
        assert_eq!(left_out(&planned(name, &asking(&["sse"])).unwrap()), None);
    }
}

#[test]
fn every_reason_stands_for_itself() {
    let plan = planned("live-score", &Overrides::default()).unwrap();
    let why = |change: fn(&mut Plan)| {
        let mut plan = plan.clone();
        change(&mut plan);
        unfit(&plan).unwrap_or_default()
    };
    assert_eq!(why(|_| {}), "");
    assert!(why(|plan| plan.remote = true).starts_with("with --target"));
    assert!(why(|plan| plan.mode = Mode::Latest).starts_with("in mode latest"));
    assert!(why(|plan| plan.keep_alive = false).starts_with("without keep-alive"));
    assert!(why(|plan| plan.stalled_clients = 1).starts_with("beside stalled_clients"));
    assert!(
        why(|plan| {
            plan.churn = Some(Churn {
                stay_s: 1.0,
                away_s: 1.0,
            });
        })
        .starts_with("with churn")
    );
}

#[test]
fn it_spends_nothing_of_the_chance_that_comparisons_share() {
    let (without, with) = (
        between_transports(&fixture::record()),
        between_transports(&fixture::with_floor()),
    );
    assert!(!without.all.is_empty());
    assert_eq!(without.all.len(), with.all.len());
    for (one, same) in without.all.iter().zip(&with.all) {
        assert_eq!(
            (&one.first, &one.second, one.interval),
            (&same.first, &same.second, same.interval)
        );
    }
    let alone = planned("live-score", &asking(&["sse", ID])).unwrap();
    assert_eq!(alone.compared().len(), 1);
    let settled = Overrides {
        until_settled: Some(9),
        ..asking(&["sse", ID])
    };
    assert!(matches!(
        planned("live-score", &settled),
        Err(PlanError::NothingToSettle)
    ));
}
