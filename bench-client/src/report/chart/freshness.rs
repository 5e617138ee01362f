//! Charts of how old what a client shows is.

use crate::report::format;
use crate::report::summary::Summary;

use super::bars::{bars, chart, one_group};
use super::{Axis, Chart, Scale, Unit};

pub fn age(summaries: &[Summary]) -> Option<Chart> {
    let bars = bars(summaries, Summary::age_mean_us, |row| row.age_mean_us, format::time_us);
    chart(
        "age",
        "Mean age of what clients show",
        "Now minus the due time of the newest update held, over the whole window and all clients: what the feed's own pace costs is in it.",
        Axis {
            label: "age".to_owned(),
            unit: Unit::Microseconds,
            scale: Scale::Linear,
        },
        one_group(bars),
    )
}

pub fn stale_share(summaries: &[Summary]) -> Option<Chart> {
    let bars = bars(summaries, Summary::stale_share, |row| row.stale_share, format::share);
    chart(
        "stale-share",
        "Stale share",
        "Share of all client time in which the newest due update was not held yet.",
        Axis {
            label: "share of client time".to_owned(),
            unit: Unit::Share,
            scale: Scale::Linear,
        },
        one_group(bars),
    )
}
