//! What messages say: text as UTF-8 (6), and how they end it (7).

use super::{super::bytes::TEXT_BEGINS, Case, Demand, NOT_TEXT, PROTOCOL, Sender, case, goes_on};
use crate::support::raw::{CLOSE, PING};

impl Sender {
    pub fn texts(&self) -> Vec<Case> {
        let from = self.from;
        let with = |text: &[u8]| {
            // Between the quotes of a text that is valid elsewhere.
            let whole = (self.message)("MARK");
            let at = whole
                .windows(4)
                .position(|window| window == b"MARK")
                .expect("it is in there");
            [&whole[..at], text, &whole[at + 4..]].concat()
        };
        let mut cases = Vec::new();
        // Valid: two to four bytes, the edges of each length, non-characters, NUL escaped by JSON and bare ones refused by it.
        for text in [
            "κόσμε",
            "\u{80}",
            "\u{7ff}",
            "\u{800}",
            "\u{ffff}",
            "\u{fffe}",
            "\u{10000}",
            "\u{10ffff}",
            "\u{d7ff}",
            "\u{e000}",
            "\u{fffd}",
            "\u{fdd0}",
        ] {
            let whole = with(text.as_bytes());
            cases.push(case(
                format!("6 valid: {}", text.escape_unicode()),
                from.text(&whole),
                goes_on(1),
            ));
            // Split within every character.
            let at = whole
                .windows(text.len())
                .position(|window| window == text.as_bytes())
                .expect("it is in there")
                + 1;
            let split = from.in_parts(TEXT_BEGINS, &[&whole[..at], &whole[at..]]);
            cases.push(case(
                format!("6 valid, split within: {}", text.escape_unicode()),
                split,
                goes_on(1),
            ));
        }
        // Invalid: lone continuations and leads, overlong forms, surrogates, beyond U+10FFFF, lengths that never were (RFC 3629).
        let invalid: [&[u8]; 24] = [
            b"\x80",
            b"\xbf",
            b"\x80\xbf",
            b"\xc3",
            b"\xe2\x82",
            b"\xf0\x9f\x98",
            b"\xc0\x80",
            b"\xc1\xbf",
            b"\xe0\x80\x80",
            b"\xe0\x9f\xbf",
            b"\xf0\x80\x80\x80",
            b"\xf0\x8f\xbf\xbf",
            b"\xed\xa0\x80",
            b"\xed\xbf\xbf",
            b"\xed\xa0\x80\xed\xb0\x80",
            b"\xf4\x90\x80\x80",
            b"\xf5\x80\x80\x80",
            b"\xf8\x88\x80\x80\x80",
            b"\xfc\x84\x80\x80\x80\x80",
            b"\xfe",
            b"\xff",
            b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80",
            b"\xc3\x28",
            b"\xe2\x28\xa1",
        ];
        for text in invalid {
            let whole = with(text);
            let named = text.escape_ascii();
            cases.push(case(
                format!("6 invalid: {named}"),
                from.text(&whole),
                Demand::Fails(NOT_TEXT),
            ));
            let at = whole
                .windows(text.len())
                .position(|window| window == text)
                .expect("it is in there")
                + 1;
            let split = from.in_parts(TEXT_BEGINS, &[&whole[..at], &whole[at..]]);
            cases.push(case(
                format!("6 invalid, split within: {named}"),
                split,
                Demand::Fails(NOT_TEXT),
            ));
        }
        // Fail fast: the message never ends, its first fragment can already not become text.
        for text in [&b"\xff"[..], b"\xed\xa0\x80", b"\xf4\x90\x80\x80"] {
            let begun = from.frame(TEXT_BEGINS, &with(text));
            cases.push(case(
                format!("6.4 a text that never ends: {}", text.escape_ascii()),
                begun,
                Demand::Fails(NOT_TEXT),
            ));
        }
        let broken_off = from.in_parts(TEXT_BEGINS, &[b"\xce", b""]);
        cases.push(case(
            "6.4 a text that ends within a character",
            broken_off,
            Demand::Fails(NOT_TEXT),
        ));
        cases
    }

    pub fn closes(&self) -> Vec<Case> {
        let from = self.from;
        let coded = |code: u16, reason: &[u8]| from.frame(CLOSE, &[&code.to_be_bytes(), reason].concat());
        let mut cases = vec![
            case(
                "7.1 a close without a code",
                from.frame(CLOSE, b""),
                Demand::Closes(None),
            ),
            case(
                "7.1 a close twice",
                [coded(1000, b""), coded(1001, b"")].concat(),
                Demand::Closes(Some(1000)),
            ),
            case(
                "7.1 a ping behind a close",
                [coded(1000, b""), from.frame(PING, b"x")].concat(),
                Demand::Closes(Some(1000)),
            ),
            case(
                "7.1 a text behind a close",
                [coded(1000, b""), from.text(&(self.message)("late"))].concat(),
                Demand::Closes(Some(1000)),
            ),
            case(
                "7.1 a close within a text",
                [from.frame(TEXT_BEGINS, b"{"), coded(1000, b"")].concat(),
                Demand::Closes(Some(1000)),
            ),
            case(
                "7.3 a close of one byte",
                from.frame(CLOSE, b"\x03"),
                Demand::Fails(PROTOCOL),
            ),
            case(
                "7.3 a close with a reason",
                coded(1000, b"done"),
                Demand::Closes(Some(1000)),
            ),
            case(
                "7.3 a close with the longest reason",
                coded(1000, &[b'x'; 123]),
                Demand::Closes(Some(1000)),
            ),
            case(
                "7.3 a close of 126 bytes",
                coded(1000, &[b'x'; 124]),
                Demand::Fails(PROTOCOL),
            ),
            case(
                "7.5 a reason that is not text",
                coded(1000, b"\xce\xba\xed\xa0\x80"),
                Demand::Fails(NOT_TEXT),
            ),
        ];
        for code in [
            1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 3000, 3999, 4000, 4999_u16,
        ] {
            cases.push(case(
                format!("7.7 code {code}"),
                coded(code, b""),
                Demand::Closes(Some(code)),
            ));
        }
        for code in [
            0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535_u16,
        ] {
            cases.push(case(
                format!("7.9 code {code}"),
                coded(code, b""),
                Demand::Fails(PROTOCOL),
            ));
            cases.push(case(
                format!("7.9 code {code} with a reason"),
                coded(code, b"why"),
                Demand::Fails(PROTOCOL),
            ));
        }
        cases
    }
}
