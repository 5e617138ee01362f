//! What several workers counted, as one. Pure: sums of counters that were read at the same times, and nothing where one is missing.

use super::process::Told;
use crate::{fleet::Stopped, run::sampler::Sample};

/// Adds what one worker told to what others did.
pub fn add(stopped: &mut Stopped, told: Told) {
    if let Ok(logs) = &mut stopped.logs {
        logs.extend(told.logs);
    }
    // Without sums one is lost: what this one tells is no longer that of all.
    let (Some((totals, sockets)), Some(all)) = (&mut stopped.at_close, &mut stopped.of_workers) else {
        return;
    };
    totals.add(&told.totals);
    sockets.add(&told.sockets);
    all.lags_us.extend(told.lags_us);
    all.samples.push(told.samples);
}

/// The coordinator's samples with those of every worker in them; none when a worker has none.
///
/// The first and the last are the window's edges, those between its seconds. A window that was cut short may have ended before a second that
/// another still saw: those are left out.
pub fn samples(mut own: Vec<Sample>, workers: &[Vec<Sample>]) -> Vec<Sample> {
    let least = workers.iter().map(Vec::len).min().unwrap_or(0).min(own.len());
    if least == 0 {
        return Vec::new();
    }
    if let Some(last) = own.pop() {
        own.truncate(least - 1);
        own.push(last);
    }
    for edge in own.iter_mut().filter_map(|sample| sample.edge.as_mut()) {
        // The coordinator runs no clients: what is known of their threads is what workers tell.
        edge.machine.client_wait_ns = Some(Vec::new());
    }
    for worker in workers {
        let (first, last) = (&worker[..least - 1], worker.last());
        for (sum, one) in own.iter_mut().zip(first.iter().chain(last)) {
            add_sample(sum, one);
        }
    }
    own
}

fn add_sample(sum: &mut Sample, one: &Sample) {
    // Whoever was held up before reading shows as late.
    sum.at_us = sum.at_us.max(one.at_us);
    sum.totals.add(&one.totals);
    sum.client_cpu_s = sum.client_cpu_s.zip(one.client_cpu_s).map(|(sum, one)| sum + one);
    let splits = sum.client_cpu_split.zip(one.client_cpu_split);
    sum.client_cpu_split = splits.map(|(sum, one)| sum.plus(one));
    sum.edge = match (sum.edge.take(), &one.edge) {
        (Some(mut sum), Some(one)) => {
            sum.sockets.add(&one.sockets);
            let waits = sum.machine.client_wait_ns.zip(one.machine.client_wait_ns.as_ref());
            sum.machine.client_wait_ns = waits.map(|(known, more)| [known.as_slice(), more].concat());
            Some(sum)
        }
        _ => None,
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fleet::Totals, machine::MachineCounts, run::sampler::Edge, sockets::Counts, usage::CpuSplit};

    /// At the window's seconds 0, 1 … of so many; edges first and last. `scale` tells whose it is.
    fn sampled(seconds: u64, late_us: u64, scale: u64, thread: Option<u32>) -> Vec<Sample> {
        let sample = |second: u64| Sample {
            at_us: second * 1_000_000 + late_us,
            totals: Totals {
                requests: second * scale,
                bytes_received: second * scale * 100,
                ..Totals::default()
            },
            server_cpu_s: None,
            client_cpu_s: Some(second as f64 * scale as f64),
            server_cpu_split: None,
            client_cpu_split: Some(CpuSplit {
                user_ticks: second * scale,
                kernel_ticks: 1,
            }),
            edge: (second == 0 || second == seconds).then(|| Edge {
                sockets: Counts {
                    unread_bytes: scale,
                    ..Counts::default()
                },
                machine: MachineCounts {
                    client_wait_ns: thread.map(|thread| vec![(thread, scale)]),
                    ..MachineCounts::default()
                },
            }),
        };
        (0..=seconds).map(sample).collect()
    }

    #[test]
    fn counters_of_the_same_moment_are_added_and_the_latest_reading_is_its_time() {
        let merged = samples(
            sampled(3, 5, 1, None),
            &[sampled(3, 9, 10, Some(7)), sampled(3, 2, 100, Some(8))],
        );
        assert_eq!(merged.len(), 4);
        let last = merged.last().unwrap();
        assert_eq!((last.at_us, last.totals.requests), (3_000_009, 333));
        assert_eq!(last.totals.bytes_received, 33_300);
        assert_eq!(last.client_cpu_s, Some(333.0));
        assert_eq!(last.client_cpu_split.unwrap().user_ticks, 333);
        let edge = last.edge.as_ref().unwrap();
        assert_eq!(edge.sockets.unread_bytes, 111);
        assert_eq!(edge.machine.client_wait_ns, Some(vec![(7, 10), (8, 100)]));
        assert!(merged[1].edge.is_none() && merged[0].edge.is_some());
    }

    #[test]
    fn who_saw_a_second_more_of_a_window_that_was_cut_short_leaves_it_out() {
        let merged = samples(sampled(2, 0, 1, None), &[sampled(3, 0, 10, Some(7))]);
        let requests: Vec<_> = merged.iter().map(|sample| sample.totals.requests).collect();
        assert_eq!(requests, [0, 11, 32], "both edges are edges");
        assert!(merged.last().unwrap().edge.is_some());
        let merged = samples(sampled(3, 0, 1, None), &[sampled(2, 0, 10, Some(7))]);
        let requests: Vec<_> = merged.iter().map(|sample| sample.totals.requests).collect();
        assert_eq!(requests, [0, 11, 23]);
    }

    #[test]
    fn what_one_does_not_know_nobody_knows() {
        assert!(samples(sampled(2, 0, 1, None), &[sampled(2, 0, 1, None), Vec::new()]).is_empty());
        let mut silent = sampled(1, 0, 10, None);
        silent[1].client_cpu_s = None;
        let merged = samples(sampled(1, 0, 1, None), &[silent]);
        assert_eq!(merged[1].client_cpu_s, None);
        assert_eq!(merged[1].edge.as_ref().unwrap().machine.client_wait_ns, None);
        assert_eq!(merged[1].totals.requests, 11, "its counters are there");
        let merged = samples(
            sampled(1, 0, 1, None),
            &[sampled(1, 0, 10, None), sampled(1, 0, 10, Some(7))],
        );
        let waits = &merged[1].edge.as_ref().unwrap().machine.client_wait_ns;
        assert_eq!(*waits, None, "one that tells does not make up for the one before it");
    }
}
