//! Where a body ends, and which of the bytes are its own (RFC 9112, 6 and 7.1).
//!
//! ```text
//! 4;name=value CRLF data CRLF  …  0 CRLF trailers CRLF CRLF -> "data" … -> whole
//! ```

use super::{HttpError, head::Framing};

/// Names and values behind the sizes of all chunks of a body, as much as hyper skips.
const EXTENSIONS_MAX_BYTES: u32 = 16 * 1024;
/// Lines behind the last chunk.
const TRAILERS_MAX_BYTES: u32 = 16 * 1024;

/// A body under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// So many bytes to come.
    Length(u64),
    Chunked(Chunks),
    UntilEnd,
}

/// A place in a chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunks {
    at: At,
    /// Bytes of extensions skipped, then of trailers.
    skipped: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// In a size: its digits so far.
    Size {
        size: u64,
        digits: bool,
    },
    /// In blanks behind a size.
    Blank {
        size: u64,
    },
    /// In what a chunk says of itself.
    Extension {
        size: u64,
    },
    /// At the LF of a size's line.
    SizeEnd {
        size: u64,
    },
    /// So many bytes to come.
    Data {
        left: u64,
    },
    /// At the line end behind the data.
    DataCr,
    DataLf,
    /// At the start of a line behind the last chunk.
    Trailer,
    /// Within such a line.
    TrailerLine,
    TrailerLf,
    /// At the LF of the empty line.
    LastLf,
    Whole,
}

impl Body {
    pub fn new(framing: Framing) -> Self {
        match framing {
            Framing::Length(length) => Self::Length(length),
            Framing::Chunked => Self::Chunked(Chunks {
                at: At::Size { size: 0, digits: false },
                skipped: 0,
            }),
            Framing::UntilEnd => Self::UntilEnd,
        }
    }

    /// Nothing of it is to come.
    pub fn is_whole(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(chunks) => chunks.at == At::Whole,
            Self::UntilEnd => false,
        }
    }

    /// Takes the next of its data off `bytes`, and what stands around it; empty when there is none in all of them, or the body is whole.
    pub fn take<'a>(&mut self, bytes: &mut &'a [u8]) -> Result<&'a [u8], HttpError> {
        match self {
            Self::Length(left) => Ok(split(bytes, left)),
            Self::UntilEnd => Ok(std::mem::take(bytes)),
            Self::Chunked(chunks) => chunks.take(bytes),
        }
    }
}

/// As many of the bytes as are left to come.
fn split<'a>(bytes: &mut &'a [u8], left: &mut u64) -> &'a [u8] {
    let length = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
    let (data, rest) = bytes.split_at(length);
    *bytes = rest;
    *left -= length as u64;
    data
}

impl Chunks {
    fn take<'a>(&mut self, bytes: &mut &'a [u8]) -> Result<&'a [u8], HttpError> {
        loop {
            if let At::Data { left } = &mut self.at {
                let data = split(bytes, left);
                if *left == 0 {
                    self.at = At::DataCr;
                }
                return Ok(data);
            }
            if self.at == At::Whole {
                return Ok(&[]);
            }
            let Some((byte, rest)) = bytes.split_first() else {
                return Ok(&[]);
            };
            *bytes = rest;
            self.at = self.step(*byte)?;
        }
    }

    /// One byte that is no data.
    fn step(&mut self, byte: u8) -> Result<At, HttpError> {
        Ok(match (self.at, byte) {
            (At::Size { size, .. }, digit) if digit.is_ascii_hexdigit() => At::Size {
                size: more(size, digit).ok_or(HttpError::Chunk)?,
                digits: true,
            },
            (At::Size { size, digits: true } | At::Blank { size }, b'\t' | b' ') => {
                self.skip(EXTENSIONS_MAX_BYTES)?;
                At::Blank { size }
            }
            (At::Size { size, digits: true } | At::Blank { size }, b';') => At::Extension { size },
            (At::Size { size, digits: true } | At::Blank { size } | At::Extension { size }, b'\r') => {
                At::SizeEnd { size }
            }
            // A LF alone would end the line for some readers.
            (At::Extension { size }, byte) if byte != b'\n' => {
                self.skip(EXTENSIONS_MAX_BYTES)?;
                At::Extension { size }
            }
            (At::SizeEnd { size: 0 }, b'\n') => {
                self.skipped = 0;
                At::Trailer
            }
            (At::SizeEnd { size }, b'\n') => At::Data { left: size },
            (At::DataCr, b'\r') => At::DataLf,
            (At::DataLf, b'\n') => At::Size { size: 0, digits: false },
            (At::Trailer, b'\r') => At::LastLf,
            (At::LastLf, b'\n') => At::Whole,
            (At::TrailerLine, b'\r') => At::TrailerLf,
            (At::TrailerLf, b'\n') => At::Trailer,
            (At::Trailer | At::TrailerLine, byte) if byte != b'\n' => {
                self.skip(TRAILERS_MAX_BYTES)?;
                At::TrailerLine
            }
            _ => return Err(HttpError::Chunk),
        })
    }

    fn skip(&mut self, most: u32) -> Result<(), HttpError> {
        self.skipped += 1;
        (self.skipped <= most).then_some(()).ok_or(HttpError::Chunk)
    }
}

/// A size with one more hex digit; None when it fits no number.
fn more(size: u64, digit: u8) -> Option<u64> {
    let value = char::from(digit).to_digit(16)?;
    Some(size.checked_mul(16)? | u64::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Data, what lies behind the body, and whether it is whole, with the bytes in these pieces.
    fn read(framing: Framing, pieces: &[&[u8]]) -> Result<(Vec<u8>, Vec<u8>, bool), HttpError> {
        let mut body = Body::new(framing);
        let (mut data, mut behind) = (Vec::new(), Vec::new());
        for mut piece in pieces.iter().copied() {
            while !piece.is_empty() && !body.is_whole() {
                data.extend_from_slice(body.take(&mut piece)?);
            }
            behind.extend_from_slice(piece);
        }
        Ok((data, behind, body.is_whole()))
    }

    const CHUNKED: &[u8] =
        b"4\r\nWiki\r\n00A;name=\"v;x\"\r\npedia in\r\n\r\n1 \t;\r\n!\r\n0\r\nx: y\r\nz:\r\n\r\nHTTP/1.1 behind";

    #[test]
    fn chunks_are_read_the_same_however_they_are_cut() {
        let expected = (b"Wikipedia in\r\n!".to_vec(), b"HTTP/1.1 behind".to_vec(), true);
        assert_eq!(read(Framing::Chunked, &[CHUNKED]).expect("good"), expected);
        for cut in 0..=CHUNKED.len() {
            let (first, second) = CHUNKED.split_at(cut);
            assert_eq!(
                read(Framing::Chunked, &[first, second]).expect("good"),
                expected,
                "cut at {cut}"
            );
        }
        let bytes: Vec<_> = CHUNKED.chunks(1).collect();
        assert_eq!(read(Framing::Chunked, &bytes).expect("good"), expected);
        let end = CHUNKED.len() - expected.1.len();
        for cut in 0..end {
            let (.., whole) = read(Framing::Chunked, &[&CHUNKED[..cut]]).expect("good so far");
            assert!(!whole, "cut at {cut}");
        }
    }

    #[test]
    fn a_length_is_exact() {
        for cut in 0..=6 {
            let (first, second) = b"123456".split_at(cut);
            let (data, behind, whole) = read(Framing::Length(4), &[first, second]).expect("good");
            assert_eq!(
                (&data[..], &behind[..], whole),
                (&b"1234"[..], &b"56"[..], true),
                "cut at {cut}"
            );
        }
        let (data, _, whole) = read(Framing::Length(u64::MAX), &[b"12"]).expect("good");
        assert_eq!((&data[..], whole), (&b"12"[..], false));
        let (data, _, whole) = read(Framing::UntilEnd, &[b"12", b"34"]).expect("good");
        assert_eq!((&data[..], whole), (&b"1234"[..], false));
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        let long = "x".repeat(EXTENSIONS_MAX_BYTES as usize + 1);
        for bad in [
            "\r\n",
            "x\r\n",
            "-1\r\n",
            "+1\r\n",
            "0x1\r\n",
            " 1\r\n",
            "1\n",
            "1;a\nb\r\n",
            "1 2\r\n",
            "1\r\r\n",
            "1\r\nab",
            "1\r\na\n",
            "1\r\na\r\r",
            "10000000000000000\r\n",
            "0\r\n\n",
            "0\r\nx: y\n",
            "0\r\n\rx",
            &format!("1;{long}\r\n"),
            &format!("0\r\n{long}\r\n"),
        ] {
            assert!(read(Framing::Chunked, &[bad.as_bytes()]).is_err(), "{:.40}", bad);
            let bytes: Vec<_> = bad.as_bytes().chunks(1).collect();
            assert!(read(Framing::Chunked, &bytes).is_err(), "{:.40}, byte by byte", bad);
        }
    }
}
