//! Rounds until the comparisons settle: planned before, told while it runs, and recorded how it ended.

use crate::{
    lab::Lab,
    record::{load, rows},
};

const TWO: &str = "run ../smoke.toml --clients 8 --duration 1.2 --rate 50 --transport sse,websocket --repeats 2";

#[test]
fn it_ends_when_all_is_settled_or_with_the_last_look() {
    let lab = Lab::new();
    let said = lab.run(&format!("{TWO} --until-settled 3 --out out")).with_code(0);
    let record = load(&lab.path("out"));
    assert_eq!(record["plan"]["looks"]["after_repeats"], serde_json::json!([2, 3]));
    assert_eq!(record["status"], "finished");
    let rounds = rows(&record).len() / 2;
    // Which of these, the machine decides: two repeats rarely settle anything.
    let report = lab.read("out/report.md");
    match record["settled_after"].as_u64() {
        Some(repeats) => {
            assert_eq!(repeats, rounds as u64);
            let words = format!("ettled after {repeats} of at most 3 repeats");
            assert!(said.stderr.contains(&words) && report.contains(&words), "{said:#?}");
        }
        None => {
            assert_eq!(rounds, 3);
            assert!(said.stderr.contains("after 2 of at most 3 repeats"), "{said:#?}");
            assert!(
                report.contains("**Not settled after 3 of at most 3 repeats: "),
                "{report}"
            );
        }
    }
    // Forth, back, forth.
    let order: Vec<_> = rows(&record)
        .iter()
        .map(|row| row["figures"]["transport"].as_str())
        .collect();
    assert_eq!(
        order[..4],
        [Some("sse"), Some("websocket"), Some("websocket"), Some("sse")]
    );
}

#[test]
fn the_schedule_is_shown_before_it_starts() {
    let lab = Lab::new();
    let said = lab.run("run --repeats 4 --until-settled 20 --dry-run").with_code(0);
    for words in [
        "4 to 20 repeats, until settled",
        "after 4, 6, 9, 14, 20 repeats",
        "1.00 % of a wrong claim each",
    ] {
        assert!(said.stdout.contains(words), "{words}: {said:#?}");
    }
}
