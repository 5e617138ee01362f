//! What the models predicted of a technique, over all its repeats: for the table of report.md, and for the verdict.

use crate::record::{Prediction, Row};

use super::format;

/// How a model begins that predicts one measured figure from another.
const SECOND_METHOD: &str = "second method";

/// One figure by one model, as every repeat had it.
pub struct Checked<'a> {
    pub metric: &'a str,
    pub model: &'a str,
    /// In the order of the repeats.
    pub repeats: Vec<&'a Prediction>,
}

/// Every figure a model predicted for these rows of one technique, in the models' order.
pub fn checked<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Vec<Checked<'a>> {
    let mut all: Vec<Checked<'a>> = Vec::new();
    for prediction in rows.into_iter().flat_map(|row| &row.predictions) {
        let same = |one: &&mut Checked<'_>| one.metric == prediction.metric && one.model == prediction.model;
        match all.iter_mut().find(same) {
            Some(known) => known.repeats.push(prediction),
            None => all.push(Checked {
                metric: &prediction.metric,
                model: &prediction.model,
                repeats: vec![prediction],
            }),
        }
    }
    all
}

impl<'a> Checked<'a> {
    /// The figure's name for people: its column without the unit.
    pub fn name(&self) -> String {
        self.metric.trim_end_matches("_us").replace('_', " ")
    }

    /// Latency, age, staleness.
    fn is_time(&self) -> bool {
        self.metric.ends_with("_us") || self.metric.ends_with("_share")
    }

    /// A value of it with its unit.
    pub fn value(&self, value: f64) -> String {
        if self.metric.ends_with("_us") {
            format::time_us(value)
        } else if self.metric.ends_with("_share") {
            format::share(value)
        } else if self.metric.contains("bytes") {
            // To the byte, because that is how exact these models are.
            format!("{} B", format::number(value))
        } else if value.fract() == 0.0 && (0.0..1e15).contains(&value) {
            format::count(value as u64)
        } else {
            format::number(value)
        }
    }

    /// Lowest to highest over the repeats; None where none knows it.
    pub fn range(&self, of: impl Fn(&Prediction) -> Option<f64>) -> Option<(f64, f64)> {
        let values = self.repeats.iter().filter_map(|one| of(one));
        values.fold(None, |range, value| {
            let (low, high) = range.unwrap_or((value, value));
            Some((value.min(low), value.max(high)))
        })
    }

    /// From the lowest the model allows to the highest.
    pub fn allowed(&self) -> String {
        let (low, high) = (self.range(|one| Some(one.low)), self.range(|one| Some(one.high)));
        let range = low.zip(high).map(|(low, high)| (low.0, high.1));
        format::known(range, |range| format::range(range, |value| self.value(value)))
    }

    pub fn measured(&self) -> String {
        format::known(self.range(|one| one.measured), |range| {
            format::range(range, |value| self.value(value))
        })
    }

    /// True when a repeat measured it.
    pub fn is_known(&self) -> bool {
        self.repeats.iter().any(|one| one.measured.is_some())
    }

    /// How many repeats deviate.
    pub fn deviating(&self) -> usize {
        self.repeats.iter().filter(|one| one.likely_cause.is_some()).count()
    }

    /// The first repeat's cause that has one.
    pub fn cause(&self) -> Option<&'a str> {
        self.repeats.iter().find_map(|one| one.likely_cause.as_deref())
    }
}

/// What a row measured outside of its models, for one cause.
pub struct Deviation {
    /// Which figures, how far, and the cause.
    pub words: String,
    /// True for what follows from the plan alone; false where a machine's own time is in it, for which there is only an allowance.
    pub exact: bool,
}

/// Everything a row measured outside of its models.
pub fn deviations(row: &Row) -> Vec<Deviation> {
    let mut causes: Vec<(&str, bool, Vec<String>)> = Vec::new();
    for one in checked([row]) {
        let Some(cause) = one.cause() else { continue };
        let exact = !one.is_time() || one.model.starts_with(SECOND_METHOD);
        let words = format!(
            "{} is {} where {} is allowed",
            one.name(),
            one.measured(),
            one.allowed()
        );
        match causes.iter_mut().find(|known| (known.0, known.1) == (cause, exact)) {
            Some((_, _, figures)) => figures.push(words),
            None => causes.push((cause, exact, vec![words])),
        }
    }
    let deviation = |(cause, exact, figures): (&str, bool, Vec<String>)| Deviation {
        words: format!("{}: probably {cause}", figures.join(", ")),
        exact,
    };
    causes.into_iter().map(deviation).collect()
}
