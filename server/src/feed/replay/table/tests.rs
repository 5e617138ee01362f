//! The table that comes along, and the file its facts can be checked against where that is at hand.

use super::*;
use crate::feed::replay::{
    parse,
    tests::{data_folder, skipped},
};

/// Names that the file misspells or shortens, and how they are written.
const NAMES_IN_THE_FILE: [(&str, &str); 4] = [
    ("Wout Werghost", "Wout Weghorst"),
    ("Aurelién Tchouaméni", "Aurélien Tchouaméni"),
    ("Mbappé", "Kylian Mbappé"),
    ("Kolo Muani", "Randal Kolo Muani"),
];

fn table() -> Vec<Played> {
    of(Path::new("knock-out-2022")).expect("it is a name")
}

#[test]
fn the_table_is_whole() {
    let table = table();
    assert_eq!(table.len(), 16);
    let finale = &table[15];
    assert_eq!((finale.home.as_str(), finale.away.as_str()), ("Argentina", "France"));
    assert_eq!((finale.result, finale.normal_time), ([3, 3], Some([2, 2])));
    assert_eq!(finale.shootout, Some([4, 2]));
    assert_eq!(finale.kick_off.as_deref(), Some("2022-12-18T15:00:00Z"));
    assert!(table.is_sorted_by_key(|one| one.kick_off.clone()));
    // Only who drew after extra time goes to penalties, and all who did.
    for one in &table {
        let drawn = one.extra_time && one.result[0] == one.result[1];
        assert_eq!(one.shootout.is_some(), drawn, "{} - {}", one.home, one.away);
        assert!(drawn || one.result[0] != one.result[1], "{} - {}", one.home, one.away);
    }
    assert_eq!(table.iter().filter(|one| one.extra_time).count(), 5);
}

#[test]
fn the_table_says_what_the_file_says() {
    let path = data_folder().join("worldcup-2022.json");
    let Ok(text) = std::fs::read(&path) else {
        return skipped(&path);
    };
    let mut file = parse(&path, &text).expect("a real file is good").played.split_off(48);
    let json: serde_json::Value = serde_json::from_slice(&text).expect("just parsed");
    let fixtures = &json["matches"].as_array().expect("just parsed")[48..];
    for ((of_table, of_file), fixture) in table().into_iter().zip(&mut file).zip(fixtures) {
        for goal in &mut of_file.goals {
            let right = NAMES_IN_THE_FILE.iter().find(|(wrong, _)| *wrong == goal.player);
            goal.player = right.map_or(&*goal.player, |(_, right)| right).to_owned();
        }
        // The file has one half-time score that its own goals contradict; the table has none of its own.
        of_file.half_time = of_table.half_time;
        // The file's times are of Qatar.
        let hour: u32 = fixture["time"].as_str().expect("a time")[..2].parse().expect("an hour");
        let utc = format!("{}T{:02}:00:00Z", fixture["date"].as_str().expect("a date"), hour - 3);
        of_file.kick_off = Some(utc);
        assert_eq!(of_table, *of_file);
    }
    assert_eq!(file.len(), table().len());
}

#[test]
fn a_name_is_not_a_path() {
    assert!(is_named(Path::new("knock-out-2022")));
    for path in [
        "./knock-out-2022",
        "knock-out-2022.json",
        "a/knock-out-2022",
        "",
        "knock-out-2018",
    ] {
        assert!(!is_named(Path::new(path)), "{path}");
    }
}

#[test]
fn faults_of_the_table_name_the_match() {
    let good =
        "[[match]]\nround = \"final\"\nkick_off = 2022-12-18T15:00:00Z\nhome = \"A\"\naway = \"B\"\nscore = [1, 0]\n";
    for (goals, words) in [
        ("home_goals = [\"12 X\"]", None),
        ("", Some("A - B: the goals listed do not make the score [1, 0]")),
        ("home_goals = [\"12+1 X\"]", Some("A - B: \"12+1 X\" is no goal")),
        ("home_goals = [\"12\"]", Some("is no goal")),
        ("home_goals = [\"121 X\"]", Some("is no goal")),
        (
            "home_goals = [\"91 X\"]",
            Some("a goal after minute 90, and no extra time"),
        ),
        ("homegoals = [\"91 X\"]", Some("unknown field `homegoals`")),
    ] {
        let error = read(&format!("{good}{goals}\n")).err();
        match words {
            None => assert_eq!(error, None),
            Some(words) => assert!(error.as_ref().is_some_and(|e| e.contains(words)), "{goals}: {error:?}"),
        }
    }
}
