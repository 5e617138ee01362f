//! Frames that break RFC 6455 or are at its edges, and what it demands of whoever gets them. Sections as Autobahn|Testsuite has them.

use super::bytes::{BINARY, BINARY_BEGINS, FIN, From, GOES_ON, LAST, Length, TEXT_BEGINS};
use crate::support::raw::{CLOSE, PING, PONG, TEXT};

pub const PROTOCOL: &[u16] = &[1002];
pub const NOT_TEXT: &[u16] = &[1007];
pub const TOO_LARGE: &[u16] = &[1009];

/// What the receiver must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Demand {
    /// The session goes on: pings are answered with these pongs, in this order; so many of the messages are what
    /// [`Sender::message`] makes, whole.
    GoesOn { pongs: Vec<Vec<u8>>, messages: usize },
    /// The session fails, with one of these close codes where one is said (7.1.7).
    Fails(&'static [u16]),
    /// The closing handshake: the Close is answered with the same code, or with none (5.5.1).
    Closes(Option<u16>),
}

pub fn goes_on(messages: usize) -> Demand {
    Demand::GoesOn {
        pongs: Vec::new(),
        messages,
    }
}

pub fn answers(pongs: &[&[u8]], messages: usize) -> Demand {
    Demand::GoesOn {
        pongs: pongs.iter().map(|pong| pong.to_vec()).collect(),
        messages,
    }
}

/// Bytes for a receiver, and its duty.
pub struct Case {
    pub name: String,
    pub bytes: Vec<u8>,
    /// Sent one by one, so that each read brings little.
    pub byte_by_byte: bool,
    pub demand: Demand,
}

pub fn case(name: impl Into<String>, bytes: impl Into<Vec<u8>>, demand: Demand) -> Case {
    Case {
        name: name.into(),
        bytes: bytes.into(),
        byte_by_byte: false,
        demand,
    }
}

/// Who sends the cases, and a message that its receiver understands, with a text of one's own in it.
pub struct Sender {
    pub from: From,
    pub message: fn(&str) -> Vec<u8>,
}

impl Sender {
    /// What holds in both directions.
    pub fn cases(&self) -> Vec<Case> {
        let parts = [
            self.framing(),
            self.pings(),
            self.reserved(),
            self.fragments(),
            self.texts(),
            self.closes(),
        ];
        let mut cases: Vec<_> = parts.into_iter().flatten().collect();
        // Once more byte by byte, where it is not long: nothing may hang on how bytes fall into reads.
        let short = cases.iter().filter(|case| case.bytes.len() < 600);
        let again = short.map(|case| Case {
            name: format!("{}, byte by byte", case.name),
            bytes: case.bytes.clone(),
            byte_by_byte: true,
            demand: case.demand.clone(),
        });
        let again: Vec<_> = again.collect();
        cases.extend(again);
        cases
    }

    fn framing(&self) -> Vec<Case> {
        let from = self.from;
        let message = (self.message)("Ada");
        let mut cases = vec![case("1.1 a text", from.text(&message), goes_on(1))];
        // 5.2: the smallest number of bytes MUST be used. Of a receiver nothing is demanded; ours read on, and take the message.
        for (form, length) in [("16", Length::In16Bits), ("64", Length::In64Bits)] {
            let written = from.written(TEXT, &message, length);
            cases.push(case(
                format!("1.1 a text with its length in {form} bits"),
                written,
                goes_on(1),
            ));
        }
        // 5.2: the most significant bit MUST be 0.
        for announced in [1 << 63, u64::MAX, i64::MAX as u64] {
            let written = from.written(TEXT, b"x", Length::Announced(announced));
            cases.push(case(
                format!("1.1 a length of {announced:#x}"),
                written,
                Demand::Fails(&[1002, 1009]),
            ));
            let written = from.written(PING, b"x", Length::Announced(announced));
            cases.push(case(
                format!("1.1 a ping of {announced:#x} bytes"),
                written,
                Demand::Fails(&[1002, 1009]),
            ));
        }
        let nothing_masked = from.keyed(TEXT, &message, Length::Shortest, [0; 4]);
        cases.push(case("1.1 a masking key of zeros", nothing_masked, goes_on(1)));
        cases
    }

    fn pings(&self) -> Vec<Case> {
        let from = self.from;
        let longest = [b'*'; 125];
        let binary: &[u8] = b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff";
        let many: Vec<_> = (0..10_u8).flat_map(|number| from.frame(PING, &[number])).collect();
        let numbers: Vec<_> = (0..10_u8).map(|number| vec![number]).collect();
        vec![
            case("2.1 an empty ping", from.frame(PING, b""), answers(&[b""], 0)),
            case(
                "2.2 a ping with text",
                from.frame(PING, b"Hello, world!"),
                answers(&[b"Hello, world!"], 0),
            ),
            case(
                "2.3 a ping with bytes that are no text",
                from.frame(PING, binary),
                answers(&[binary], 0),
            ),
            case(
                "2.4 a ping of 125 bytes",
                from.frame(PING, &longest),
                answers(&[&longest], 0),
            ),
            case(
                "2.5 a ping of 126 bytes",
                from.frame(PING, &[b'*'; 126]),
                Demand::Fails(PROTOCOL),
            ),
            case("2.7 a pong nobody asked for", from.frame(PONG, b""), goes_on(0)),
            case("2.8 a pong with text", from.frame(PONG, b"unasked"), goes_on(0)),
            case(
                "2.9 a pong, then a ping",
                [from.frame(PONG, b"unasked"), from.frame(PING, b"asked")].concat(),
                answers(&[b"asked"], 0),
            ),
            case(
                "2.10 ten pings",
                many,
                Demand::GoesOn {
                    pongs: numbers,
                    messages: 0,
                },
            ),
            case(
                "2.11 a pong of 126 bytes",
                from.frame(PONG, &[b'*'; 126]),
                Demand::Fails(PROTOCOL),
            ),
        ]
    }

    fn reserved(&self) -> Vec<Case> {
        let from = self.from;
        let message = (self.message)("Ada");
        let mut cases = Vec::new();
        for bits in 1..=7_u8 {
            let named = format!("3.{bits} reserved bits {bits:03b}");
            for (kind, first, payload) in [
                ("text", TEXT, &message[..]),
                ("empty text", TEXT, b""),
                ("ping", PING, b""),
                ("close", CLOSE, b""),
            ] {
                let frame = from.frame(first | bits << 4, payload);
                cases.push(case(format!("{named} on a {kind}"), frame, Demand::Fails(PROTOCOL)));
            }
        }
        for opcode in (3..=7).chain(11..=15_u8) {
            for payload in [&b""[..], b"x"] {
                let frame = from.frame(FIN | opcode, payload);
                let named = format!("4 opcode {opcode} with {} bytes", payload.len());
                cases.push(case(named, frame, Demand::Fails(PROTOCOL)));
            }
        }
        let behind = [from.text(&message), from.frame(FIN | 3, b"x"), from.frame(PING, b"")].concat();
        cases.push(case("4 opcode 3 behind a text", behind, Demand::Fails(PROTOCOL)));
        cases
    }

    fn fragments(&self) -> Vec<Case> {
        let from = self.from;
        let whole = (self.message)("Ada");
        let (first, second) = whole.split_at(10);
        let (begin, end) = (from.frame(TEXT_BEGINS, first), from.frame(LAST, second));
        let ping = from.frame(PING, b"between");
        let single: Vec<_> = whole.chunks(1).collect();
        let failing = [
            (
                "5.1 a ping in fragments",
                [from.frame(PING & !FIN, b"a"), from.frame(LAST, b"b")].concat(),
            ),
            (
                "5.2 a pong in fragments",
                [from.frame(PONG & !FIN, b"a"), from.frame(LAST, b"b")].concat(),
            ),
            (
                "5.2 a close in fragments",
                [from.frame(CLOSE & !FIN, b"\x03\xe8"), from.frame(LAST, b"b")].concat(),
            ),
            ("5.9 the last of nothing", from.frame(LAST, b"x")),
            (
                "5.9 the last of nothing, and a text",
                [from.frame(LAST, b"x"), from.text(&whole)].concat(),
            ),
            ("5.11 a part of nothing", from.frame(GOES_ON, b"x")),
            (
                "5.12 a part of nothing behind a whole text",
                [from.text(&whole), from.frame(GOES_ON, b"x")].concat(),
            ),
            (
                "5.15 two texts, then a part of neither",
                [
                    from.in_parts(TEXT_BEGINS, &[first, second]),
                    from.frame(GOES_ON, b"x"),
                    from.text(&whole),
                ]
                .concat(),
            ),
            (
                "5.18 a text begins within a text",
                [begin.clone(), from.frame(TEXT_BEGINS, b"x")].concat(),
            ),
            (
                "5.18 a whole text within a text",
                [begin.clone(), from.text(&whole)].concat(),
            ),
            (
                "5.18 a binary message within a text",
                [begin.clone(), from.frame(BINARY, b"x")].concat(),
            ),
        ];
        let mut cases: Vec<_> = failing
            .into_iter()
            .map(|(name, bytes)| case(name, bytes, Demand::Fails(PROTOCOL)))
            .collect();
        cases.extend([
            case(
                "5.3 a text in two fragments",
                [begin.clone(), end.clone()].concat(),
                goes_on(1),
            ),
            case(
                "5.6 a ping between two fragments",
                [begin.clone(), ping.clone(), end.clone()].concat(),
                answers(&[b"between"], 1),
            ),
            case(
                "5.6 a pong between two fragments",
                [begin.clone(), from.frame(PONG, b"x"), end.clone()].concat(),
                goes_on(1),
            ),
            case(
                "5.8 a text in fragments of a byte",
                from.in_parts(TEXT_BEGINS, &single),
                goes_on(1),
            ),
            case(
                "5.8 a text among empty fragments",
                from.in_parts(TEXT_BEGINS, &[b"", first, b"", second, b""]),
                goes_on(1),
            ),
            case(
                "5.19 pings among five fragments",
                [
                    begin,
                    ping.clone(),
                    from.frame(GOES_ON, &second[..1]),
                    ping,
                    from.frame(GOES_ON, &second[1..2]),
                    from.frame(LAST, &second[2..]),
                ]
                .concat(),
                answers(&[b"between", b"between"], 1),
            ),
        ]);
        cases
    }

    fn texts(&self) -> Vec<Case> {
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

    fn closes(&self) -> Vec<Case> {
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

/// Binary messages break no rule; what they come to is the receiver's own matter.
pub fn binary(from: From) -> [Vec<u8>; 3] {
    [
        from.frame(BINARY, b""),
        from.frame(BINARY, b"\xff\xfe\x00"),
        from.in_parts(BINARY_BEGINS, &[b"\xff", b"\xfe"]),
    ]
}
