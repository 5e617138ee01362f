//! What goes between the coordinator and a worker.
//!
//! ```text
//! Order: a JSON line each                                       coordinator -> worker
//! Said:  its length (4 bytes, little endian), then postcard     worker -> coordinator
//! ```
//!
//! Logs are told in pieces, so that no frame grows with the run.

use std::{
    io::{self, BufRead, Read, Write},
    net::SocketAddr,
};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

use crate::{
    fleet::{Part, Totals},
    record::Plan,
    run::sampler::Sample,
    sockets::Counts,
    virtual_client::{ClientLog, Receipt},
};

/// The longest line of orders: a plan with its words, and the names of all topics.
const ORDER_MOST_BYTES: u64 = 64 << 20;
/// The longest frame: the resumes of one client, or the lags of one thread, at 50 a second for days.
const FRAME_MOST_BYTES: usize = 64 << 20;
/// Receipts of one frame.
const RECEIPTS_AT_ONCE: usize = 4_096;

/// What clients are made from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Orders {
    pub plan: Plan,
    /// Transport id, or the floor's.
    pub transport: String,
    pub part: Part,
    /// Of this process.
    pub threads: usize,
    /// The server's clock: [`server::clock::Clock::with_offset`] of this machine.
    pub clock_offset_us: i64,
    /// Names, in the server's order.
    pub topics: Vec<String>,
    /// Where clients connect and under which name: of each node.
    pub nodes: Vec<(SocketAddr, String)>,
    pub seed: u64,
    /// When the first slot of the poll grid begins.
    pub grid_from_us: u64,
    /// Source addresses, see [`crate::net::sources`].
    pub sources: u8,
}

/// What a worker is told to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Order {
    /// Once, and first.
    Start(Box<Orders>),
    /// Sample the window's edges and every second between, when it is time.
    Sample {
        from_us: u64,
        to_us: u64,
    },
    /// Take the last sample now.
    CutShort,
    /// Tell the counters, with this number.
    Tell(u64),
    /// Tell from now on how many clients hold these offsets, one per topic.
    Holding(Vec<u64>),
    Gather,
    Hush,
    /// End all clients and tell everything.
    End {
        window: Option<(u64, u64)>,
    },
}

/// What a worker tells.
#[derive(Debug, Serialize, Deserialize)]
pub enum Said {
    Progress(Progress),
    /// How it failed, in words: nothing follows.
    Failed(String),
    Sample(Sample),
    /// Of one thread, µs.
    Lags(Vec<u64>),
    /// A client's log but its receipts, which follow.
    Log(Head),
    Receipts(Vec<Receipt>),
    /// Everything was told: the counters when every connection was closed, and how much there was, so that nothing is lost unnoticed.
    Ended {
        totals: Totals,
        sockets: Counts,
        clients: u64,
        receipts: u64,
    },
}

/// The newest state of a worker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub totals: Totals,
    /// The last [`Order::Tell`] that was read before the counters.
    pub told: u64,
    /// How many hold what [`Order::Holding`] named.
    pub holding: u64,
}

/// A [`ClientLog`] without its receipts.
#[derive(Debug, Serialize, Deserialize)]
pub struct Head {
    pub client: u32,
    pub topic: Option<u32>,
    pub connect_us: Option<u64>,
    pub resumes_us: Vec<u64>,
    pub errors: Vec<String>,
}

impl Order {
    /// The line, with its end.
    pub fn line(&self) -> Vec<u8> {
        // Plain data with names for keys: there is nothing in it that JSON has no form for.
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }

    /// The next order; None at the end.
    pub fn read(from: &mut impl BufRead) -> anyhow::Result<Option<Self>> {
        let mut line = Vec::new();
        from.take(ORDER_MOST_BYTES).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(None);
        }
        serde_json::from_slice(&line).map(Some).context("an order that is none")
    }
}

impl Said {
    pub fn write(&self, to: &mut impl Write) -> anyhow::Result<()> {
        let frame = postcard::to_stdvec(self).context("what a worker tells could not be encoded")?;
        ensure!(
            frame.len() <= FRAME_MOST_BYTES,
            "a worker would tell {} bytes at once, and {FRAME_MOST_BYTES} are the most: ask for a shorter --duration",
            frame.len()
        );
        to.write_all(&(frame.len() as u32).to_le_bytes())?;
        Ok(to.write_all(&frame)?)
    }

    /// The next; None at the end, and where it comes within one.
    pub fn read(from: &mut impl Read) -> anyhow::Result<Option<Self>> {
        let mut length = [0; 4];
        match from.read_exact(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let length = u32::from_le_bytes(length) as usize;
        ensure!(length <= FRAME_MOST_BYTES, "a worker announced {length} bytes at once");
        let mut frame = vec![0; length];
        match from.read_exact(&mut frame) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        postcard::from_bytes(&frame)
            .map(Some)
            .context("what a worker told is not understood")
    }
}

/// Tells a client's log: the head first, then its receipts in pieces.
pub fn tell(log: ClientLog, to: &mut impl Write) -> anyhow::Result<()> {
    let head = Head {
        client: log.client,
        topic: log.topic,
        connect_us: log.connect_us,
        resumes_us: log.resumes_us,
        errors: log.errors,
    };
    Said::Log(head).write(to)?;
    for some in log.receipts.chunks(RECEIPTS_AT_ONCE) {
        Said::Receipts(some.to_vec()).write(to)?;
    }
    Ok(())
}

impl Head {
    /// The log, whose receipts are to come.
    pub fn log(self) -> ClientLog {
        ClientLog {
            client: self.client,
            topic: self.topic,
            connect_us: self.connect_us,
            resumes_us: self.resumes_us,
            errors: self.errors,
            ..ClientLog::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::virtual_client::Kind;

    fn receipt(seq: u64, kind: Kind, shootout: Option<[u8; 2]>) -> Receipt {
        Receipt {
            received_us: u64::MAX - seq,
            due_us: 1_795_167_062_384_473 + seq,
            seq,
            topic: 3,
            bytes: 256,
            home_score: 2,
            away_score: u16::MAX,
            shootout,
            kind,
        }
    }

    #[test]
    fn a_log_is_told_to_the_last_receipt() {
        let kinds = [Kind::Live, Kind::Initial, Kind::CatchUp, Kind::AfterReset];
        let seqs = 0..2 * RECEIPTS_AT_ONCE as u64 + 1;
        let one = |seq: u64| receipt(seq, kinds[seq as usize % 4], (seq == 7).then_some([4, 2]));
        let receipts: Vec<Receipt> = seqs.map(one).collect();
        let log = ClientLog {
            client: 49_999,
            topic: Some(3),
            receipts: receipts.clone(),
            connect_us: Some(1_234),
            resumes_us: vec![5, 6],
            errors: vec!["cut".into()],
            ..ClientLog::default()
        };
        let mut told = Vec::new();
        tell(log, &mut told).unwrap();
        let mut from = &told[..];
        let Some(Said::Log(head)) = Said::read(&mut from).unwrap() else {
            panic!("the head comes first");
        };
        let mut heard = head.log();
        while let Some(said) = Said::read(&mut from).unwrap() {
            let Said::Receipts(some) = said else {
                panic!("receipts follow")
            };
            assert!(some.len() <= RECEIPTS_AT_ONCE);
            heard.receipts.extend(some);
        }
        assert_eq!(
            (heard.client, heard.topic, heard.connect_us),
            (49_999, Some(3), Some(1_234))
        );
        assert_eq!((heard.resumes_us, heard.errors), (vec![5, 6], vec!["cut".to_owned()]));
        assert!(heard.receipts == receipts);
    }

    #[test]
    fn what_is_cut_off_is_the_end_and_what_is_too_long_is_refused() {
        let mut told = Vec::new();
        Said::Lags(vec![1, 2, 3]).write(&mut told).unwrap();
        for cut in 0..told.len() {
            assert!(Said::read(&mut &told[..cut]).unwrap().is_none(), "cut at {cut}");
        }
        let long = (FRAME_MOST_BYTES as u32 + 1).to_le_bytes();
        let said = Said::read(&mut &long[..]).unwrap_err().to_string();
        assert!(said.contains("announced"), "{said}");
        let said = Said::read(&mut &[1, 0, 0, 0, 0xFF][..]).unwrap_err().to_string();
        assert!(said.contains("not understood"), "{said}");
    }

    #[test]
    fn orders_are_lines() {
        let mut lines = Order::Holding(vec![7, u64::MAX]).line();
        lines.extend(Order::End { window: None }.line());
        let mut from = &lines[..];
        assert!(matches!(Order::read(&mut from).unwrap(), Some(Order::Holding(last)) if last == [7, u64::MAX]));
        assert!(matches!(
            Order::read(&mut from).unwrap(),
            Some(Order::End { window: None })
        ));
        assert!(Order::read(&mut from).unwrap().is_none());
        assert!(Order::read(&mut &b"{\"Stop\":1}\n"[..]).is_err());
    }
}
