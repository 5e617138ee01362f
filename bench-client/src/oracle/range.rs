//! What a model says: a figure, and the range around it that the model allows.

/// How many standard deviations a figure made of random arrivals may be off: by chance a normal one in 16,000 is further off.
const DEVIATIONS: f64 = 4.0;

/// How far above its mean a figure made of random arrivals may be: these figures lean to the right, because one long gap weighs more
/// than many short ones, so the skewness widens that side (the first term of Cornish and Fisher's expansion).
pub fn above(deviation: f64, skewness: f64) -> f64 {
    deviation * (DEVIATIONS + skewness * (DEVIATIONS * DEVIATIONS - 1.0) / 6.0)
}

/// How far below.
pub fn below(deviation: f64) -> f64 {
    deviation * DEVIATIONS
}

/// A figure and its bounds. `low <= predicted <= high`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    pub predicted: f64,
    pub low: f64,
    pub high: f64,
}

impl Range {
    pub const ZERO: Range = Range::exact(0.0);

    /// Nothing else is allowed.
    pub const fn exact(value: f64) -> Self {
        Self {
            predicted: value,
            low: value,
            high: value,
        }
    }

    /// A figure between bounds; whatever is wrong way round is put right, and none is below zero.
    pub fn between(predicted: f64, low: f64, high: f64) -> Self {
        Self {
            predicted,
            low: low.min(predicted).max(0.0),
            high: high.max(predicted),
        }
    }

    /// The same amount either way.
    pub fn around(predicted: f64, off: f64) -> Self {
        Self::between(predicted, predicted - off, predicted + off)
    }

    /// What random arrivals of this deviation and skewness may make of a mean.
    pub fn by_chance(mean: f64, deviation: f64, skewness: f64) -> Self {
        Self::between(mean, mean - below(deviation), mean + above(deviation, skewness))
    }

    pub fn scaled(self, by: f64) -> Self {
        Self {
            predicted: self.predicted * by,
            low: self.low * by,
            high: self.high * by,
        }
    }

    /// As far from its prediction as another range is from its own, on top.
    pub fn spread_like(self, other: Range) -> Self {
        let (down, up) = (other.predicted - other.low, other.high - other.predicted);
        Self::between(self.predicted, self.low - down, self.high + up)
    }

    /// `low` and `high` moved outwards by this much.
    pub fn wider(self, by: f64) -> Self {
        Self::between(self.predicted, self.low - by, self.high + by)
    }

    pub fn plus(self, other: Range) -> Self {
        Self {
            predicted: self.predicted + other.predicted,
            low: self.low + other.low,
            high: self.high + other.high,
        }
    }

    pub fn holds(&self, value: f64) -> bool {
        // A hair beside a bound is a rounding, not a deviation.
        let hair = 1e-9 * self.high.abs().max(1.0);
        (self.low - hair..=self.high + hair).contains(&value)
    }

    pub fn is_finite(&self) -> bool {
        [self.predicted, self.low, self.high].iter().all(|one| one.is_finite())
    }
}
