//! The claims against the machine itself: one transport against itself, which must not come out different.
//!
//! ```text
//! run --transport websocket --repeats 8 -> repeats 1 4 5 8 relabelled left, 2 3 6 7 right -> the very statistics of a report -> claims
//! ```
//!
//! Repeats 1 4 5 8 against 2 3 6 7, the order left right, right left, are four rounds of two techniques that are the same. Each run
//! may claim a difference with a chance of 5 % at most, so that of 20 runs one is expected to; that more than 3 runs do is no accident
//! (1.6 %): then the machine breaks an assumption, such as that of independent rounds. Claims are counted as well as runs, since one
//! cause may show in several figures of a run: more than 3 of them are refused too, which is stricter. Both bounds are for 20 runs
//! and stay what they are when fewer are made, where they are looser.
//!
//! ```sh
//! cargo test --release -p bench-client --test aa -- --ignored --nocapture                # 20 runs, about seven minutes
//! AA_RUNS=3 cargo test --release -p bench-client --test aa -- --ignored --nocapture      # a quick look
//! ```

use std::process::Command;

use bench_client::{
    run,
    statistics::{Comparisons, between_transports},
};

const RUNS: usize = 20;
/// For runs with a claim, and for claims.
const CLAIMS_MOST: usize = 3;
/// Short, but with updates enough for a p99: 60 for each of 50 clients.
const RUN: &str = "run smoke --transport websocket --repeats 8 --clients 50 --rate 50 --duration 1.2";

/// Runs the program once, and compares one half of its repeats with the other.
fn one_against_itself(folder: &std::path::Path) -> Comparisons {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bench-client"));
    command.args(RUN.split(' ')).arg("--out").arg(folder);
    let said = command.output().expect("the program starts");
    let mut record = run::load(folder).unwrap_or_else(|error| panic!("{error:#}: {said:#?}"));
    record.plan.transports = vec!["left".into(), "right".into()];
    record.plan.repeats /= 2;
    for row in &mut record.rows {
        let figures = &mut row.figures;
        let left = matches!(figures.repeat % 4, 0 | 1);
        figures.transport = if left { "left" } else { "right" }.into();
        figures.repeat = figures.repeat.div_ceil(2);
    }
    between_transports(&record)
}

#[test]
#[ignore = "takes minutes: 20 runs of the real program"]
fn one_transport_against_itself_is_rarely_called_different() {
    let runs = std::env::var("AA_RUNS").map_or(RUNS, |runs| runs.parse().expect("AA_RUNS is a number of runs"));
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    println!("{RUN}\n run  rounds  comparisons  claims");
    let (mut claims, mut runs_with_claims, mut compared) = (0, 0, 0);
    for run in 1..=runs {
        let found = one_against_itself(&folder.path().join(run.to_string()));
        let different: Vec<String> = found
            .all
            .iter()
            .filter(|one| one.is_difference())
            .map(|one| {
                format!(
                    "{}: {} {:.3} times {}",
                    one.metric.name, one.first, one.ratio, one.second
                )
            })
            .collect();
        let words = different.join("; ");
        println!(
            "{run:4}  {:6}  {:11}  {:6}  {words}",
            found.rounds,
            found.all.len(),
            different.len()
        );
        assert_eq!(found.rounds, 4, "{found:#?}");
        compared += usize::from(!found.all.is_empty());
        claims += different.len();
        runs_with_claims += usize::from(!different.is_empty());
    }
    println!("{claims} claims, in {runs_with_claims} of {runs} runs; up to {CLAIMS_MOST} of {RUNS} may be accidents");
    // Rows that call themselves INVALID don't enter: a machine too busy to measure proves nothing here.
    assert!(
        2 * compared > runs,
        "only {compared} of {runs} runs had two valid rounds: the machine is too busy"
    );
    assert!(
        runs_with_claims <= CLAIMS_MOST,
        "{runs_with_claims} runs claim that a transport differs from itself"
    );
    assert!(
        claims <= CLAIMS_MOST,
        "{claims} claims that a transport differs from itself"
    );
}
