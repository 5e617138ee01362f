//! The frames that are read by hand (RFC 6455, 5.2), and those that are not.
//!
//! ```text
//! 81 | length 7 bits, or 7e + 16, or 7f + 64 | text
//! ```

/// FIN and no reserved bit, and what kind it is.
const TEXT: u8 = 0x81;
const CONTROLS: [u8; 3] = [0x88, 0x89, 0x8a];
/// Of the second byte: lengths that fit it, and what says that 16 or 64 bits follow. The mask's bit makes it greater than any.
const LENGTH_MAX: u8 = 125;
const LENGTH_16: u8 = 126;
const LENGTH_64: u8 = 127;

/// What bytes begin with.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A whole text message in a frame of its own; `length` is the frame's.
    Text { text: &'a str, length: usize },
    /// A whole close, ping or pong.
    Control { length: usize },
    /// It can still become one of these.
    Partial,
    /// Anything else: fragments, other kinds, what is masked, too long, or wrong.
    Other,
}

/// The frame at the start of `bytes`.
#[inline]
pub fn first_frame(bytes: &[u8], message_max_bytes: usize) -> Frame<'_> {
    let [kind, short, behind @ ..] = bytes else {
        return match bytes {
            [] => Frame::Partial,
            [kind, ..] if *kind == TEXT || CONTROLS.contains(kind) => Frame::Partial,
            _ => Frame::Other,
        };
    };
    if *kind != TEXT {
        let is_control = CONTROLS.contains(kind) && *short <= LENGTH_MAX;
        let length = 2 + usize::from(*short);
        return match is_control {
            true if bytes.len() >= length => Frame::Control { length },
            true => Frame::Partial,
            false => Frame::Other,
        };
    }
    let (header, length) = match (*short, behind) {
        (0..=LENGTH_MAX, _) => (2, u64::from(*short)),
        (LENGTH_16, [a, b, ..]) => (4, u64::from(u16::from_be_bytes([*a, *b]))),
        (LENGTH_64, [a, b, c, d, e, f, g, h, ..]) => (10, u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h])),
        (LENGTH_16 | LENGTH_64, _) => return Frame::Partial,
        _ => return Frame::Other,
    };
    // 5.2: as few bits as the length needs.
    let shortest = match header {
        2 => 0,
        4 => u64::from(LENGTH_16),
        _ => 1 << 16,
    };
    if length < shortest || length > message_max_bytes as u64 {
        return Frame::Other;
    }
    let end = header + length as usize;
    let Some(payload) = bytes.get(header..end) else {
        return Frame::Partial;
    };
    match std::str::from_utf8(payload) {
        Ok(text) => Frame::Text { text, length: end },
        Err(_) => Frame::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 70_000;

    fn text(header: &[u8], payload: &[u8]) -> Vec<u8> {
        [header, payload].concat()
    }

    #[test]
    fn a_frame_is_whole_with_its_last_byte() {
        for (header, bytes) in [
            (vec![TEXT, 0], 0),
            (vec![TEXT, 125], 125),
            (vec![TEXT, 126, 0, 126], 126),
            (vec![TEXT, 126, 0xff, 0xff], 65_535),
            (vec![TEXT, 127, 0, 0, 0, 0, 0, 1, 0, 0], 65_536),
        ] {
            let payload = "x".repeat(bytes);
            let frame = text(&header, payload.as_bytes());
            let whole = Frame::Text {
                text: &payload,
                length: frame.len(),
            };
            assert_eq!(first_frame(&frame, MOST), whole);
            let behind = [&frame[..], b"\x81\x02ab"].concat();
            assert_eq!(first_frame(&behind, MOST), whole);
            for cut in (0..frame.len()).take(300) {
                assert_eq!(first_frame(&frame[..cut], MOST), Frame::Partial, "{bytes} cut at {cut}");
            }
        }
        for kind in CONTROLS {
            assert_eq!(first_frame(&[kind, 2, 3, 4, 5], MOST), Frame::Control { length: 4 });
            assert_eq!(first_frame(&[kind, 2, 3], MOST), Frame::Partial);
            assert_eq!(first_frame(&[kind], MOST), Frame::Partial);
        }
    }

    #[test]
    fn whatever_is_not_plainly_the_feeds_is_left_alone() {
        for other in [
            // A fragment, its continuation, and binary.
            &[0x01, 1, b'x'][..],
            &[0x80, 1, b'x'],
            &[0x82, 1, b'x'],
            // Reserved bits and kinds.
            &[0xc1, 1, b'x'],
            &[0x83, 1, b'x'],
            &[0x8b, 0],
            // Masked.
            &[TEXT, 0x81, 0, 0, 0, 0, b'x'],
            &[0x89, 0x80, 0, 0, 0, 0],
            // A control frame that is too long, or a fragment.
            &[0x89, 126, 0, 126],
            &[0x09, 0],
            // More bits of length than needed, or a length that is none.
            &[TEXT, 126, 0, 125],
            &[TEXT, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff],
            &[TEXT, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            // Announced too long.
            &[TEXT, 127, 0, 0, 0, 0, 0, 2, 0, 0],
            // No text.
            &[TEXT, 2, 0xc3, 0x28],
        ] {
            assert_eq!(first_frame(other, MOST), Frame::Other, "{other:x?}");
        }
    }
}
