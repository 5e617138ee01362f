//! Charts of a restart: who has the newest state again, and what the server is asked meanwhile.

use crate::record::{Recovery, RecoveryPoint};
use crate::report::summary::Summary;

use super::{Axis, Chart, Line, Plot, Scale, Unit, owner};

/// Share of the clients that are restored, over the time since the kill.
pub fn restored(summaries: &[Summary]) -> Option<Chart> {
    chart(
        summaries,
        (
            "recovery",
            "Back after the restart",
            "Share of the clients that hold the newest state again, from the kill of the server on; a line per repeat.",
        ),
        ("clients restored", Unit::Share),
        |recovery| {
            let all = (recovery.restored.count + recovery.restored.lost).max(1) as f64;
            let mut restored = 0;
            let points = recovery.series.iter().map(|point| {
                restored += point.restored;
                (seconds(point.to_us), Some(restored as f64 / all))
            });
            points.collect()
        },
    )
}

/// Requests per second of each bucket, over the time since the kill.
pub fn asked(summaries: &[Summary]) -> Option<Chart> {
    chart(
        summaries,
        (
            "recovery-requests",
            "What the restarted server is asked",
            "Request heads written per second, in buckets of about 100 ms from the kill of the server on; a line per repeat. Handshakes are \
             requests, connections that were refused are none.",
        ),
        ("requests per second", Unit::Count),
        |recovery| {
            // The first bucket reaches back behind the kill.
            let behind = recovery.series.iter().skip(1);
            behind.map(|point| (seconds(point.to_us), rate(point))).collect()
        },
    )
}

fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

fn rate(point: &RecoveryPoint) -> Option<f64> {
    let length_us = point.to_us.checked_sub(point.from_us).filter(|us| *us > 0)?;
    Some(point.requests as f64 / seconds(length_us))
}

type Points = Vec<(f64, Option<f64>)>;

fn chart(
    summaries: &[Summary],
    (id, title, caption): (&'static str, &str, &str),
    (label, unit): (&str, Unit),
    points: impl Fn(&Recovery) -> Points,
) -> Option<Chart> {
    let line = |summary: &Summary, (nth, recovery): (usize, &Recovery), several: bool| Line {
        owner: owner(summary),
        name: if several {
            format!("repeat {}", nth + 1)
        } else {
            String::new()
        },
        points: points(recovery),
        lost: false,
    };
    let of_one = |summary: &Summary| -> Vec<Line> {
        let all: Vec<&Recovery> = summary.rows.iter().filter_map(|row| row.recovery.as_ref()).collect();
        let several = all.len() > 1;
        all.into_iter()
            .enumerate()
            .map(|one| line(summary, one, several))
            .collect()
    };
    let lines: Vec<Line> = summaries
        .iter()
        .flat_map(of_one)
        .filter(|line| !line.points.is_empty())
        .collect();
    let axis = |label: &str, unit| Axis {
        label: label.to_owned(),
        unit,
        scale: Scale::Linear,
    };
    (!lines.is_empty()).then(|| Chart {
        id,
        title: title.to_owned(),
        caption: caption.to_owned(),
        plot: Plot::Lines {
            x: axis("time since the kill", Unit::Seconds),
            y: axis(label, unit),
            lines,
        },
    })
}
