//! WebSocket frames byte by byte (RFC 6455, 5.2), also those that nobody should send.
//!
//! ```text
//! FIN RSV1-3 opcode | MASK length | (16 or 64 bits of length) | (masking key) | payload
//! ```

use crate::support::raw::TEXT;

/// First bytes: without FIN the message goes on.
pub const TEXT_BEGINS: u8 = 0x01;
pub const BINARY_BEGINS: u8 = 0x02;
pub const GOES_ON: u8 = 0x00;
pub const LAST: u8 = 0x80;
pub const BINARY: u8 = 0x82;
pub const FIN: u8 = 0x80;

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Who sends: a client must mask, a server must not (5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    Client,
    Server,
}

/// How the length is written; the shortest form is the only right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    Shortest,
    In16Bits,
    In64Bits,
    /// Not the payload's: what is announced.
    Announced(u64),
}

impl From {
    /// A frame as this side should send it.
    pub fn frame(self, first: u8, payload: &[u8]) -> Vec<u8> {
        self.written(first, payload, Length::Shortest)
    }

    pub fn text(self, payload: &[u8]) -> Vec<u8> {
        self.frame(TEXT, payload)
    }

    /// A frame with its length in a form of one's own.
    pub fn written(self, first: u8, payload: &[u8], length: Length) -> Vec<u8> {
        self.keyed(first, payload, length, MASK)
    }

    /// The same with a masking key of one's own.
    pub fn keyed(self, first: u8, payload: &[u8], length: Length, key: [u8; 4]) -> Vec<u8> {
        let mask_bit = if self == Self::Client { 0x80 } else { 0 };
        let bytes = payload.len() as u64;
        let mut frame = vec![first];
        match length {
            Length::Shortest if bytes < 126 => frame.push(mask_bit | bytes as u8),
            Length::In16Bits => push_16(&mut frame, mask_bit, bytes),
            Length::Shortest if bytes <= 0xffff => push_16(&mut frame, mask_bit, bytes),
            Length::Shortest | Length::In64Bits => push_64(&mut frame, mask_bit, bytes),
            Length::Announced(announced) => push_64(&mut frame, mask_bit, announced),
        }
        match self {
            Self::Server => frame.extend(payload),
            Self::Client => {
                frame.extend(key);
                frame.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
            }
        }
        frame
    }

    /// A message in as many frames as there are parts.
    pub fn in_parts(self, begins: u8, parts: &[&[u8]]) -> Vec<u8> {
        let last = parts.len() - 1;
        let frames = parts.iter().enumerate().flat_map(|(number, part)| {
            let opcode = if number == 0 { begins } else { GOES_ON };
            self.frame(if number == last { FIN | opcode } else { opcode }, part)
        });
        frames.collect()
    }
}

fn push_16(frame: &mut Vec<u8>, mask_bit: u8, length: u64) {
    frame.push(mask_bit | 126);
    frame.extend((length as u16).to_be_bytes());
}

fn push_64(frame: &mut Vec<u8>, mask_bit: u8, length: u64) {
    frame.push(mask_bit | 127);
    frame.extend(length.to_be_bytes());
}
