//! Single updates harmed on their way: every one must be counted, as what it is, and the run must fail.

use bench_client::record::{Outcome, Quantile, SummaryRow};

use crate::{
    harm::{Harm, ONE_IN},
    lab::{Job, Lab, beside_others},
    origin::Origin,
    relay::{Faults, Relay},
    table::{Expected, all_hold},
};

/// Standard deviations that a random share may be off: one run in two million is further off by chance.
const SIGMAS: f64 = 5.0;
/// 1,600 updates for each transport.
const CLIENTS: u32 = 8;

/// Every transport through a path that harms one update in a hundred; `counts` are missed, duplicates and out of order, of which the
/// harm must show in the one at `place`.
fn one_in_a_hundred(fault: &'static str, harm: Harm, figure: &'static str, place: usize) {
    let _machine = beside_others();
    let (lab, origin) = (Lab::new(), Origin::start());
    let faults = Faults {
        harm: Some(harm),
        ..Faults::default()
    };
    let relay = Relay::start(origin.address, origin.clock, faults);
    let jobs = Job::all(&relay.url).into_iter().map(|job| job.of(CLIENTS));
    let jobs: Vec<_> = jobs.collect();
    let mut lines = Vec::new();
    let (mut all_expected, mut all_reported) = (0, 0);
    for (job, done) in jobs.iter().zip(lab.run(&jobs)) {
        let figures = &done.row().figures;
        let (from_us, to_us) = done.window_us();
        let injected = relay.harmed(job.transport, from_us, to_us);
        let expected = figures.updates_expected.expect("the publish log was read");
        lines.push(Expected {
            fault,
            injected: format!("{injected} of {expected}"),
            transport: job.transport.into(),
            figure,
            unit: "updates",
            predicted: injected as f64,
            reported: counts(figures)[place] as f64,
            tolerance: 0.0,
        });
        all_expected += expected;
        all_reported += counts(figures)[place];
        for (other, count) in counts(figures).into_iter().enumerate().filter(|(at, _)| *at != place) {
            assert_eq!(count, 0, "{}, count {other}: {figures:#?}", job.transport);
        }
        let said = Outcome::Failed {
            reason: reason(harm, injected, expected),
        };
        assert_eq!(done.row().outcome, said, "{}", job.transport);
        assert_eq!(done.status.code(), Some(1), "{}", done.stderr);
        let lost = figures.latency_max_us == Some(Quantile::LOST);
        assert_eq!(lost, harm == Harm::Drop, "{}", job.transport);
    }
    // All transports together, or chance would leave room for none at all.
    let share = 1.0 / f64::from(ONE_IN);
    let sigma = (share * (1.0 - share) / all_expected as f64).sqrt();
    lines.push(Expected {
        fault,
        injected: format!("{} %", share * 100.0),
        transport: "all four".into(),
        figure,
        unit: "%",
        predicted: share * 100.0,
        reported: all_reported as f64 / all_expected as f64 * 100.0,
        tolerance: SIGMAS * sigma * 100.0,
    });
    all_hold(&lines);
}

fn counts(figures: &SummaryRow) -> [u64; 3] {
    [figures.missed, figures.duplicates, figures.out_of_order].map(|count| count.expect("the publish log was read"))
}

fn reason(harm: Harm, harmed: u64, expected: u64) -> String {
    let what = match harm {
        Harm::Drop => "missed",
        Harm::Duplicate => "received twice",
        Harm::Swap => "received out of order",
    };
    format!("of {expected} expected updates: {harmed} {what}")
}

#[test]
fn dropped_updates_are_missed_to_the_last_one() {
    one_in_a_hundred("dropped updates", Harm::Drop, "missed", 0);
}

#[test]
fn updates_sent_twice_are_duplicates_to_the_last_one() {
    one_in_a_hundred("updates sent twice", Harm::Duplicate, "duplicates", 1);
}

#[test]
fn swapped_updates_are_out_of_order_to_the_last_one() {
    one_in_a_hundred("swapped updates", Harm::Swap, "out_of_order", 2);
}
