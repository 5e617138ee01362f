//! What takes minutes, or asserts speed: `./test.sh --long` runs it, on a machine that does nothing else.

use std::time::Duration;

use crate::stage::{Stage, curated};

#[test]
#[ignore = "half an hour"]
fn a_thousand_updates_a_second_for_half_an_hour_take_no_memory_and_no_long_task() {
    Stage::open("--demo --rate 1000 --topics 1 --payload 256").plays_within(
        "load.mjs",
        &["long"],
        Duration::from_secs(40 * 60),
    );
}

#[test]
#[ignore = "five minutes, and it asserts speed"]
fn lighthouse_finds_the_page_accessible_and_fast() {
    Stage::with("--demo --rate 2", |lab| curated(lab, "curated")).plays_within(
        "lighthouse.mjs",
        &[],
        Duration::from_secs(12 * 60),
    );
}
