//! What a row saw of clients, server and machine while it measured: from the counters at the window's edges to the record.

use super::{row::State, sampler::Sample};
use crate::{
    machine::{CpuTicks, MachineCounts},
    net::SEGMENT_AT_1500_BYTES,
    record::{Health, Quantiles, Wire, WireCounts},
    report::histogram::{self, Distribution},
    sockets::Counts,
};

/// A receiver acknowledges at least every second full segment (RFC 9293, 3.8.6.3): that many more cross the wire at a smaller MTU.
const SEGMENTS_PER_ACK: u64 = 2;

/// Everything that was observed beside the figures.
pub fn health(state: &State) -> Health {
    let (client_lag, server_lag) = (
        distribution(&state.client_lags_us),
        state.server_lags_us.as_deref().and_then(distribution),
    );
    let overflows = state.machine.and_then(|(before, after)| {
        let (before, after) = (before.listen_overflows?, after.listen_overflows?);
        after.checked_sub(before)
    });
    let mut health = Health {
        client_lag,
        server_lag,
        listen_overflows: overflows,
        server_requests_total: state.server_requests,
        ..Health::default()
    };
    if let Some((first, last)) = edges(&state.samples) {
        at_the_edges(&mut health, state, first, last);
    }
    health
}

fn distribution(us: &[u64]) -> Option<Quantiles> {
    let mut lags = Distribution::empty();
    us.iter().for_each(|us| lags.histogram.saturating_record(*us));
    (!us.is_empty()).then(|| histogram::encode(&lags.histogram, 0, 0))
}

fn edges(samples: &[Sample]) -> Option<(&Sample, &Sample)> {
    let (first, last) = (samples.first()?, samples.last()?);
    (samples.len() > 1 && first.edge.is_some() && last.edge.is_some()).then_some((first, last))
}

fn at_the_edges(health: &mut Health, state: &State, first: &Sample, last: &Sample) {
    // A server that shares our clock shares our machine.
    let elsewhere = state.clock_bound_us > 0;
    let (Some(from), Some(to)) = (first.edge, last.edge) else {
        return;
    };
    health.unread_sockets = Some(to.sockets.unread_sockets);
    health.unread_bytes = Some(to.sockets.unread_bytes);
    health.swapped_pages = difference(to.machine.swapped_pages, from.machine.swapped_pages);
    let window_ns = last.at_us.saturating_sub(first.at_us) as f64 * 1e3;
    health.client_wait_share = to
        .machine
        .client_wait
        .zip(from.machine.client_wait)
        .map(|(to, from)| to.0.saturating_sub(from.0) as f64 / (window_ns * state.threads.max(1) as f64));
    let used = |from: Option<f64>, to: Option<f64>| Some(to? - from?);
    let client_s = used(first.client_cpu_s, last.client_cpu_s);
    let server_s = match used(first.server_cpu_s, last.server_cpu_s) {
        // On another machine, where it takes nothing of this one's.
        None if elsewhere => Some(0.0),
        known => known,
    };
    if let Some(cpu) = cpu_between(&from.machine, &to.machine) {
        shares(
            health,
            cpu,
            client_s.zip(server_s).map(|(client, server)| client + server),
        );
    }
}

fn cpu_between(from: &MachineCounts, to: &MachineCounts) -> Option<CpuTicks> {
    let ticks = to.cpu?.since(&from.cpu?);
    (ticks.all() > 0).then_some(ticks)
}

/// `own_s` is what client and server used, in seconds; None where the server is here and not ours to look into.
fn shares(health: &mut Health, cpu: CpuTicks, own_s: Option<f64>) {
    let all = cpu.all() as f64;
    health.machine_busy_share = Some((cpu.processes + cpu.interrupts + cpu.stolen) as f64 / all);
    health.steal_share = Some(cpu.stolen as f64 / all);
    // A process's own clock includes the interrupts that came in its time, so they count on both sides. The kernel counts whole ticks and
    // processes nanoseconds: on a quiet machine this may come out a hair below nothing.
    health.others_cpu_share = own_s.map(|own_s| ((cpu.processes + cpu.interrupts) as f64 - own_s * TICKS_PER_S) / all);
}

/// `USER_HZ`: the unit of /proc/stat on every Linux this runs on (proc_stat(5)).
const TICKS_PER_S: f64 = 100.0;

fn difference(to: Option<u64>, from: Option<u64>) -> Option<u64> {
    to?.checked_sub(from?)
}

/// The kernel's count of the clients' sockets; None where it does not count.
pub fn wire(state: &State) -> Option<Wire> {
    let total = state.sockets?;
    if total.mtu_bytes == 0 {
        return None;
    }
    let totals = state.totals?;
    let mtu_bytes = if state.loopback {
        // The path's is capped at what an IPv4 packet can be, one byte less.
        loopback_mtu().unwrap_or(total.mtu_bytes)
    } else {
        total.mtu_bytes
    };
    let window = edges(&state.samples).map(|(first, last)| {
        let (from, to) = (first.edge?, last.edge?);
        let more = (
            last.totals.more_segments_sent - first.totals.more_segments_sent,
            last.totals.more_segments_received - first.totals.more_segments_received,
        );
        Some(at_1500(to.sockets.wire.since(&from.sockets.wire), &to.sockets, more))
    });
    let more = (totals.more_segments_sent, totals.more_segments_received);
    Some(Wire {
        mtu_bytes,
        window: window.flatten().unwrap_or_default(),
        total: at_1500(total.wire, &total, more),
        socket_bytes_sent_total: totals.bytes_sent,
        socket_bytes_received_total: totals.bytes_received,
        unread_bytes_at_close: total.unread_bytes,
    })
}

fn loopback_mtu() -> Option<u32> {
    std::fs::read_to_string("/sys/class/net/lo/mtu")
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// Adds what packets of 1,500 bytes would take: a header for each segment more, and the acknowledgements of those.
fn at_1500(mut wire: WireCounts, of: &Counts, more_segments: (u64, u64)) -> WireCounts {
    const { assert!(SEGMENT_AT_1500_BYTES == 1_448) };
    let (sent, received) = more_segments;
    wire.bytes_sent_at_1500 = wire.bytes_sent + (sent + received / SEGMENTS_PER_ACK) * of.header_bytes;
    wire.bytes_received_at_1500 = wire.bytes_received + (received + sent / SEGMENTS_PER_ACK) * of.header_bytes;
    wire
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_used_is_what_client_and_server_did_not() {
        let cpu = CpuTicks {
            processes: 600,
            interrupts: 50,
            stolen: 50,
            idle: 300,
        };
        let mut health = Health::default();
        shares(&mut health, cpu, Some(4.0));
        assert_eq!(health.machine_busy_share, Some(0.7));
        assert_eq!(health.others_cpu_share, Some(0.25));
        assert_eq!(health.steal_share, Some(0.05));
    }

    #[test]
    fn a_smaller_mtu_costs_headers_and_acknowledgements() {
        let counts = Counts {
            header_bytes: 52,
            ..Counts::default()
        };
        let wire = WireCounts {
            bytes_sent: 1_000,
            bytes_received: 10_000,
            ..WireCounts::default()
        };
        let wire = at_1500(wire, &counts, (0, 6));
        assert_eq!(wire.bytes_received_at_1500, 10_000 + 6 * 52);
        assert_eq!(wire.bytes_sent_at_1500, 1_000 + 3 * 52);
    }
}
