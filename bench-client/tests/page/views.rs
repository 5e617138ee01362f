//! What people see and do, view by view; each test is one script.

use crate::{
    lab::Lab,
    stage::{Stage, curated},
};

/// Names that would be markup, code or a mess where somebody forgot that they are text.
const HOSTILE: &str = r#"{"name": "Cup", "matches": [
    {"team1": "<img src=x onerror=alert(1)>", "team2": "\"><script>alert(2)</script>", "score": {"ht": [1, 0], "ft": [2, 1]},
     "goals1": [{"name": "<b onmouseover=alert(3)>Ada</b>", "minute": 12}, {"name": "Bo & \"Co\" '; DROP", "minute": 90, "offset": 3}],
     "goals2": [{"name": "\u202Eevil\u202C שלום عربى", "minute": 45}]},
    {"team1": "A long name nobody shortens, with_no_place_to_break_it_anywhere_near_its_middle_",
     "team2": "🏴󠁧󠁢󠁥󠁮󠁧󠁿 👩‍👩‍👧‍👦 Ünïtéd", "score": {"ht": [0, 0], "ft": [1, 1]},
     "goals1": [{"name": "${7*7}{{7*7}}", "minute": 50}], "goals2": [{"name": "javascript:alert(4)", "minute": 70}]}
]}"#;

/// The same in a record that somebody else may have made: its scenario, its words, a technique's name.
const HOSTILE_RECORD: [(&str, &str); 4] = [
    (
        "\"scenario\": \"live-score\"",
        "\"scenario\": \"<img src=x onerror=alert(5)>\"",
    ),
    (
        "\"Everybody follows the same match\"",
        "\"</p><script>alert(6)</script><img src=x onerror=alert(7)>\"",
    ),
    (
        "\"Everybody follows the same match, and",
        "\"<img src=x onerror=alert(8)> [link](javascript:alert(9)) and",
    ),
    (
        "\"label\": \"WebSocket\"",
        "\"label\": \"<b onmouseover=alert(10)>WebSocket</b>\"",
    ),
];

fn with_runs(lab: &Lab) {
    curated(lab, "curated");
    curated(lab, "curated-again");
}

#[test]
fn the_shell_shows_three_views_by_link_history_and_keyboard() {
    Stage::with("--demo --rate 10", with_runs).plays("shell.mjs");
}

#[test]
fn every_view_is_legible_in_light_dark_and_on_a_phone() {
    Stage::with("--demo --rate 10", with_runs).plays("looks.mjs");
}

#[test]
fn every_view_can_be_used_by_keyboard_alone() {
    Stage::with("--demo --rate 10", with_runs).plays("keyboard.mjs");
}

#[test]
fn each_lane_gets_every_update_and_goes_on_after_a_cut() {
    Stage::open("--demo --rate 10 --topics 2 --seed 7").plays("lanes.mjs");
}

#[test]
fn what_holds_the_page_up_delays_no_lane() {
    Stage::open("--demo --rate 10").plays("held.mjs");
}

#[test]
fn a_killed_server_is_told_and_its_next_start_is_followed() {
    Stage::open("--demo --rate 10 --topics 2").plays("restart.mjs");
}

#[test]
fn names_are_text_whatever_stands_in_them() {
    let prepare = |lab: &Lab| {
        lab.write("cup.json", HOSTILE);
        curated(lab, "hostile");
        let mut record = lab.read("results/hostile/run.json");
        for (plain, strange) in HOSTILE_RECORD {
            assert!(record.contains(plain), "the curated record has {plain}");
            record = record.replace(plain, strange);
        }
        lab.write("results/hostile/run.json", &record);
    };
    Stage::with("--demo --replay cup.json --speed 200", prepare).plays("hostile.mjs");
}

#[test]
fn a_crowd_comes_shows_its_figures_and_goes() {
    Stage::open("--demo --rate 10").plays("crowd.mjs");
}

#[test]
fn runs_are_listed_read_and_laid_over_each_other() {
    Stage::with("--demo --rate 2", with_runs).plays("results.mjs");
}

#[test]
fn a_run_that_starts_appears_and_grows() {
    Stage::open("--rate 2").plays("appears.mjs");
}

#[test]
fn each_technique_is_explained_with_bytes_of_this_server() {
    Stage::with("--demo --rate 10", |lab| curated(lab, "curated")).plays("how.mjs");
}

#[test]
fn a_server_that_offers_nothing_has_a_page_that_says_so() {
    Stage::open("--rate 10").plays("bare.mjs");
}

#[test]
fn a_thousand_updates_a_second_are_drawn_for_a_while() {
    Stage::open("--demo --rate 1000 --topics 1 --payload 256").plays("load.mjs");
}
