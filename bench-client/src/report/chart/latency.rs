//! Charts of times as distributions: delivery latency by quantile, as the whole spectrum, and second by second; connecting.

use crate::record::{Quantile, Row};
use crate::report::format;
use crate::report::summary::Summary;

use super::{Axis, Chart, Dot, Dots, Line, Plot, Scale, Unit, owner};

/// Points per factor of ten along the spectrum.
const POINTS_PER_DECADE: u32 = 24;
/// The spectrum ends at 99.999 % at the latest.
const LAST_DECADE: u32 = 5;

/// p50 to p99.9 of each transport.
pub fn quantiles(summaries: &[Summary]) -> Option<Chart> {
    let named = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];
    let rows: Vec<Dots> = summaries
        .iter()
        .filter_map(|summary| dots(summary, &named, |q| summary.latency(q)))
        .collect();
    let lost = rows.iter().any(|row| row.dots.iter().any(|dot| dot.value.is_none()));
    let lost = if lost {
        " A line that runs off the right edge leads to updates that never came."
    } else {
        ""
    };
    (!rows.is_empty()).then(|| Chart {
        id: "latency-quantiles",
        title: "Delivery latency".to_owned(),
        caption: format!("From left to right p50 (filled), p90, p99 and p99.9 of all repeats together.{lost}"),
        plot: Plot::Dots {
            axis: latency_axis(),
            rows,
        },
    })
}

/// From the start of connect() to a session that delivers.
pub fn connect(summaries: &[Summary]) -> Option<Chart> {
    let named = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("longest", 1.0)];
    let rows: Vec<Dots> = summaries
        .iter()
        .filter_map(|summary| dots(summary, &named, |q| summary.connect.as_ref()?.quantile(q)))
        .collect();
    (!rows.is_empty()).then(|| Chart {
        id: "connect-latency",
        title: "Connect latency".to_owned(),
        caption: "From the start of connect() to a session that delivers. From left to right p50 (filled), p90, p99 and the longest \
                  of all repeats together."
            .to_owned(),
        plot: Plot::Dots {
            axis: Axis {
                label: "time to connect".to_owned(),
                unit: Unit::Microseconds,
                scale: Scale::Log,
            },
            rows,
        },
    })
}

/// Named quantiles of one distribution; `None` where nothing is known.
fn dots(
    summary: &Summary,
    named: &[(&'static str, f64)],
    quantile_of: impl Fn(f64) -> Option<Quantile>,
) -> Option<Dots> {
    let known: Vec<(&'static str, Quantile)> = named
        .iter()
        .filter_map(|(name, q)| Some((*name, quantile_of(*q)?)))
        .collect();
    let words = |name: &str| {
        let quantile = known.iter().find(|(known, _)| *known == name);
        format!(
            "{name} {}",
            format::known(quantile, |(_, quantile)| format::quantile(*quantile))
        )
    };
    (!known.is_empty()).then(|| Dots {
        owner: owner(summary),
        text: format!("{} · {}", words("p50"), words("p99")),
        dots: known
            .iter()
            .map(|(name, quantile)| Dot {
                name,
                value: quantile.us().map(drawable),
            })
            .collect(),
    })
}

/// Every quantile, with the rare ones stretched out.
pub fn spectrum(summaries: &[Summary]) -> Option<Chart> {
    let lines: Vec<Line> = summaries.iter().filter_map(spectrum_line).collect();
    let lost = if lines.iter().any(|line| line.lost) {
        " A line marked lost ends where updates never came."
    } else {
        ""
    };
    (!lines.is_empty()).then(|| Chart {
        id: "latency-spectrum",
        title: "Delivery latency by percentile".to_owned(),
        caption: format!(
            "The share of expected updates that came within the line's latency, all repeats together.{lost}"
        ),
        plot: Plot::Lines {
            x: Axis {
                label: "share of updates".to_owned(),
                unit: Unit::OneIn,
                scale: Scale::Log,
            },
            y: latency_axis(),
            lines,
        },
    })
}

fn spectrum_line(summary: &Summary) -> Option<Line> {
    let latency = summary.latency.as_ref()?;
    let mut line = Line {
        owner: owner(summary),
        name: String::new(),
        points: Vec::new(),
        lost: false,
    };
    for step in 0..=POINTS_PER_DECADE * LAST_DECADE {
        let one_in = 10f64.powf(f64::from(step) / f64::from(POINTS_PER_DECADE));
        // Beyond this, the quantile is the longest value again and again.
        if one_in > latency.count() as f64 {
            break;
        }
        match latency.quantile(1.0 - 1.0 / one_in) {
            Some(Quantile::Us(us)) => line.points.push((one_in, Some(drawable(us)))),
            Some(Quantile::Lost(_)) => {
                line.lost = true;
                break;
            }
            None => {}
        }
    }
    (!line.points.is_empty()).then_some(line)
}

/// p99 of each second of the window, a line per repeat.
pub fn over_time(summaries: &[Summary]) -> Option<Chart> {
    let lines: Vec<Line> = summaries
        .iter()
        .flat_map(|summary| summary.rows.iter().filter_map(|row| over_time_line(summary, row)))
        .collect();
    (!lines.is_empty()).then(|| Chart {
        id: "latency-over-time",
        title: "Delivery latency over time".to_owned(),
        caption:
            "p99 of the updates received in each second of the window, a line per repeat. A gap: none was received."
                .to_owned(),
        plot: Plot::Lines {
            x: Axis {
                label: "time in the window".to_owned(),
                unit: Unit::Seconds,
                scale: Scale::Linear,
            },
            y: latency_axis(),
            lines,
        },
    })
}

fn over_time_line(summary: &Summary, row: &Row) -> Option<Line> {
    let points: Vec<(f64, Option<f64>)> = row
        .series
        .iter()
        .map(|point| (f64::from(point.second), point.latency_p99_us.map(drawable)))
        .collect();
    let known = points.iter().any(|(_, latency)| latency.is_some());
    known.then(|| Line {
        owner: owner(summary),
        name: if summary.rows.len() > 1 {
            format!("repeat {}", row.figures.repeat)
        } else {
            String::new()
        },
        points,
        lost: false,
    })
}

fn latency_axis() -> Axis {
    Axis {
        label: "latency".to_owned(),
        unit: Unit::Microseconds,
        scale: Scale::Log,
    }
}

/// A logarithmic axis has no 0: below a microsecond is drawn at one.
fn drawable(us: u64) -> f64 {
    us.max(1) as f64
}
