//! A row's figures, out of what its clients noted and what was published.
//!
//! ```text
//! receipts + publish log + window -> delivered, spread, latency, and in words what makes it no measurement
//! ```

use super::{measure::DRAIN, noted::Noted};

/// One late update of so many is too many for a figure of single updates.
const LATE_OF: usize = 10;

/// One row's figures; what is not known is None.
#[derive(Debug, Clone)]
pub struct Figures {
    pub expected: u64,
    pub delivered: u64,
    /// Received within the window by wall clock.
    pub deliveries: u64,
    pub window_s: f64,
    pub server_cpu_s: Option<f64>,
    pub reader_cpu_s: Option<f64>,
    /// Share of the server's CPU time, 0 to 1.
    pub kernel_share: Option<f64>,
    /// Share of the machine's CPU time that other processes used, or that its hypervisor gave away, 0 to 1.
    pub others_share: Option<f64>,
    pub idle_bytes: Option<f64>,
    pub spread_p99_us: Option<u64>,
    pub latency_p99_us: Option<u64>,
    /// More than a tenth of the updates took longer to their clients than from one to the next: several left in one write.
    pub piled_up: bool,
    /// What makes it no measurement.
    pub faults: Vec<String>,
}

impl Figures {
    /// None where the row is no measurement: a server that delivers less has less to do.
    pub fn cpu_us_per_update(&self) -> Option<f64> {
        self.sound()
            .then(|| Some(self.server_cpu_s? * 1e6 / self.deliveries as f64))?
    }

    /// The same, to be compared: None where it is that of batches.
    pub fn comparable_cpu_us(&self) -> Option<f64> {
        self.cpu_us_per_update().filter(|_| !self.piled_up)
    }

    pub fn reader_us_per_update(&self) -> Option<f64> {
        self.sound()
            .then(|| Some(self.reader_cpu_s? * 1e6 / self.deliveries as f64))?
    }

    pub fn sound(&self) -> bool {
        self.faults.is_empty() && self.deliveries > 0
    }
}

/// The figures of what was received. `published` is contiguous in seq; `wall` is the window in which CPU was counted, µs;
/// `gap_us` lies between two updates.
pub fn received(noted: &Noted, published: &[(u32, u64)], clients: usize, wall: (u64, u64), gap_us: f64) -> Figures {
    let first_seq = published[0].0;
    let expected = published.len() as u64 * clients as u64;
    let mut spreads = vec![(u64::MAX, 0); published.len()];
    let mut latencies = Vec::with_capacity(expected as usize);
    let (mut deliveries, mut early) = (0, 0);
    for receipt in &noted.receipts {
        let at_us = noted.origin_us + u64::from(receipt.at_us);
        deliveries += u64::from((wall.0..wall.1).contains(&at_us));
        let index = receipt.seq.checked_sub(first_seq).map(|index| index as usize);
        let Some(index) = index.filter(|index| *index < published.len()) else {
            continue;
        };
        let (least, most) = spreads[index];
        spreads[index] = (at_us.min(least), at_us.max(most));
        match at_us.checked_sub(published[index].1) {
            Some(latency_us) => latencies.push(latency_us),
            None => early += 1,
        }
    }
    let delivered = latencies.len() as u64 + early;
    let late = latencies.iter().filter(|us| **us as f64 > gap_us).count();
    let piled_up = late * LATE_OF > latencies.len();
    let mut spreads: Vec<u64> = spreads
        .iter()
        .filter(|(from, _)| *from < u64::MAX)
        .map(|(a, b)| b - a)
        .collect();
    let contiguous = published
        .last()
        .is_some_and(|last| (last.0 - first_seq) as usize + 1 == published.len());
    let mut faults = Vec::new();
    let mut fault = |is: bool, words: String| faults.extend(is.then_some(words));
    fault(
        delivered != expected,
        format!(
            "{delivered} of {expected} delivered, {} s after the window",
            DRAIN.as_secs()
        ),
    );
    fault(noted.skipped > 0, format!("{} jumped over", noted.skipped));
    fault(early > 0, format!("{early} received before they were due"));
    fault(
        noted.repeated > 0,
        format!("{} came again or out of order", noted.repeated),
    );
    fault(noted.unnoted > 0, format!("{} too many to note", noted.unnoted));
    fault(!contiguous, "the publish log has a gap".into());
    let why = noted.fault.as_deref().unwrap_or("unknown");
    fault(
        noted.cut > 0 || noted.fault.is_some(),
        format!("{} clients were cut ({why})", noted.cut),
    );
    Figures {
        expected,
        delivered,
        deliveries,
        window_s: (wall.1 - wall.0) as f64 / 1e6,
        server_cpu_s: None,
        reader_cpu_s: None,
        kernel_share: None,
        others_share: None,
        idle_bytes: None,
        spread_p99_us: p99(&mut spreads),
        // A missed one stands at infinity: then there is no p99 to tell.
        latency_p99_us: (delivered == expected && early == 0)
            .then(|| p99(&mut latencies))
            .flatten(),
        piled_up,
        faults,
    }
}

/// The smallest value that 99 of 100 do not exceed.
fn p99(values: &mut [u64]) -> Option<u64> {
    let index = (values.len() * 99).div_ceil(100).checked_sub(1)?;
    Some(*values.select_nth_unstable(index).1)
}
