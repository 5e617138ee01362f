//! Thresholds: an expression that can be checked, or refused with its fault.

use crate::thresholds::Threshold;

/// The longest expression twice, each character escaped, and the words around it.
const FAULT_MAX_BYTES: usize = 4_000;

fn transports() -> Vec<String> {
    ["short-poll", "websocket"].map(str::to_owned).into()
}

/// Any text is refused in bounded words, or means the same when it is read again from how it was written.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Threshold::parse(text, &transports()) {
        Err(error) => assert!(error.to_string().len() < FAULT_MAX_BYTES, "{error}"),
        Ok(threshold) => {
            assert!(threshold.bound.is_finite(), "{text:?}");
            assert_eq!(
                Threshold::parse(&threshold.text, &transports()).as_ref(),
                Ok(&threshold)
            );
            let blank: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            let again = Threshold::parse(&blank, &transports()).expect("blanks make no difference");
            assert_eq!((again.op, again.subject), (threshold.op, threshold.subject));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        properties::cases,
        thresholds::{Op, Subject},
    };

    #[test]
    fn the_longest_expression_is_refused_in_bounded_words() {
        check(format!("{}==", "\u{1a}".repeat(198)).as_bytes());
    }

    proptest! {
        #![proptest_config(cases(1))]

        #[test]
        fn any_bytes(data in prop::collection::vec(any::<u8>(), 0..60)) {
            check(&data);
        }

        #[test]
        fn nearly_expressions(text in "( |all|websocket|sse|short-poll|\\.|latency_p99_ms|missed|reach|repeat|<|<=|=|==|!=|>|[0-9]|-|\\.|e|inf|NaN|\u{e9}){0,8}") {
            check(text.as_bytes());
        }

        #[test]
        fn what_is_written_is_read(
            subject in prop::sample::select(&["all", "websocket"][..]),
            metric in prop::sample::select(&["missed", "reach", "latency_p99_ms", "server_cpu_us_per_update"][..]),
            (sign, op) in prop::sample::select(&[("<", Op::Below), ("<=", Op::AtMost), (">", Op::Above), (">=", Op::AtLeast), ("==", Op::Equal), ("!=", Op::NotEqual)][..]),
            bound in prop::num::f64::NORMAL,
            blank in " {0,3}",
        ) {
            let text = format!("{blank}{subject}.{metric}{blank}{sign}{blank}{bound:e}{blank}");
            let threshold = Threshold::parse(&text, &transports()).expect("a good expression");
            let one = Subject::One(subject.to_owned());
            let expected = if subject == "all" { Subject::All(transports()) } else { one };
            prop_assert_eq!((threshold.op, threshold.bound, threshold.subject), (op, bound, expected));
            check(text.as_bytes());
        }
    }
}
