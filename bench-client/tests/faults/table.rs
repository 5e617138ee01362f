//! One line per fault and place: what was injected, what arithmetic says must be reported, and what was.

use std::fmt;

/// How often a comparison of times may be repeated.
const ATTEMPTS: usize = 3;

/// A figure that must come out.
#[derive(Debug, Clone)]
pub struct Expected {
    pub fault: &'static str,
    pub injected: String,
    pub transport: String,
    pub figure: &'static str,
    pub unit: &'static str,
    pub predicted: f64,
    pub reported: f64,
    /// How far apart the two may be.
    pub tolerance: f64,
}

impl Expected {
    pub fn holds(&self) -> bool {
        (self.reported - self.predicted).abs() <= self.tolerance
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            fault,
            injected,
            transport,
            figure,
            unit,
            predicted,
            reported,
            tolerance,
        } = self;
        let decimals = match *unit {
            "%" => 2,
            _ => usize::from(predicted.fract() != 0.0 || reported.fract() != 0.0),
        };
        write!(
            f,
            "fault: {fault} | {transport} | injected {injected} | {figure}: predicted {predicted:.decimals$} ± {tolerance:.decimals$} {unit}, \
             reported {reported:.decimals$} {unit}"
        )
    }
}

/// Prints every line, and fails with those that do not hold.
#[track_caller]
pub fn all_hold(lines: &[Expected]) {
    for line in lines {
        println!("{line}");
    }
    assert_hold(lines);
}

#[track_caller]
fn assert_hold(lines: &[Expected]) {
    let broken: Vec<_> = lines
        .iter()
        .filter(|line| !line.holds())
        .map(Expected::to_string)
        .collect();
    assert!(broken.is_empty(), "not as predicted:\n{}", broken.join("\n"));
}

/// The same for faults in time. A busy machine can add delays of its own, but it can't make a fault up at its very size: what does
/// not hold is measured again, a few times at most.
#[track_caller]
pub fn soon_hold(measure: impl Fn() -> Vec<Expected>) {
    for attempt in 1.. {
        let lines = measure();
        if attempt == ATTEMPTS || lines.iter().all(Expected::holds) {
            return all_hold(&lines);
        }
        for line in lines.iter().filter(|line| !line.holds()) {
            println!("attempt {attempt} of {ATTEMPTS}, measured again: {line}");
        }
    }
}
