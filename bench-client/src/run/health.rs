//! What a row saw of clients, server and machine while it measured: from the counters at the window's edges to the record.

use std::time::Duration;

use super::{row::State, sampler::Sample};
use crate::{
    fleet,
    machine::{CpuTicks, MachineCounts},
    record::{CoresApart, Health, Quantiles, Wire, WireCounts},
    report::histogram::{self, Distribution},
    sockets::Counts,
    tally::Window,
};

/// A receiver acknowledges at least every second full segment (RFC 9293, 3.8.6.3): that many more cross the wire at a smaller MTU.
const SEGMENTS_PER_ACK: u64 = 2;

/// Everything that was observed beside the figures.
pub fn health(state: &State) -> Health {
    let mut health = Health {
        server_requests_total: state.server_requests,
        cores_apart: state.halves.as_ref().map(|halves| CoresApart {
            server: halves.server.len() as u32,
            clients: halves.clients.len() as u32,
        }),
        ..Health::default()
    };
    if let Some((before, after)) = &state.machine {
        health.listen_overflows = difference(after.listen_overflows, before.listen_overflows);
    }
    if let Some((first, last)) = edges(&state.samples) {
        at_the_edges(&mut health, state, first, last);
    }
    if let Some(window) = state.window {
        lags(&mut health, state, window);
    }
    health
}

/// What the probes heard.
fn lags(health: &mut Health, state: &State, window: Window) {
    let unanswered = |answered: usize, threads: usize, interval: Duration, window_us: u64| {
        let due = (window_us as f64 / interval.as_micros() as f64).floor() * threads as f64;
        // The window's edges may hold one ping more or less.
        (due > 0.0).then(|| (1.0 - (answered as f64 + 1.0) / due).max(0.0))
    };
    if let Some(threads) = &state.client_lags_us {
        let all: Vec<u64> = threads.concat();
        health.client_pings_unanswered_share =
            unanswered(all.len(), threads.len(), fleet::PING_INTERVAL, window.length_us());
        health.client_lag_worst_p50_us = threads.iter().filter_map(|one| median(one)).max();
        health.client_lag = distribution(&all);
    }
    if let Some(lags) = &state.server_lags_us {
        // A server that took another's place tells of itself alone.
        let since_us = state
            .outage
            .as_ref()
            .map_or(window.from_us, |outage| outage.restarted.listened_us);
        let length_us = window.to_us.saturating_sub(since_us);
        health.server_pings_unanswered_share =
            unanswered(lags.len(), state.nodes.max(1), server::PING_INTERVAL, length_us);
        health.server_lag = distribution(lags);
    }
}

fn median(us: &[u64]) -> Option<u64> {
    let mut sorted = us.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
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
    let (Some(from), Some(to)) = (&first.edge, &last.edge) else {
        return;
    };
    health.unread_sockets = Some(to.sockets.unread_sockets);
    health.unread_bytes = Some(to.sockets.unread_bytes);
    health.swapped_pages = difference(to.machine.swapped_pages, from.machine.swapped_pages);
    let segments = to.machine.segments.zip(from.machine.segments);
    health.machine_segments_retransmitted = segments.and_then(|(to, from)| to.0.checked_sub(from.0));
    health.machine_segments_sent = segments.and_then(|(to, from)| to.1.checked_sub(from.1));
    let window_ns = last.at_us.saturating_sub(first.at_us) as f64 * 1e3;
    health.client_wait_share = longest_wait_ns(&from.machine, &to.machine).map(|ns| ns as f64 / window_ns);
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

/// Of the thread that waited longest for a core.
fn longest_wait_ns(from: &MachineCounts, to: &MachineCounts) -> Option<u64> {
    let (from, to) = (from.client_wait_ns.as_ref()?, to.client_wait_ns.as_ref()?);
    let waited = to.iter().filter_map(|(thread, now_ns)| {
        let (_, then_ns) = from.iter().find(|(known, _)| known == thread)?;
        now_ns.checked_sub(*then_ns)
    });
    waited.max()
}

fn cpu_between(from: &MachineCounts, to: &MachineCounts) -> Option<CpuTicks> {
    let ticks = to.cpu?.since(&from.cpu?);
    (ticks.all() > 0).then_some(ticks)
}

/// `own_s` is what client and server used, in seconds; None where the server is here and not ours to look into.
fn shares(health: &mut Health, cpu: CpuTicks, own_s: Option<f64>) {
    let all = cpu.all() as f64;
    health.machine_busy_share = Some((cpu.processes + cpu.interrupts + cpu.stolen) as f64 / all);
    health.interrupts_apart = Some(cpu.interrupts_apart);
    health.steal_share = Some(cpu.stolen_share());
    health.others_cpu_share = own_s.map(|own_s| cpu.others_share(own_s));
}

fn difference(to: Option<u64>, from: Option<u64>) -> Option<u64> {
    to?.checked_sub(from?)
}

/// The kernel's count of the clients' sockets; None where it does not count.
pub fn wire(state: &State) -> Option<Wire> {
    let (totals, total) = state.at_close.as_ref()?;
    if total.mtu_bytes == 0 {
        return None;
    }
    let mtu_bytes = if state.loopback {
        // The path's is capped at what an IPv4 packet can be, one byte less.
        loopback_mtu().unwrap_or(total.mtu_bytes)
    } else {
        total.mtu_bytes
    };
    let window = edges(&state.samples).and_then(|(first, last)| {
        let (from, to) = (first.edge.as_ref()?, last.edge.as_ref()?);
        let more = (
            last.totals.more_segments_sent - first.totals.more_segments_sent,
            last.totals.more_segments_received - first.totals.more_segments_received,
        );
        Some(at_1500(to.sockets.wire.since(&from.sockets.wire), &to.sockets, more))
    });
    let more = (totals.more_segments_sent, totals.more_segments_received);
    Some(Wire {
        mtu_bytes,
        window,
        total: at_1500(total.wire, total, more),
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
    // Where packets are as small already, what was measured is the answer.
    let (sent, received) = if of.mtu_bytes <= 1_500 { (0, 0) } else { more_segments };
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
            interrupts_apart: false,
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
            mtu_bytes: 65_535,
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
