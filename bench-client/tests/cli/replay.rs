//! Real matches: the scores the clients end with are the file's.

use crate::{
    lab::{Lab, unbounded},
    record::{figure, load, rows},
};

/// Two made-up matches: one of 90 minutes, one with extra time and a goal of every kind.
const CUP: &str = r#"{"name": "Cup", "matches": [
    {"team1": "Aland", "team2": "Borneo", "score": {"ht": [1, 0], "ft": [2, 1]},
     "goals1": [{"name": "Ada", "minute": 12}, {"name": "Bo", "minute": 90, "offset": 3}],
     "goals2": [{"name": "Cy", "minute": "45+2", "penalty": true}]},
    {"team1": "Cyprus", "team2": "Dakota", "score": {"ht": [0, 0], "ft": [1, 1], "et": [1, 3]},
     "goals1": [{"name": "Di", "minute": 50}],
     "goals2": [{"name": "Ed", "minute": 70, "owngoal": true}, {"name": "Flo", "minute": 97}, {"name": "Gus", "minute": 118}]}
]}"#;

#[test]
fn a_replay_ends_with_the_scores_of_the_file() {
    let lab = Lab::new();
    lab.write("cup.json", CUP);
    let scenario = "replay = \"cup.json\"\nspeed = 2000\npoll_interval_ms = 100\nclients = 6\nrepeats = 1\n";
    lab.write("cup.toml", &format!("{scenario}{}", unbounded()));
    lab.run("run cup.toml --transport sse,short-poll --out out")
        .with_code(0)
        .saying(&["cup: 6 clients, 2 matches of cup.json, 2000 times faster"]);
    let record = load(&lab.path("out"));
    assert_eq!(record["status"], "finished");
    assert_eq!(record["plan"]["feed"]["file"], "cup.json");
    assert_eq!(rows(&record).len(), 2);
    for row in rows(&record) {
        assert!(figure(row, "updates_expected") > 100.0, "{row:#}");
        assert_eq!(
            figure(row, "updates_expected"),
            figure(row, "updates_received"),
            "{row:#}"
        );
        let scores: Vec<_> = row["final_scores"]
            .as_array()
            .expect("a replay has scores")
            .iter()
            .map(|one| {
                assert_eq!(one["agreed"], true, "{one}");
                let team = |side: &str| one[side].as_str().unwrap().to_owned();
                let goals = |side: &str| one[side].as_u64().unwrap();
                (team("home"), goals("home_score"), goals("away_score"), team("away"))
            })
            .collect();
        assert_eq!(
            scores,
            [
                ("Aland".into(), 2, 1, "Borneo".into()),
                ("Cyprus".into(), 1, 3, "Dakota".into())
            ]
        );
    }
    let report = lab.read("out/report.md");
    for line in ["| Aland | 2 : 1 | Borneo | yes |", "| Cyprus | 1 : 3 | Dakota | yes |"] {
        assert!(report.contains(line), "{line}: {report}");
    }
    assert!(
        lab.read("out/summary.csv")
            .lines()
            .nth(1)
            .unwrap()
            .starts_with("cup,sse,1,")
    );
}

#[test]
fn a_scenario_may_name_a_file_beside_it() {
    let lab = Lab::new();
    std::fs::create_dir(lab.path("mine")).unwrap();
    lab.write("mine/cup.json", CUP);
    lab.write(
        "mine/final.toml",
        "replay = \"cup.json\"\nspeed = 500\nclients = 4\nrepeats = 1\n",
    );
    let said = lab.run("run mine/final.toml --dry-run").with_code(0);
    assert!(
        said.stdout.contains("2 matches of cup.json, 500 times faster"),
        "{said:#?}"
    );
}

#[test]
fn a_replay_that_cannot_be_is_refused() {
    let lab = Lab::new();
    lab.write("cup.json", CUP);
    lab.write("torn.json", &CUP[..CUP.len() / 2]);
    lab.write("odd.json", &CUP.replace("\"minute\": 12", "\"minute\": 200"));
    lab.write("empty.json", "{}");
    for (arguments, words) in [
        ("none.json", vec!["none.json", "No such file", "worldcup.json"]),
        ("torn.json", vec!["torn.json is not JSON", "line ", "column "]),
        ("odd.json", vec!["matches[0].goals1[0].minute", "200"]),
        (
            "empty.json",
            vec!["empty.json: matches", "expected an array of matches"],
        ),
        ("cup.json --rate 2", vec!["--rate makes no sense for a replay"]),
        ("cup.json --topics 2", vec!["--topics makes no sense for a replay"]),
        ("cup.json --speed 0", vec!["speed 0", "between 1 "]),
        ("cup.json --speed 10000", vec!["the replay ends after", "lower --speed"]),
    ] {
        lab.run(&format!("run --replay {arguments}"))
            .with_code(2)
            .saying(&words);
    }
    assert!(!lab.path("results").exists());
}
