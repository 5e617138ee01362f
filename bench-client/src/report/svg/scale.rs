//! From values to pixels, and the ticks between.

use crate::report::chart::{Axis, Scale, Unit};
use crate::report::format;

/// An axis laid over a stretch of pixels.
pub struct Ruler {
    log: bool,
    low: f64,
    high: f64,
    from: i32,
    to: i32,
    pub ticks: Vec<Tick>,
}

pub struct Tick {
    pub value: f64,
    pub text: String,
}

impl Ruler {
    /// Covers `values` with round ends; `from` is the pixel of the lowest, `to` of the highest value.
    pub fn new(axis: &Axis, values: impl Iterator<Item = f64> + Clone, from: i32, to: i32) -> Self {
        let high = values.clone().fold(f64::MIN, f64::max);
        let low = values.fold(f64::MAX, f64::min);
        let (low, high) = if low > high { (1.0, 1.0) } else { (low, high) };
        // Ticks are stepped in the unit of the highest value, and must be worded in it: the end of the axis may be in the next.
        let highest = high;
        let values = match (axis.unit, axis.scale) {
            (Unit::OneIn, _) => one_in_ticks(high),
            (_, Scale::Log) => log_ticks(low, high),
            (unit, Scale::Linear) => linear_ticks(if high > 0.0 { high } else { 1.0 }, unit),
        };
        let (low, high) = match axis.unit {
            Unit::OneIn => (1.0, high.max(2.0)),
            Unit::Seconds => (0.0, high.max(1.0)),
            _ => (values[0], values[values.len() - 1]),
        };
        let ticks = values.into_iter().filter(|value| *value <= high);
        Ruler {
            log: axis.scale == Scale::Log,
            low,
            high,
            from,
            to,
            ticks: ticks
                .map(|value| Tick {
                    value,
                    text: words(value, if axis.scale == Scale::Linear { highest } else { high }, axis),
                })
                .collect(),
        }
    }

    /// The pixel of a value.
    pub fn pixel(&self, value: f64) -> i32 {
        let place = |value: f64| if self.log { value.log10() } else { value };
        let share = (place(value) - place(self.low)) / (place(self.high) - place(self.low));
        self.from + (share * f64::from(self.to - self.from)).round() as i32
    }
}

/// Quantiles that have names: 0, 50, 90, 99 … %.
fn one_in_ticks(high: f64) -> Vec<f64> {
    let decades = (1..)
        .map(|decade| 10f64.powi(decade))
        .take_while(|one_in| *one_in <= high * 1.001);
    [1.0, 2.0].into_iter().chain(decades).collect()
}

/// 1, 2, 5, 10 … around the values; powers of ten alone when they span much, finer steps when they span little.
fn log_ticks(low: f64, high: f64) -> Vec<f64> {
    let first = low.log10().floor() as i32;
    let last = high.log10().ceil() as i32;
    let steps: &[f64] = match high / low {
        _ if last - first > 3 => &[1.0],
        wide if wide > 5.0 => &[1.0, 2.0, 5.0],
        _ => &[
            1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0,
        ],
    };
    let all = (first..=last).flat_map(|decade| steps.iter().map(move |step| step * 10f64.powi(decade)));
    let mut ticks: Vec<f64> = all.collect();
    // Round ends: the last tick below all values and the first above them.
    while ticks.len() > 2 && ticks[1] <= low {
        ticks.remove(0);
    }
    while ticks.len() > 2 && ticks[ticks.len() - 2] >= high {
        ticks.pop();
    }
    ticks
}

/// Any figure is between these, in its unit.
const LEAST: f64 = 1e-12;
const MOST: f64 = 1e30;

/// From 0 in four to seven round steps, past the highest value unless the axis is time.
fn linear_ticks(high: f64, unit: Unit) -> Vec<f64> {
    let size = unit.prefix(high).0;
    // A number near the end of what a float can hold has no steps: there would be billions of them, or none.
    let high = (high / size).clamp(LEAST, MOST);
    let rough = high / 5.0;
    let magnitude = 10f64.powf(rough.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * magnitude);
    let mut step = steps
        .into_iter()
        .find(|step| *step >= rough * 0.999)
        .unwrap_or(magnitude * 10.0);
    // Whole numbers are counted in whole steps; a ratio, such as requests per update, is not.
    if unit == Unit::Seconds || unit == Unit::Count && high.fract() == 0.0 {
        step = step.max(1.0);
    }
    let count = (high / step - 1e-9).ceil() as u32;
    (0..=count.max(1)).map(|i| f64::from(i) * step * size).collect()
}

/// A tick's words, on an axis that ends at `high`.
pub fn words(value: f64, high: f64, axis: &Axis) -> String {
    if axis.unit == Unit::OneIn {
        return format!("{} %", rounded(100.0 - 100.0 / value));
    }
    // On a logarithmic axis every tick has the unit that fits it; on a linear one all have the same.
    let fitting = if axis.scale == Scale::Log { value } else { high };
    let (size, name) = axis.unit.prefix(fitting);
    format!("{}{name}", rounded(value / size))
}

/// Without the dust of binary fractions.
fn rounded(value: f64) -> String {
    format::plain((value * 1e9).round() / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(unit: Unit, scale: Scale, values: &[f64]) -> Vec<String> {
        let axis = Axis {
            label: String::new(),
            unit,
            scale,
        };
        Ruler::new(&axis, values.iter().copied(), 0, 100)
            .ticks
            .into_iter()
            .map(|tick| tick.text)
            .collect()
    }

    #[test]
    fn ticks_are_round_and_carry_their_unit() {
        assert_eq!(
            ticks(Unit::Microseconds, Scale::Log, &[340.0, 1_200_000.0]),
            ["100 µs", "1 ms", "10 ms", "100 ms", "1 s", "10 s"]
        );
        assert_eq!(
            ticks(Unit::Microseconds, Scale::Log, &[340.0, 4_000.0]),
            ["200 µs", "500 µs", "1 ms", "2 ms", "5 ms"]
        );
        assert_eq!(
            ticks(Unit::Microseconds, Scale::Log, &[1_050.0, 1_600.0]),
            ["1 ms", "1.2 ms", "1.4 ms", "1.6 ms"]
        );
        assert_eq!(
            ticks(Unit::Bytes, Scale::Linear, &[1_120.0]),
            ["0 KiB", "0.5 KiB", "1 KiB", "1.5 KiB"]
        );
        assert_eq!(ticks(Unit::Count, Scale::Linear, &[0.0]), ["0", "1"]);
        assert_eq!(
            ticks(Unit::Count, Scale::Linear, &[0.25]),
            ["0", "0.05", "0.1", "0.15", "0.2", "0.25"]
        );
        assert_eq!(
            ticks(Unit::Share, Scale::Linear, &[0.9125]),
            ["0 %", "20 %", "40 %", "60 %", "80 %", "100 %"]
        );
        assert_eq!(
            ticks(Unit::Seconds, Scale::Linear, &[0.0, 9.0]),
            ["0 s", "2 s", "4 s", "6 s", "8 s"]
        );
        assert_eq!(
            ticks(Unit::OneIn, Scale::Log, &[1.0, 1_000.0]),
            ["0 %", "50 %", "90 %", "99 %", "99.9 %"]
        );
    }

    #[test]
    fn a_figure_of_any_size_has_few_ticks() {
        for high in [f64::MAX, f64::INFINITY, f64::MIN_POSITIVE, 5e-324, -1.0] {
            for unit in [Unit::Microseconds, Unit::Bytes, Unit::Count] {
                let count = ticks(unit, Scale::Linear, &[high]).len();
                assert!(count <= 12, "{count} up to {high}");
            }
        }
    }

    #[test]
    fn values_lie_between_the_ends() {
        let axis = Axis {
            label: String::new(),
            unit: Unit::Microseconds,
            scale: Scale::Log,
        };
        let ruler = Ruler::new(&axis, [100.0, 10_000.0].into_iter(), 50, 250);
        assert_eq!(
            (ruler.pixel(100.0), ruler.pixel(1_000.0), ruler.pixel(10_000.0)),
            (50, 150, 250)
        );
        let nothing = Ruler::new(&axis, std::iter::empty(), 0, 100);
        assert!((0..=100).contains(&nothing.pixel(1.0)));
    }
}
