//! Longer heads: every byte must be found again, where heads are sent.

use crate::{
    lab::{Job, Lab, TRANSPORTS, beside_others},
    origin::Origin,
    relay::{Faults, Relay},
    table::{Expected, all_hold},
};

const HEADER_BYTES: usize = 256;

#[test]
fn longer_headers_show_in_every_answer_of_a_poll_and_once_in_a_stream() {
    let _machine = beside_others();
    let (lab, origin) = (Lab::new(), Origin::start());
    let relay = |header_bytes| {
        let faults = Faults {
            header_bytes,
            ..Faults::default()
        };
        Relay::start(origin.address, origin.clock, faults)
    };
    let (longer, usual) = (relay(HEADER_BYTES), relay(0));
    let jobs: Vec<_> = Job::all(&longer.url)
        .into_iter()
        .chain(Job::all(&usual.url))
        .map(|job| job.lasting(2.0))
        .collect();
    let done = lab.run(&jobs);
    let mut lines = Vec::new();
    for (with, without) in done.iter().zip(&done[TRANSPORTS.len()..]) {
        let (figures, base) = (&with.whole().figures, &without.whole().figures);
        let line = |figure, predicted, reported, tolerance| Expected {
            fault: "longer headers",
            injected: format!("{HEADER_BYTES} B each"),
            transport: figures.transport.clone(),
            figure,
            unit: "B",
            predicted,
            reported,
            tolerance,
        };
        let setup = |of: Option<f64>| of.expect("all are connected");
        let more = setup(figures.setup_bytes_per_client) - setup(base.setup_bytes_per_client);
        lines.push(line(
            "setup_bytes_per_client, more than without",
            HEADER_BYTES as f64,
            more,
            0.0,
        ));
        let answers = figures.requests.expect("counted") as f64 / figures.deliveries.expect("counted") as f64;
        let per_update = |of: Option<f64>| of.expect("updates came");
        let more = per_update(figures.bytes_per_update) - per_update(base.bytes_per_update);
        // An answer that is under way at an edge of the window counts with one of its ends.
        let predicted = HEADER_BYTES as f64 * answers;
        lines.push(line(
            "bytes_per_update, more than without",
            predicted,
            more,
            0.02 * per_update(base.bytes_per_update),
        ));
    }
    all_hold(&lines);
}
