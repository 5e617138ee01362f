//! The frames of a bare stream, out of whatever pieces reads bring.
//!
//! ```text
//! 81 len [len len | 8 × len] text      RFC 6455, 5.2: a whole, unmasked text; everything else is refused
//! ```

use crate::transports::{
    SessionError, not_understood,
    websocket::{Frame, MESSAGE_MAX_BYTES, first_frame},
};

/// One stream's place between two frames.
#[derive(Debug, Default)]
pub struct Frames {
    /// The start of a frame whose rest has not come; nearly always empty. Never longer than a frame and what was read with it.
    half: Vec<u8>,
}

impl Frames {
    /// Hands over every text that is whole with these bytes.
    pub fn split(
        &mut self,
        read: &[u8],
        mut text: impl FnMut(&str) -> Result<(), SessionError>,
    ) -> Result<(), SessionError> {
        if self.half.is_empty() {
            let taken = whole(read, &mut text)?;
            self.half.extend_from_slice(&read[taken..]);
        } else {
            self.half.extend_from_slice(read);
            let taken = whole(&self.half, &mut text)?;
            if taken > 0 {
                // The room that a large frame took goes with it.
                self.half = self.half[taken..].to_vec();
            }
        }
        Ok(())
    }
}

/// Hands over the texts that are whole, and returns how many bytes they took.
fn whole(bytes: &[u8], text: &mut impl FnMut(&str) -> Result<(), SessionError>) -> Result<usize, SessionError> {
    let mut at = 0;
    loop {
        let rest = &bytes[at..];
        match first_frame(rest, MESSAGE_MAX_BYTES) {
            Frame::Text { text: words, length } => {
                text(words)?;
                at += length;
            }
            Frame::Partial => return Ok(at),
            Frame::Control { .. } | Frame::Other => return Err(refused(rest)),
        }
    }
}

fn refused(frame: &[u8]) -> SessionError {
    /// The longest header.
    const HEADER_BYTES: usize = 10;
    let header = &frame[..frame.len().min(HEADER_BYTES)];
    not_understood(format!(
        "a frame that begins with {header:02x?}: expected a whole unmasked text of at most {MESSAGE_MAX_BYTES} bytes"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(text: &str) -> Vec<u8> {
        let length = text.len();
        let mut frame = vec![0x81];
        match length {
            0..=125 => frame.push(length as u8),
            126..=0xffff => {
                frame.push(126);
                frame.extend((length as u16).to_be_bytes());
            }
            _ => {
                frame.push(127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.extend(text.as_bytes());
        frame
    }

    fn texts(pieces: &[&[u8]]) -> Result<Vec<String>, SessionError> {
        let (mut frames, mut texts) = (Frames::default(), Vec::new());
        for piece in pieces {
            frames.split(piece, |text| {
                texts.push(text.to_owned());
                Ok(())
            })?;
        }
        Ok(texts)
    }

    #[test]
    fn frames_of_every_length_are_whole_wherever_they_are_cut() {
        let expected = [
            "".to_owned(),
            "ä".repeat(60),
            "b".repeat(125),
            "c".repeat(126),
            "d".repeat(300),
        ];
        let stream: Vec<u8> = expected.iter().flat_map(|text| frame(text)).collect();
        for cut in 0..=stream.len() {
            let (start, end) = stream.split_at(cut);
            assert_eq!(texts(&[start, end]).unwrap(), expected, "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(texts(&bytes).unwrap(), expected, "byte by byte");
        let long = ["e".repeat(70_000), "f".to_owned()];
        let stream: Vec<u8> = long.iter().flat_map(|text| frame(text)).collect();
        let pieces: Vec<&[u8]> = stream.chunks(16_384).collect();
        assert_eq!(texts(&pieces).unwrap(), long);
    }

    #[test]
    fn everything_else_is_refused() {
        let masked = [0x81, 0x85, 1, 2, 3, 4];
        let fragment = [0x01, 0x01, b'x'];
        let ping = [0x89, 0x00];
        let endless = [&[0x81, 127][..], &u64::MAX.to_be_bytes()].concat();
        let no_text = [0x81, 0x01, 0xff];
        let more_length_than_needed = [0x81, 126, 0, 1, b'x'];
        for bytes in [
            &masked[..],
            &fragment,
            &ping,
            &endless,
            &no_text,
            &more_length_than_needed,
            b"HTTP/1.1 200 OK",
        ] {
            assert!(texts(&[bytes]).is_err(), "{bytes:02x?}");
        }
    }

    #[test]
    fn what_is_read_leaves_no_room_behind() {
        let mut frames = Frames::default();
        let large = [frame(&"g".repeat(70_000)), frame("h")].concat();
        let (start, end) = large.split_at(60_000);
        for piece in [start, &end[..end.len() - 1]] {
            frames.split(piece, |_| Ok(())).unwrap();
        }
        assert!(
            frames.half.capacity() < 10,
            "{} for half of the last",
            frames.half.capacity()
        );
        frames.split(b"h", |_| Ok(())).unwrap();
        assert_eq!(frames.half.capacity(), 0);
    }

    #[test]
    fn an_error_of_the_taker_ends_it() {
        let mut frames = Frames::default();
        let result = frames.split(&frame("x"), |_| Err(SessionError::Ended));
        assert!(matches!(result, Err(SessionError::Ended)));
    }
}
