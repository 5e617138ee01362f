//! One direction of a relay: every chunk of bytes comes out as it went in, in the same order, `delay` later.
//!
//! ```text
//! from -> read -> queue of (due, bytes), bounded -> at its due time: write -> to
//!          `- not while a slow reader is quiet, nor while the queue is full
//! ```
//!
//! The end of the stream and a reset travel in the same queue. A queue that is full stops the reading, as a long line does whose window
//! is used up: the sender then waits in its own kernel.

use std::{collections::VecDeque, io, time::Duration};

use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::{Instant, sleep, sleep_until, timeout, timeout_at},
};

/// What one read takes at most.
const READ_BYTES: usize = 16 * 1024;
/// A chunk counts as its bytes and this: a queue of many small ones takes memory too.
const CHUNK_BYTES: usize = 64;
/// 100 Mbit/s: what is on its way at that rate is what a queue holds, 6.25 MB for half a second. Twenty times what the fastest feed of
/// ordinary updates sends (1000 Hz of 500 bytes), so that the line is long and not narrow.
const LINE_BYTES_PER_S: usize = 12_500_000;
/// The least a queue holds: one read of a fast feed, whatever the delay.
const LEAST_BYTES: usize = 64 * 1024;

/// A reader that takes nothing for a part of the time.
#[derive(Debug, Clone, Copy)]
pub struct Stall {
    /// How long it takes nothing, at the end of each cycle.
    pub quiet: Duration,
    /// Longer than `quiet`; the first one begins with the connection.
    pub cycle: Duration,
}

impl Stall {
    /// When it reads next, or is reading, and until when: both counted from the beginning, `passed` being how long that is ago.
    fn reads(&self, passed: Duration) -> (Duration, Duration) {
        let cycle_us = self.cycle.as_micros().max(1);
        let awake = self.cycle.saturating_sub(self.quiet);
        let begins = |cycle: u128| Duration::from_micros(u64::try_from(cycle * cycle_us).unwrap_or(u64::MAX));
        let this = passed.as_micros() / cycle_us;
        match begins(this) + awake {
            until if passed < until => (begins(this), until),
            _ => (begins(this + 1), begins(this + 1) + awake),
        }
    }
}

/// What is on its way.
enum Item {
    Bytes(Bytes),
    End,
    Reset(io::Error),
}

/// Carries until the end of the stream has come out at the other side.
///
/// # Errors
/// The reset of `from`, when it would have arrived. That of `to`, when `from` would have heard of it, or that it took no byte for
/// `write_timeout`. Both ends are to be reset then.
pub async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    delay: Duration,
    stall: Option<Stall>,
    write_timeout: Duration,
) -> io::Result<()> {
    let began = Instant::now();
    let most_bytes = (LINE_BYTES_PER_S * delay.as_millis() as usize / 1_000).max(LEAST_BYTES);
    let mut queue: VecDeque<(Instant, Item)> = VecDeque::new();
    let (mut held_bytes, mut open) = (0, true);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        tokio::select! {
            read = take(&mut from, &mut buffer, began, stall), if open && held_bytes < most_bytes => {
                let item = match read {
                    Ok(0) => Item::End,
                    Ok(bytes) => {
                        held_bytes += bytes + CHUNK_BYTES;
                        Item::Bytes(Bytes::copy_from_slice(&buffer[..bytes]))
                    }
                    Err(error) => Item::Reset(error),
                };
                open = matches!(item, Item::Bytes(_));
                queue.push_back((Instant::now() + delay, item));
            }
            given = give(&mut to, queue.front_mut(), write_timeout) => match given {
                Given::Some { bytes, all } => {
                    held_bytes -= bytes;
                    if all {
                        held_bytes -= CHUNK_BYTES;
                        queue.pop_front();
                    }
                }
                Given::End => return Ok(()),
                Given::Reset(error) => return Err(error),
                Given::Refused(error) => {
                    // Its word of that has the same way to go.
                    sleep(delay).await;
                    return Err(error);
                }
            },
        }
    }
}

/// Reads, but not while a slow reader is quiet. May be given up at any time: nothing is lost.
async fn take(
    from: &mut (impl AsyncRead + Unpin),
    buffer: &mut [u8],
    began: Instant,
    stall: Option<Stall>,
) -> io::Result<usize> {
    let Some(stall) = stall else {
        return from.read(buffer).await;
    };
    loop {
        let (awake, until) = stall.reads(began.elapsed());
        sleep_until(began + awake).await;
        if let Ok(read) = timeout_at(began + until, from.read(buffer)).await {
            return read;
        }
    }
}

/// What came out.
enum Given {
    Some { bytes: usize, all: bool },
    End,
    Reset(io::Error),
    Refused(io::Error),
}

/// Hands on what is first in the queue when it is due; waits for ever where nothing is. May be given up at any time: what is written is
/// off the chunk.
async fn give(
    to: &mut (impl AsyncWrite + Unpin),
    first: Option<&mut (Instant, Item)>,
    write_timeout: Duration,
) -> Given {
    let Some((due, item)) = first else {
        return std::future::pending().await;
    };
    sleep_until(*due).await;
    let written = match item {
        Item::Bytes(bytes) => timeout(write_timeout, to.write_buf(bytes)).await.map(|written| {
            let (bytes, all) = (written?, bytes.is_empty());
            Ok(Given::Some { bytes, all })
        }),
        Item::End => return to.shutdown().await.map_or_else(Given::Refused, |()| Given::End),
        Item::Reset(error) => return Given::Reset(io::Error::from(error.kind())),
    };
    match written {
        Ok(Ok(given)) => given,
        Ok(Err(error)) => Given::Refused(error),
        Err(_) => Given::Refused(io::ErrorKind::TimedOut.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_reader_reads_at_the_beginning_of_each_cycle() {
        let ms = Duration::from_millis;
        let stall = Stall {
            quiet: ms(3_000),
            cycle: ms(4_000),
        };
        for (passed, awake, until) in [
            (0, 0, 1_000),
            (999, 0, 1_000),
            (1_000, 4_000, 5_000),
            (3_999, 4_000, 5_000),
            (4_000, 4_000, 5_000),
            (9_500, 12_000, 13_000),
        ] {
            assert_eq!(stall.reads(ms(passed)), (ms(awake), ms(until)), "{passed}");
        }
    }
}
