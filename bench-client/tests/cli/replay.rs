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
    let said = lab
        .run("run cup.toml --transport sse,short-poll --out out")
        .with_code(0)
        .saying(&["cup: 6 clients, 2 matches of cup.json, 2000 times faster"]);
    let scores = "final scores: all 2 true by cup.json, at every client of every row: Aland 2–1 Borneo · \
                  Cyprus 1–3 Dakota (after extra time)";
    assert!(in_one_line(&said.stdout).contains(scores), "{said:#?}");
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
                for score in ["home_score", "away_score", "shootout"] {
                    assert_eq!(one[score], one["expected"][score], "{one}");
                }
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
    for line in [
        "| Aland | 2–1 | Borneo | 2–1 | yes |",
        "| Cyprus | 1–3 (after extra time) | Dakota | 1–3 (after extra time) | yes |",
    ] {
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

/// Words as they were before they were wrapped.
pub fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_table_that_comes_along_ends_with_the_true_scores() {
    let lab = Lab::new();
    let scenario = "replay = \"knock-out-2022\"\nspeed = 3000\npoll_interval_ms = 100\nclients = 16\nrepeats = 1\n";
    lab.write("knock-out.toml", &format!("{scenario}{}", unbounded()));
    // A name is no path: what lies in the folder changes nothing.
    lab.write("knock-out-2022", CUP);
    let said = lab
        .run("run knock-out.toml --transport websocket,short-poll --mode latest --out out")
        .with_code(0);
    let said = in_one_line(&said.stdout);
    for words in [
        "final scores: all 16 true by knock-out-2022, at every client of every row: Netherlands 3–1 USA · ",
        "Morocco 0–0 Spain (3–0 on penalties)",
        "Argentina 3–3 France (4–2 on penalties)",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let report = lab.read("out/report.md");
    let finale = "| 2022-12-18T15:00:00Z | match-16 | Argentina | 3–3 (4–2 on penalties) | France | 3–3 (4–2 on penalties) | yes |";
    assert!(report.contains(finale), "{report}");

    // Once more from the record alone, since the table is where the program is.
    lab.run("run --like out --dry-run").with_code(0);
    for (arguments, words) in [
        (
            "--replay knock-out-2022",
            "16 matches of knock-out-2022, 60 times faster",
        ),
        (
            "--replay ./knock-out-2022",
            "2 matches of knock-out-2022, 60 times faster",
        ),
        ("real-matches", "16 matches of knock-out-2022, 180 times faster"),
    ] {
        let said = lab.run(&format!("run {arguments} --clients 16 --dry-run")).with_code(0);
        assert!(said.stdout.contains(words), "{arguments}: {said:#?}");
    }
    lab.write("file.toml", "replay = \"./knock-out-2022\"\n");
    let said = lab.run("run file.toml --clients 16 --dry-run").with_code(0);
    assert!(said.stdout.contains("2 matches of knock-out-2022"), "{said:#?}");
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
    lab.write("nothing.json", "");
    lab.write("twice.json", &CUP.replace("\"goals2\"", "\"goals1\""));
    std::fs::write(lab.path("bytes.json"), b"\xff\xfe{\0").unwrap();
    lab.write("deep.json", &"[".repeat(100_000));
    std::fs::create_dir(lab.path("folder")).unwrap();
    for (arguments, words) in [
        ("none.json", vec!["none.json", "No such file", "worldcup.json"]),
        ("torn.json", vec!["torn.json is not JSON", "line ", "column "]),
        ("odd.json", vec!["matches[0].goals1[0].minute", "200"]),
        (
            "empty.json",
            vec!["empty.json: matches", "expected an array of matches"],
        ),
        ("nothing.json", vec!["nothing.json is empty", "expected a file as in"]),
        ("twice.json", vec!["the key \"goals1\" stands twice", "line 4"]),
        (
            "bytes.json",
            vec!["bytes.json is not JSON", "line 1 column 1", "expected a file as in"],
        ),
        ("deep.json", vec!["deep.json is not JSON", "recursion limit"]),
        (
            "folder",
            vec!["cannot read folder", "expected a file as in", "knock-out-2022"],
        ),
        ("knock-out-2022 --speed 0.5", vec!["speed 0.5", "between 1 "]),
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
