//! Messages in fragments (5).

use super::{
    super::bytes::{BINARY, FIN, GOES_ON, LAST, TEXT_BEGINS},
    Case, Demand, PROTOCOL, Sender, answers, case, goes_on,
};
use crate::support::raw::{CLOSE, PING, PONG};

impl Sender {
    pub fn fragments(&self) -> Vec<Case> {
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
}
