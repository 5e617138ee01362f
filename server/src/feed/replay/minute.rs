//! The minute of a goal, in all the ways it is written: `67`, `90` with an offset of 3 beside it, `"90+3"`.

use super::place::{At, Fault};

/// The end of extra time; more stands in the stoppage.
pub const MAX: u16 = 120;
/// Stoppage minutes of one period; 13 is the most in the real files.
pub const MAX_STOPPAGE: u16 = 30;
/// Where a period ends and stoppage may be counted on.
pub const PERIOD_ENDS: [u16; 4] = [45, 90, 105, 120];

const MINUTE: &str = "a number or text like \"90+3\"";

/// Minute and stoppage, from `90` and `"offset": 3` or from `"90+3"`.
pub fn of(goal: &At) -> Result<(u16, u16), Fault> {
    let at = goal.required("minute", MINUTE)?;
    let (minute, in_text) = match at.value {
        serde_json::Value::String(text) => read(text).ok_or_else(|| at.fault(MINUTE))?,
        serde_json::Value::Number(number) => (
            number.as_u64().ok_or_else(|| at.fault("a whole number of minutes"))?,
            None,
        ),
        _ => return Err(at.fault(MINUTE)),
    };
    let minute = at.bounded(minute, 1..=MAX, "a minute")?;
    let offset = goal.optional("offset")?;
    let stoppage = match (in_text, offset) {
        (Some(_), Some(offset)) => return Err(offset.fault("no offset beside a minute with its own \"+\"")),
        (Some(in_text), None) => at.bounded(in_text, 0..=MAX_STOPPAGE, "stoppage")?,
        (None, Some(offset)) => offset.whole(0..=MAX_STOPPAGE, "stoppage")?,
        (None, None) => 0,
    };
    if stoppage > 0 && !PERIOD_ENDS.contains(&minute) {
        return Err(at.fault("minute 45, 90, 105 or 120, because stoppage is counted on from it"));
    }
    Ok((minute, stoppage))
}

/// Minute and, after a plus, stoppage: plain decimal numbers.
pub fn read(text: &str) -> Option<(u64, Option<u64>)> {
    let number = |text: &str| {
        let text = text.trim();
        // `parse` would also take "+3", so that "90++3" passed.
        text.bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| text.parse().ok())
            .flatten()
    };
    match text.split_once('+') {
        Some((minute, stoppage)) => Some((number(minute)?, Some(number(stoppage)?))),
        None => Some((number(text)?, None)),
    }
}
