//! Numbers for people: three significant digits, a unit, and `–` for what is not known. CSV and JSON keep the plain numbers.

use crate::record::Quantile;

/// Stands for an unknown value; never 0.
pub const UNKNOWN: &str = "–";

/// `value` in words, or [`UNKNOWN`].
pub fn known<T>(value: Option<T>, words: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), words)
}

/// Microseconds as µs, ms or s.
pub fn time_us(us: f64) -> String {
    // 999.5 would round to 1,000: that is the next unit already.
    match us.abs() {
        below if below < 999.5 => format!("{} µs", number(us)),
        below if below < 999_500.0 => format!("{} ms", number(us / 1e3)),
        _ => format!("{} s", number(us / 1e6)),
    }
}

pub fn quantile(quantile: Quantile) -> String {
    quantile.us().map_or_else(|| "lost".to_owned(), |us| time_us(us as f64))
}

/// Bytes as B, KiB, MiB or GiB.
pub fn bytes(bytes: f64) -> String {
    let mut value = bytes;
    for unit in ["B", "KiB", "MiB"] {
        if value.abs() < 1023.5 {
            return format!("{} {unit}", number(value));
        }
        value /= 1024.0;
    }
    format!("{} GiB", number(value))
}

/// A share of 1 as a percentage; `100 %` means all: 99.996 % is cut to 99.99, not rounded up to it.
pub fn share(share: f64) -> String {
    if share == 0.0 {
        return "0 %".to_owned();
    }
    if share == 1.0 {
        return "100 %".to_owned();
    }
    // The small step up keeps 0.29 * 10,000 = 2,899.999… from losing its last digit.
    let hundredths = (share * 1e4 + 1e-6).floor();
    if hundredths < 1.0 {
        "< 0.01 %".to_owned()
    } else {
        format!("{:.2} %", hundredths / 100.0)
    }
}

/// Three significant digits; whole numbers from 100 up.
pub fn number(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let magnitude = value.abs().log10().floor() as i32;
    let decimals = (2 - magnitude).clamp(0, 6) as usize;
    let text = format!("{value:.decimals$}");
    // 9.999 rounds to 10.000: one digit too many.
    let text = if decimals > 0 && magnitude_of(&text) > magnitude {
        format!("{value:.*}", decimals - 1)
    } else {
        text
    };
    match text.split_once('.') {
        Some((whole, decimals)) => format!("{}.{decimals}", grouped(whole)),
        None => grouped(&text),
    }
}

/// A count with thousands separators.
pub fn count(count: impl Into<u64>) -> String {
    grouped(&count.into().to_string())
}

/// A number of the plan as it was written: no more digits than it has.
pub fn plain(value: f64) -> String {
    let text = format!("{value}");
    match text.split_once('.') {
        Some((whole, decimals)) => format!("{}.{decimals}", grouped(whole)),
        None => grouped(&text),
    }
}

/// A whole number of tenths, with its tenth: `1,003.0`.
pub fn tenths(tenths: i64) -> String {
    let sign = if tenths < 0 { "-" } else { "" };
    let tenths = tenths.unsigned_abs();
    format!("{sign}{}.{}", count(tenths / 10), tenths % 10)
}

/// `1 client`, `2 clients`.
pub fn of(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", self::count(count), if count == 1 { one } else { many })
}

/// Low to high, one value when they print the same.
pub fn range<T>(range: (T, T), words: impl Fn(T) -> String) -> String {
    let (low, high) = (words(range.0), words(range.1));
    if low == high { low } else { format!("{low} – {high}") }
}

/// `a`, `a and b`, `a, b and c`.
pub fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn magnitude_of(text: &str) -> i32 {
    text.parse::<f64>()
        .map_or(0, |value| value.abs().log10().floor() as i32)
}

/// Commas between groups of three digits of a whole number.
fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let mut out = String::from(sign);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_and_the_right_unit() {
        for (us, text) in [
            (0.0, "0 µs"),
            (6.4, "6.40 µs"),
            (9.999, "10.0 µs"),
            (423.0, "423 µs"),
            (999.4, "999 µs"),
            (999.6, "1.00 ms"),
            (12_345.0, "12.3 ms"),
            (999_600.0, "1.00 s"),
            (7_200e6, "7,200 s"),
        ] {
            assert_eq!(time_us(us), text);
        }
        assert_eq!(bytes(214.4), "214 B");
        assert_eq!(bytes(1023.9), "1.00 KiB");
        assert_eq!(bytes(4_608.0), "4.50 KiB");
        assert_eq!(bytes(3.0 * 1024.0 * 1024.0 * 1024.0), "3.00 GiB");
        assert_eq!(number(0.0123456), "0.0123");
        assert_eq!(number(1_234_567.8), "1,234,568");
        assert_eq!(count(1_000u64), "1,000");
        assert_eq!(plain(0.5), "0.5");
        assert_eq!(plain(1000.0), "1,000");
        assert_eq!(
            (tenths(10_030), tenths(-5), tenths(0)),
            ("1,003.0".into(), "-0.5".into(), "0.0".into())
        );
    }

    #[test]
    fn not_quite_all_is_never_printed_as_all() {
        assert_eq!(share(1.0), "100 %");
        assert_eq!(share(0.999_999), "99.99 %");
        assert_eq!(share(0.29), "29.00 %");
        assert_eq!(share(0.000_001), "< 0.01 %");
        assert_eq!(share(0.0), "0 %");
    }

    #[test]
    fn unknown_is_a_dash() {
        assert_eq!(known(None::<f64>, time_us), "–");
        assert_eq!(range((1.0, 1.001), time_us), "1.00 µs");
        assert_eq!(range((1.0, 2.0), time_us), "1.00 µs – 2.00 µs");
    }

    #[test]
    fn the_last_of_several_stands_behind_and() {
        let lists: [&[&str]; 4] = [&[], &["a"], &["a", "b"], &["a", "b", "c"]];
        assert_eq!(lists.map(listed), ["", "a", "a and b", "a, b and c"]);
    }
}
