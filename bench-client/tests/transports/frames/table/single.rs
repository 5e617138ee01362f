//! Single frames: framing (1), pings and pongs (2), reserved bits (3) and opcodes (4).

use super::{
    super::bytes::{FIN, Length},
    Case, Demand, PROTOCOL, Sender, answers, case, goes_on,
};
use crate::support::raw::{CLOSE, PING, PONG, TEXT};

impl Sender {
    pub fn framing(&self) -> Vec<Case> {
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

    pub fn pings(&self) -> Vec<Case> {
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

    pub fn reserved(&self) -> Vec<Case> {
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
}
