//! Made-up files in the shapes of the real ones, and the real ones where they are at hand.

use serde_json::json;

use std::time::Duration;

use super::*;
use crate::feed::{Event, Match, MatchResult, kind};

/// Events of a file's text, at 60 times life: a match minute is a second.
fn replayed(file: &serde_json::Value) -> Result<Feed, ReplayError> {
    let tournament = parse(Path::new("made-up.json"), file.to_string().as_bytes())?;
    Ok(course::lay_out(&tournament.played, 60.0))
}

fn one_match(fields: serde_json::Value) -> serde_json::Value {
    let mut of = json!({"team1": "Home", "team2": "Away"});
    let (of_fields, serde_json::Value::Object(fields)) = (of.as_object_mut().expect("an object"), fields) else {
        panic!("fields are an object");
    };
    of_fields.extend(fields);
    json!({"matches": [of]})
}

/// What happens besides the clock, as `seconds minute' kind player home:away`.
fn story(file: &serde_json::Value) -> Vec<String> {
    let events = replayed(file)
        .expect("a good file")
        .events
        .filter(|event| event.event != kind::CLOCK);
    let line = |e: Event| {
        let words = format!("{} {}' {} {}", e.due.as_secs_f64(), e.minute, e.event, e.player);
        format!("{} {}:{}", words.trim_end(), e.home_score, e.away_score)
    };
    events.map(line).collect()
}

#[test]
fn a_match_of_90_minutes_with_numbers_offsets_and_disorder() {
    let file = one_match(json!({
        "score": {"ft": [3, 1], "ht": [1, 0]},
        "goals1": [
            {"name": "Late", "minute": 90, "offset": 2},
            {"name": "A. Fathi", "minute": 47, "owngoal": true},
            {"name": "Early", "minute": 45, "offset": 1},
        ],
        "goals2": [{"name": "M. Salah", "minute": 47, "penalty": true}],
    }));
    let expected = [
        "0 0' kick_off 0:0",
        "45.5 45' goal Early 1:0",
        "46 45' half_time 1:0",
        "47 45' second_half 1:0",
        "48.333333333 47' own_goal A. Fathi 2:0",
        "48.666666667 47' penalty_goal M. Salah 2:1",
        "93.5 90' goal Late 3:1",
        "94 90' full_time 3:1",
    ];
    assert_eq!(story(&file), expected);
}

#[test]
fn extra_time_and_a_shootout_with_minutes_as_text() {
    let file = one_match(json!({
        "score": {"p": [4, 2], "et": [2, 2], "ft": [1, 1], "ht": [0, 1]},
        "goals1": [{"name": "A", "minute": "90+1"}, {"name": "B", "minute": "105+1"}],
        "goals2": [{"name": "C", "minute": "45"}, {"name": "D", "minute": "120"}],
    }));
    let expected = [
        "0 0' kick_off 0:0",
        "44.5 45' goal C 0:1",
        "45 45' half_time 0:1",
        "46 45' second_half 0:1",
        "91.5 90' goal A 1:1",
        "92 90' normal_time 1:1",
        "93 90' extra_time 1:1",
        "108.5 105' goal B 2:1",
        "109 105' extra_time_half_time 2:1",
        "110 105' extra_time_second_half 2:1",
        "124.5 120' goal D 2:2",
        "125 120' full_time 2:2",
        "126 120' shootout_result 4-2 2:2",
    ];
    assert_eq!(story(&file), expected);
}

#[test]
fn the_clock_ticks_every_minute_and_stands_in_stoppage() {
    let file = one_match(json!({"score": {"ft": [1, 0]}, "goals1": [{"name": "A", "minute": "45+2"}]}));
    let events: Vec<_> = replayed(&file)
        .expect("a good file")
        .events
        .filter(|e| e.event == kind::CLOCK)
        .collect();
    let minutes: Vec<_> = events.iter().map(|event| event.minute).collect();
    let expected: Vec<u16> = (1..=45).chain([45, 45]).chain(46..=90).collect();
    assert_eq!(minutes, expected);
    assert_eq!(
        (events[46].due, events[47].due),
        (Duration::from_secs(47), Duration::from_secs(49))
    );
}

#[test]
fn a_goal_after_90_is_stoppage_unless_it_must_be_extra_time() {
    let with_goal = |minute| one_match(json!({"score": {"ft": [1, 0]}, "goals1": [{"name": "A", "minute": minute}]}));
    assert_eq!(
        story(&with_goal("92"))[3..],
        ["92.5 90' goal A 1:0", "93 90' full_time 1:0"]
    );
    let late = story(&with_goal("109"));
    assert!(
        late.contains(&"111.5 109' goal A 1:0".to_owned()) && late[3].contains("normal_time"),
        "{late:?}"
    );
    assert_eq!(
        story(&with_goal("105+1")).last().map(String::as_str),
        Some("124 120' full_time 1:0")
    );
}

#[test]
fn missing_goals_are_corrected_at_a_known_break_and_at_the_end() {
    let file = one_match(json!({
        "score": {"ft": [3, 1], "ht": [1, 1]},
        "goals1": [{"name": "A", "minute": 60}],
        "goals2": [{"name": "B", "minute": 50}],
    }));
    let expected = [
        "0 0' kick_off 0:0",
        // Side 2's list is complete, so its goal in minute 50 is believed rather than the half-time score.
        "45 45' correction 1:0",
        "45 45' half_time 1:0",
        "46 45' second_half 1:0",
        "50.5 50' goal B 1:1",
        "60.5 60' goal A 2:1",
        "91 90' correction 3:1",
        "91 90' full_time 3:1",
    ];
    assert_eq!(story(&file), expected);
    // A goal too many, here because it stands with the wrong side, is taken back aloud as well.
    let wrong_side =
        json!({"score": {"ft": [1, 1]}, "goals1": [{"name": "A", "minute": 1}, {"name": "B", "minute": 2}]});
    assert_eq!(
        story(&one_match(wrong_side))[5..],
        ["91 90' correction 1:1", "91 90' full_time 1:1"]
    );
}

#[test]
fn matches_start_evenly_within_a_minute_and_fixtures_are_left_out() {
    let of = |home: &str| json!({"team1": home, "team2": "X", "score": {"ft": [0, 0]}});
    let fixture = json!({"team1": "W73", "team2": null, "score": null});
    let feed = replayed(&json!({"matches": [of("A"), fixture, of("B"), of("C"), of("D")]})).expect("a good file");
    let homes: Vec<_> = feed
        .matches
        .iter()
        .map(|m| (m.topic.as_str(), m.home.as_str()))
        .collect();
    assert_eq!(
        homes,
        [("match-1", "A"), ("match-2", "B"), ("match-3", "C"), ("match-4", "D")]
    );
    let extent = feed.extent.expect("a replay ends");
    let events: Vec<_> = feed.events.collect();
    let starts: Vec<_> = events
        .iter()
        .filter(|e| e.event == kind::KICK_OFF)
        .map(|e| e.due.as_millis())
        .collect();
    assert_eq!(starts, [0, 250, 500, 750]);
    assert_eq!(
        (extent.events, extent.length),
        (4 * (90 + 4), Duration::from_millis(91_750))
    );
    assert_eq!(events.len(), extent.events);
    assert!(events.is_sorted_by_key(|event| event.due));
}

#[test]
fn faults_name_the_place_what_was_expected_and_what_was_found() {
    let goal = |goal| one_match(json!({"score": {"ft": [1, 0]}, "goals1": [{"name": "A", "minute": 1}, goal]}));
    let minute = |minute| goal(json!({"name": "B", "minute": minute}));
    let cases = [
        (json!([]), "the file: expected an object, found an array of 0"),
        (json!({}), "matches: expected an array of matches, found nothing"),
        (
            json!({"matches": []}),
            "matches: expected at least one match with score or goals, found an array of 0",
        ),
        (json!({"matches": [7]}), "matches[0]: expected an object, found 7"),
        (
            minute(json!("abc")),
            r#"goals1[1].minute: expected a number or text like "90+3", found "abc""#,
        ),
        (
            minute(json!("ET 105")),
            r#"expected a number or text like "90+3", found "ET 105""#,
        ),
        (
            minute(json!(121)),
            "goals1[1].minute: expected a minute from 1 to 120, found 121",
        ),
        (
            minute(json!("0")),
            r#"goals1[1].minute: expected a minute from 1 to 120, found "0""#,
        ),
        (
            one_match(json!({"score": {"ft": [1, 1], "p": [3, 3]}})),
            "matches[0].score.p: expected a shoot-out that has a winner, found an array of 2",
        ),
        (
            one_match(json!({"score1": 1})),
            "matches[0].score2: expected the other side's goals as well, found nothing",
        ),
        (
            one_match(json!({"score1i": 1, "score2i": 0})),
            "matches[0].score1: expected the home side's goals after 90 minutes, found nothing",
        ),
        (
            json!({"rounds": [{"matches": []}, {"name": "Day 2"}]}),
            "rounds[1].matches: expected an array of matches, found nothing",
        ),
        (
            json!({"rounds": [{"matches": []}]}),
            "rounds: expected at least one match with score or goals, found an array of 1",
        ),
        (
            one_match(json!({"score": {"ft": [0, 0]}, "team2": {"code": "XYZ"}})),
            "matches[0].team2.name: expected a team's name, found nothing",
        ),
        (
            minute(json!("")),
            r#"goals1[1].minute: expected a number or text like "90+3", found """#,
        ),
        (minute(json!("90++3")), r#"found "90++3""#),
        (
            minute(json!(true)),
            r#"expected a number or text like "90+3", found true"#,
        ),
        (
            minute(json!(1e9)),
            "goals1[1].minute: expected a whole number of minutes, found 1000000000.0",
        ),
        (
            minute(json!(-3)),
            "goals1[1].minute: expected a whole number of minutes, found -3",
        ),
        (
            minute(json!(0)),
            "goals1[1].minute: expected a minute from 1 to 120, found 0",
        ),
        (
            minute(json!(4_000_000_000_u64)),
            "expected a minute from 1 to 120, found 4000000000",
        ),
        (
            minute(json!("90+31")),
            r#"expected stoppage from 0 to 30, found "90+31""#,
        ),
        (
            minute(json!("67+1")),
            r#"expected minute 45, 90, 105 or 120, because stoppage is counted on from it, found "67+1""#,
        ),
        (
            goal(json!({"name": "B", "minute": 90, "offset": -1})),
            "goals1[1].offset: expected stoppage from 0 to 30, found -1",
        ),
        (
            goal(json!({"name": "B", "minute": "90+1", "offset": 1})),
            "goals1[1].offset: expected no offset beside",
        ),
        (
            goal(json!({"name": "B"})),
            r#"goals1[1].minute: expected a number or text like "90+3", found nothing"#,
        ),
        (
            goal(json!({"minute": 3})),
            "goals1[1].name: expected the scorer's name, found nothing",
        ),
        (
            goal(json!({"name": "x".repeat(81), "minute": 3})),
            "goals1[1].name: expected a text of 1 to 80 bytes, found",
        ),
        (
            goal(json!({"name": "B", "minute": 3, "owngoal": 1})),
            "goals1[1].owngoal: expected true or false, found 1",
        ),
        (
            one_match(json!({"score": {"ft": [1]}})),
            "matches[0].score.ft: expected two numbers of goals, found an array of 1",
        ),
        (
            one_match(json!({"score": {"ft": [70_000, 0]}})),
            "score.ft[0]: expected goals from 0 to 99, found 70000",
        ),
        (
            one_match(json!({"score": {"ht": [0, 0]}})),
            "score.ft: expected the score after 90 minutes, like [2, 1], found nothing",
        ),
        (
            one_match(json!({"score": [1, 0]})),
            "matches[0].score: expected an object, found an array of 2",
        ),
        (
            one_match(json!({"score": {"ft": [0, 0]}, "team1": null})),
            "matches[0].team1: expected a team's name, found nothing",
        ),
        (
            one_match(json!({"score": {"ft": [0, 0]}, "goals2": vec![json!({"name": "A", "minute": 1}); 70_000]})),
            "matches[0].goals2: expected an array of at most 99, found an array of 70000",
        ),
    ];
    for (file, expected) in cases {
        let error = replayed(&file).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(
            error.starts_with("made-up.json: ") && error.contains(expected),
            "{error:?} is not {expected:?}"
        );
    }
}

#[test]
fn files_that_cannot_be_read_are_told_apart() {
    let dir = tempfile::tempdir().expect("a directory to write to");
    let replay = |name: &str, text: &[u8]| {
        let source = dir.path().join(name);
        std::fs::write(&source, text).expect("a file to write to");
        Replay { source, speed: None }.feed().map(|replayed| replayed.feed)
    };
    let good = one_match(json!({"score": {"ft": [0, 0]}})).to_string();
    assert_eq!(
        replay("good", good.as_bytes()).ok().map(|feed| feed.matches.len()),
        Some(1)
    );
    let syntax = replay("syntax", b"{\n  \"matches\": [,]}")
        .err()
        .map(|e| e.to_string())
        .unwrap_or_default();
    assert!(syntax.contains("line 2 column 15"), "{syntax}");
    assert!(matches!(replay("bytes", b"\xff\xfe"), Err(ReplayError::Syntax { .. })));
    assert!(matches!(replay("empty", b""), Err(ReplayError::Empty { .. })));
    assert!(matches!(replay("blank", b"\n "), Err(ReplayError::Empty { .. })));
    assert!(matches!(
        replay("deep", "[".repeat(100_000).as_bytes()),
        Err(ReplayError::Syntax { .. })
    ));
    let spaces = vec![b' '; worldcup::MAX_FILE_BYTES as usize + 1];
    assert!(matches!(replay("large", &spaces), Err(ReplayError::TooLarge { .. })));
    let fault = |name: &str| {
        let source = dir.path().join(name);
        let fault = Replay { source, speed: None }.feed().err().map(|e| e.to_string());
        fault.unwrap_or_default()
    };
    assert!(fault("absent").contains("No such file"), "{}", fault("absent"));
    std::fs::create_dir(dir.path().join("folder")).expect("a folder to make");
    assert!(fault("folder").contains("Is a directory"), "{}", fault("folder"));
}

#[test]
fn speed_out_of_bounds_is_refused_with_the_bounds() {
    for speed in [0.0, 0.99, -60.0, 10_000.1, f64::NAN, f64::INFINITY] {
        let replay = Replay {
            source: NAMES[0].into(),
            speed: Some(speed),
        };
        let error = replay.feed().err().map(|e| e.to_string()).unwrap_or_default();
        assert!(
            error.contains(&speed.to_string()) && error.contains("between 1 ") && error.contains("10000"),
            "{error}"
        );
    }
}

#[test]
fn a_byte_order_mark_is_no_fault_and_a_key_that_stands_twice_is() {
    let good = one_match(json!({"score": {"ft": [2, 1]}})).to_string();
    let marked = [BYTE_ORDER_MARK, good.as_bytes()].concat();
    let tournament = parse(Path::new("marked.json"), &marked).expect("a mark is not content");
    assert_eq!(tournament.played[0].result, [2, 1]);

    let twice = "{\"matches\": [\n {\"team1\": \"A\", \"team2\": \"B\", \"goals1\": [],\n  \"goals1\": null}]}";
    let error = parse(Path::new("twice.json"), twice.as_bytes()).expect_err("half of it would be lost in silence");
    let error = error.to_string();
    assert!(
        error.contains("the key \"goals1\" stands twice in one object at line 3 column "),
        "{error}"
    );
    assert!(matches!(
        parse(Path::new("huge.json"), b"{\"matches\": 1e999}"),
        Err(ReplayError::Syntax { .. })
    ));
}

#[test]
fn older_files_keep_rounds_teams_as_objects_and_scores_in_numbers() {
    let team = |name: &str| json!({"name": name, "code": "XYZ"});
    let file = json!({"name": "Cup", "rounds": [
        {"name": "Day 1", "matches": [
            {"team1": team("A"), "team2": team("B"), "score1": 2, "score2": 1, "score1i": 0, "score2i": 1,
             "score1et": null, "score2et": null, "score1p": null, "score2p": null,
             "goals1": [{"name": "X", "minute": 90, "offset": 4, "score1": 2, "score2": 1}, {"name": "Y", "minute": 50}],
             "goals2": [{"name": "Z", "minute": 3}]},
            {"team1": team("C"), "team2": team("D"), "score1": null, "score2": null}]},
        {"name": "Final", "matches": [
            {"team1": team("E"), "team2": team("F"), "score1": 0, "score2": 0, "score1et": 1, "score2et": 1,
             "score1p": 2, "score2p": 4}]}]});
    let feed = replayed(&file).expect("a good file");
    let of = |score, extra_time, shootout| MatchResult {
        score,
        extra_time,
        shootout,
        kick_off: None,
    };
    assert_eq!(
        feed.source.results,
        [of([2, 1], false, None), of([1, 1], true, Some([2, 4]))]
    );
    let last: Vec<_> = last_of_each(feed);
    assert_eq!(last, ["A 2:1 B full_time ", "E 1:1 F shootout_result 2-4"]);
}

/// Each match's last event in words.
fn last_of_each(feed: Feed) -> Vec<String> {
    let events: Vec<_> = feed.events.collect();
    let last = |topic| events.iter().rfind(|event| event.topic == topic).expect("events");
    let words = |(topic, of): (usize, &Match)| {
        let e = last(topic);
        format!(
            "{} {}:{} {} {} {}",
            of.home, e.home_score, e.away_score, of.away, e.event, e.player
        )
    };
    feed.matches.iter().enumerate().map(words).collect()
}

#[test]
fn goals_without_a_score_are_the_score() {
    let file = one_match(json!({"score": null, "goals1": [{"name": "A", "minute": " 90 + 3 "}],
        "goals2": [{"name": "B", "minute": "45+2"}, {"name": "C", "minute": 1}]}));
    assert_eq!(
        story(&file).last().map(String::as_str),
        Some("96 90' full_time 1:2"),
        "{:#?}",
        story(&file)
    );
}

/// Folder of the real files: beside the project, or where LAB_DATA says.
pub(super) fn data_folder() -> PathBuf {
    std::env::var_os("LAB_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    )
}

/// Past the test harness, which would keep the line to itself.
pub(super) fn skipped(path: &Path) {
    use std::io::Write;
    let path = path.display();
    writeln!(
        std::io::stdout(),
        "\nSKIPPED: real matches; {path} is not there, and LAB_DATA names no folder of openfootball's files"
    )
    .expect("stdout can be written");
}

#[test]
fn all_real_matches_end_with_the_score_of_the_file() {
    for (name, matches) in [
        ("worldcup-2018.json", 64),
        ("worldcup-2022.json", 64),
        ("worldcup-2026.json", 104),
    ] {
        let path = data_folder().join(name);
        if !path.exists() {
            skipped(&path);
            continue;
        }
        let replay = Replay {
            source: path.clone(),
            speed: None,
        };
        let feed = replay.feed().expect("a real file is good").feed;
        assert_eq!(feed.matches.len(), matches, "{name}");
        let events: Vec<_> = feed.events.collect();
        let file: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&path).expect("just read")).expect("just parsed");
        let results = feed.source.results.clone();
        for (topic, of) in feed.matches.iter().enumerate() {
            let course: Vec<_> = events.iter().filter(|event| event.topic == topic).collect();
            check_real_match(&file["matches"][topic], of, &course, &results[topic]);
        }
    }
}

fn check_real_match(file: &serde_json::Value, of: &Match, course: &[&Event], result: &MatchResult) {
    let name = format!("{} - {}", of.home, of.away);
    let at = |kind| {
        course
            .iter()
            .find(|event| event.event == kind)
            .map(|e| json!([e.home_score, e.away_score]))
    };
    let score = &file["score"];
    assert_eq!(
        name,
        format!(
            "{} - {}",
            file["team1"].as_str().unwrap_or(""),
            file["team2"].as_str().unwrap_or("")
        )
    );
    assert_eq!(at(kind::KICK_OFF), Some(json!([0, 0])), "{name}");
    assert_eq!(
        at(kind::FULL_TIME).as_ref(),
        score.get("et").or(score.get("ft")),
        "{name}"
    );
    assert_eq!(
        at(kind::NORMAL_TIME),
        score.get("et").map(|_| score["ft"].clone()),
        "{name}"
    );
    assert_eq!(at(kind::CORRECTION), None, "{name}: the real files list every goal");
    let last = course.last().expect("a match has events");
    let shootout = kind::shootout(last.event, &last.player);
    assert_eq!(shootout.map(|score| json!(score)).as_ref(), score.get("p"), "{name}");
    assert_eq!(
        (json!(result.score), result.extra_time, result.shootout),
        (
            json!([last.home_score, last.away_score]),
            score.get("et").is_some(),
            shootout
        ),
        "{name}"
    );
    assert!(
        course.windows(2).all(|pair| pair[0].minute <= pair[1].minute),
        "{name}: the clock ran backwards"
    );
    let goals = |event: &Event| event.home_score + event.away_score;
    for pair in course.windows(2) {
        let is_goal = [kind::GOAL, kind::OWN_GOAL, kind::PENALTY_GOAL].contains(&pair[1].event);
        assert_eq!(
            goals(pair[1]) - goals(pair[0]),
            u16::from(is_goal),
            "{name}: {:?}",
            pair[1]
        );
    }
}
