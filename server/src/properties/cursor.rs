//! Cursors: two plain decimal numbers with a dash between, or refused by name.

use crate::wire::{Cursor, MalformedCursor};

/// Any text is the cursor it says, or malformed; never another cursor.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let parsed = text.parse::<Cursor>();
    assert_eq!(parsed.as_ref().ok(), plainly(text).as_ref(), "{text:?}");
    match parsed {
        Ok(cursor) => {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
            let json = serde_json::to_string(&cursor).expect("text");
            assert_eq!(serde_json::from_str::<Cursor>(&json).expect("what was written"), cursor);
        }
        Err(MalformedCursor(told)) => assert!(told.chars().count() <= 80, "the answer carries the whole question"),
    }
}

/// The same, digit by digit.
fn plainly(text: &str) -> Option<Cursor> {
    let mut parts = text.split('-');
    let mut number = || {
        let part = parts.next().filter(|part| !part.is_empty())?;
        part.chars().try_fold(0u64, |number, digit| {
            let digit = "0123456789".find(digit)? as u64;
            number.checked_mul(10)?.checked_add(digit)
        })
    };
    let (epoch, offset) = (number()?, number()?);
    parts.next().is_none().then_some(Cursor { epoch, offset })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{check, plainly};
    use crate::{properties::cases, wire::Cursor};

    proptest! {
        #![proptest_config(cases(1))]

        #[test]
        fn any_bytes(data in prop::collection::vec(any::<u8>(), 0..64)) {
            check(&data);
        }

        #[test]
        fn nearly_cursors(text in "[0-9+ ]{0,21}-?[0-9 .-]{0,21}-?") {
            check(text.as_bytes());
        }

        #[test]
        fn a_cursor_survives_the_round_trip(epoch: u64, offset: u64) {
            let cursor = Cursor { epoch, offset };
            prop_assert_eq!(plainly(&cursor.to_string()), Some(cursor));
            check(cursor.to_string().as_bytes());
        }
    }
}
