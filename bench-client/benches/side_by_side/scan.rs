//! Finds updates in a stream of bytes by a marker, whatever is around them.
//!
//! ```text
//! …{"topic":"match-1",…,"seq":1234,"due_us":…     WebSocket frames, events, answers: all the same to it
//!                       ^ marker ^ digits, up to the first byte that is none
//! ```
//!
//! It knows no framing and decodes nothing, so it costs the same whichever server wrote the bytes.

use memchr::memmem::Finder;

/// What every update has once, and nothing around it has.
pub const MARKER: &[u8] = br#""seq":"#;

/// A marker and the longest number behind it that is still taken for a seq: what may have to wait for the next read.
pub const TAIL_MAX: usize = MARKER.len() + 10;

/// The end of what one client has read: the beginning of a marker, or a number that may go on.
#[derive(Clone, Copy, Default)]
pub struct Tail {
    bytes: [u8; TAIL_MAX],
    length: usize,
}

impl Tail {
    /// Hands out the seq of each update in what was read. The read went to `buffer[TAIL_MAX..]` and is `read` bytes long; what stands before
    /// it is overwritten with the bytes that waited.
    pub fn scan(&mut self, finder: &Finder<'_>, buffer: &mut [u8], read: usize, mut update: impl FnMut(u32)) {
        let start = TAIL_MAX - self.length;
        buffer[start..TAIL_MAX].copy_from_slice(&self.bytes[..self.length]);
        let mut rest = &buffer[start..TAIL_MAX + read];
        while let Some(at) = finder.find(rest) {
            let number = &rest[at + MARKER.len()..];
            let digits = number.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == number.len() && digits <= TAIL_MAX - MARKER.len() {
                // It may go on in the next read.
                return self.keep(&rest[at..]);
            }
            let seq = std::str::from_utf8(&number[..digits]).ok();
            // A marker without a number is none of an update's.
            if let Some(seq) = seq.and_then(|seq| seq.parse().ok()) {
                update(seq);
            }
            rest = &number[digits..];
        }
        let longest = rest.len().min(MARKER.len() - 1);
        self.keep(&rest[rest.len() - longest..]);
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.bytes[..bytes.len()].copy_from_slice(bytes);
        self.length = bytes.len();
    }
}

/// Cuts a stream at every place, once and byte by byte: the same updates must come out. Panics where they do not.
pub fn check() {
    let stream: &[u8] = br#"HTTP/1.1 200 OK data: {"seq":1,"x":""seq"} {"seq":22,"seq":x,"seq":4294967295} "se {"seq":99999999999} {"seq":7}"#;
    let finder = Finder::new(MARKER);
    let seqs = |pieces: &[&[u8]]| {
        let (mut seqs, mut tail, mut buffer) = (Vec::new(), Tail::default(), vec![0; TAIL_MAX + stream.len()]);
        for piece in pieces {
            buffer[TAIL_MAX..TAIL_MAX + piece.len()].copy_from_slice(piece);
            tail.scan(&finder, &mut buffer, piece.len(), |seq| seqs.push(seq));
        }
        seqs
    };
    let expected = [1, 22, u32::MAX, 7];
    for cut in 0..=stream.len() {
        let (first, second) = stream.split_at(cut);
        assert_eq!(seqs(&[first, second]), expected, "cut at {cut}");
    }
    assert_eq!(seqs(&stream.chunks(1).collect::<Vec<_>>()), expected, "byte by byte");
}
