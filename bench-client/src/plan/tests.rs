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
    let ids: Vec<_> = plan.rows().into_iter().map(|(id, _)| id.to_string()).collect();
    let (first, second) = (&ids[..5], &ids[5..10]);
    assert_eq!(first, ["short-poll", "long-poll", "sse", "websocket", "floor"]);
    assert!(second.iter().eq(first.iter().rev()));
    assert_eq!(first, &ids[10..]);
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

#[test]
fn every_variant_is_measured_in_every_round() {
    let scenario = with_variants(
        "[[variants]]\nname = \"kept\"\n[[variants]]\nname = \"closed\"\nkeep_alive = false\nclients = 7\n",
    );
    let plan = resolve(&scenario, &Overrides::default()).expect("a good plan").plan;
    let first: Vec<_> = plan.round(1).into_iter().map(|(id, _)| id.to_string()).collect();
    assert_eq!(first[..3], ["short-poll/kept", "short-poll/closed", "long-poll/kept"]);
    assert_eq!(plan.rows().len(), 8 * plan.repeats as usize);
    let closed = plan.varied(Some("closed"));
    assert_eq!(
        (closed.keep_alive, closed.clients, closed.variants.len()),
        (false, 7, 0)
    );
    assert!(plan.varied(Some("kept")).keep_alive);
    // A flag says how many for all of them.
    let overrides = Overrides {
        clients: Some(50),
        ..Overrides::default()
    };
    let plan = resolve(&scenario, &overrides).expect("a good plan").plan;
    assert_eq!(plan.varied(Some("closed")).clients, 50);
}

#[test]
fn variants_that_cannot_be_told_apart_are_refused() {
    let refused = |text: &str| {
        let error = resolve(&with_variants(text), &Overrides::default()).expect_err("a bad plan");
        format!("{:#}", anyhow::Error::from(error))
    };
    let said = refused("[[variants]]\nname = \"only\"\n");
    assert!(said.contains("\"only\"") && said.contains("add another"), "{said}");
    let said = refused("[[variants]]\nname = \"a\"\n[[variants]]\nname = \"a\"\n");
    assert!(said.contains("named twice"), "{said}");
    let said = refused("[[variants]]\nname = \"a/b\"\n[[variants]]\nname = \"c\"\n");
    assert!(said.contains("lower-case letters"), "{said}");
    let said = refused("[[variants]]\nname = \"a\"\npoll_interval_ms = 1\n[[variants]]\nname = \"b\"\n");
    assert!(said.contains("variant \"a\": poll interval 1: expected 10"), "{said}");
}

#[test]
fn a_flag_for_what_variants_vary_is_refused() {
    let scenario = with_variants("[[variants]]\nname = \"a\"\nmode = \"latest\"\n[[variants]]\nname = \"b\"\n");
    let overrides = Overrides {
        mode: Some(Mode::Every),
        ..Overrides::default()
    };
    let said = resolve(&scenario, &overrides).expect_err("a bad plan").to_string();
    assert!(said.contains("--mode") && said.contains("variants"), "{said}");
}

fn with_variants(text: &str) -> Scenario {
    Scenario {
        name: "x".into(),
        file: toml::from_str(text).expect("a scenario"),
    }
}

#[test]
fn times_of_churn_have_their_range() {
    let churn = |stay_s, away_s| ScenarioFile {
        churn: Some(crate::record::Churn { stay_s, away_s }),
        ..ScenarioFile::default()
    };
    assert_eq!(refusal(churn(5.0, 2.0)), "");
    let said = refusal(churn(0.0, 2.0));
    assert!(said.contains("churn.stay_s 0: expected 0.05 to 3600 s"), "{said}");
    let said = refusal(churn(5.0, f64::NAN));
    assert!(said.contains("churn.away_s NaN"), "{said}");
}

#[test]
fn processes_that_cannot_be_are_refused_and_named() {
    let of = |workers, nodes| ScenarioFile {
        clients: Some(10),
        workers,
        nodes,
        ..ScenarioFile::default()
    };
    assert_eq!(refusal(of(Some(10), Some(10))), "");
    let cases = [
        (of(Some(0), None), "workers 0: expected 1 to 64"),
        (of(Some(65), None), "workers 65: expected 1 to 64"),
        (of(None, Some(0)), "nodes 0: expected 1 to 64"),
        (of(Some(11), None), "workers 11: 10 clients leave some without any"),
        (of(None, Some(11)), "nodes 11: 10 clients leave some without any"),
    ];
    for (file, words) in cases {
        let said = refusal(file);
        assert!(said.contains(words), "{said}");
    }
    let restart = Some(crate::record::Restart {
        after_s: 2.0,
        down_s: 0.5,
    });
    let churn = Some(crate::record::Churn {
        stay_s: 1.0,
        away_s: 1.0,
    });
    type Change<'a> = &'a dyn Fn(&mut ScenarioFile);
    let restarted: Change<'_> = &|file| (file.mode, file.restart) = (Some(Mode::Latest), restart);
    let cases: [(_, Change<'_>, &str); 4] = [
        (of(Some(2), None), restarted, "workers makes no sense with a restart"),
        (of(None, Some(2)), restarted, "nodes makes no sense with a restart"),
        (
            of(None, Some(2)),
            &|file| file.churn = churn,
            "nodes makes no sense with churn",
        ),
        (
            of(None, Some(2)),
            &|file| file.stalled_clients = Some(1),
            "nodes makes no sense beside stalled_clients",
        ),
    ];
    for (mut file, change, words) in cases {
        change(&mut file);
        let said = refusal(file);
        assert!(
            said.contains(words) && said.ends_with("leave one of them out"),
            "{said}"
        );
    }
    // Workers alone may churn, and stand beside stalled clients.
    let mut file = of(Some(2), None);
    (file.churn, file.stalled_clients) = (churn, Some(1));
    assert_eq!(refusal(file), "");
}

#[test]
fn every_node_has_clients_of_every_topic_and_as_many_as_the_others() {
    let mut plan = resolve(&Scenario::load("live-score").unwrap(), &Overrides::default())
        .unwrap()
        .plan;
    for (topics, nodes) in [(3, 3), (6, 4), (4, 2), (2, 3), (1, 5), (100, 64)] {
        plan.nodes = nodes;
        let clients = topics * nodes;
        let pairs = (0..clients).map(|client| (plan.topic_of(client, topics), plan.node_of(client, topics)));
        let pairs: std::collections::HashSet<_> = pairs.collect();
        assert_eq!(pairs.len() as u32, clients, "{topics} topics, {nodes} nodes");
        let of_first = (0..10 * nodes).filter(|client| plan.node_of(*client, topics) == 0);
        assert_eq!(of_first.count(), 10, "{topics} topics, {nodes} nodes");
    }
    assert_eq!(
        plan.node_of(u32::MAX, u32::MAX),
        u32::MAX % 64,
        "more than there can be"
    );
}

#[test]
fn a_client_has_the_process_and_the_node_of_its_number() {
    let overrides = Overrides {
        workers: Some(3),
        nodes: Some(2),
        ..Overrides::default()
    };
    let plan = resolve(&Scenario::load("live-score").unwrap(), &overrides)
        .unwrap()
        .plan;
    assert_eq!([0, 1, 2, 3].map(|client| plan.node_of(client, 1)), [0, 1, 0, 1]);
    let parts = (0..3).flat_map(|index| crate::fleet::Part { index, of: 3 }.clients(plan.clients));
    let mut all: Vec<u32> = parts.collect();
    all.sort_unstable();
    assert_eq!(all, (0..plan.clients).collect::<Vec<_>>(), "each client once");
    let text = serde_json::to_value(&plan).unwrap();
    assert_eq!((&text["workers"], &text["nodes"]), (&3.into(), &2.into()));
    // A record of before there was a choice.
    let mut before = text.as_object().unwrap().clone();
    before.remove("workers");
    before.remove("nodes");
    let read: crate::record::Plan = serde_json::from_value(before.into()).unwrap();
    assert_eq!((read.workers, read.nodes), (1, 1));
}

#[test]
fn processes_divide_descriptors_and_addresses_ports() {
    let machine = crate::record::Environment {
        descriptor_limit: 20_000,
        ephemeral_ports: 28_000,
        ..crate::environment::describe()
    };
    let needs = |name: &str, workers, nodes| {
        let overrides = Overrides {
            clients: Some(50_000),
            workers: Some(workers),
            nodes: Some(nodes),
            ..Overrides::default()
        };
        let plan = resolve(&Scenario::load(name).unwrap(), &overrides).unwrap().plan;
        let needs = crate::limits::needs(&plan, &machine);
        let met = |what| needs.iter().find(|need| need.what == what).unwrap().is_met();
        (met("descriptors per process"), met("local ports"))
    };
    assert_eq!(needs("live-score", 3, 3), (true, true));
    assert_eq!(needs("live-score", 3, 2), (false, true), "a server has 25,000 of them");
    assert_eq!(needs("live-score", 2, 3), (false, true), "a worker has 25,000 of them");
    assert_eq!(needs("live-score", 1, 1), (false, true), "two and a half addresses");
}

#[test]
fn a_restart_is_refused_where_it_makes_no_sense() {
    let restart = |after_s, down_s| ScenarioFile {
        mode: Some(Mode::Latest),
        restart: Some(crate::record::Restart { after_s, down_s }),
        ..ScenarioFile::default()
    };
    assert_eq!(refusal(restart(2.0, 0.5)), "");
    type Change = fn(&mut ScenarioFile);
    let cases: [(Change, &str); 6] = [
        (|file| file.mode = None, "in mode every: a new server has a new epoch"),
        (|file| file.rate_hz = Some(0.0), "without updates"),
        (
            |file| {
                file.churn = Some(crate::record::Churn {
                    stay_s: 1.0,
                    away_s: 1.0,
                })
            },
            "beside churn",
        ),
        (|file| file.stalled_clients = Some(1), "beside stalled_clients"),
        (
            |file| file.duration_s = Some(2.5),
            "comes back 2.5 s after the window begins, and the window lasts 2.5 s",
        ),
        (
            |file| file.restart.as_mut().unwrap().after_s = 0.0,
            "restart.after_s 0: expected 0.1",
        ),
    ];
    for (change, words) in cases {
        let mut file = restart(2.0, 0.5);
        change(&mut file);
        let said = refusal(file);
        assert!(said.contains(words), "{said}");
    }
}
