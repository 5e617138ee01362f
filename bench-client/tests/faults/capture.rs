//! The record against the wire itself, as tshark saw it.
//!
//! ```text
//! the real program <-> loopback <-> Origin        record: counters of sockets and kernel
//!                         '-> tshark              packets: lengths in their headers
//! ```
//!
//! The feed falls silent before the window ends, so that nothing is under way to a stream when its client leaves.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use bench_client::record::{Row, Wire};

use crate::{
    lab::{Done, Job, Lab, TRANSPORTS, alone, middle_us, skipped},
    origin::Origin,
    packets::{Capture, Packet, of_the_feed},
    table::{Expected, all_hold, soon_hold},
};

const DURATION_S: f64 = 4.0;
/// From the middle of the window on the feed goes on for so long: well within the other half.
const SILENT_AFTER_MIDDLE_US: u64 = 1_000_000;
/// Of the bytes on the wire: counters are read a moment after the edge they belong to.
const WIRE_TOLERANCE: f64 = 0.005;

struct Seen {
    transport: &'static str,
    done: Done,
    packets: Vec<Packet>,
    server_requests: u64,
}

/// Sums one length of the packets of each direction: sent and received by the clients.
fn sums<'a>(packets: impl Iterator<Item = &'a Packet>, length: fn(&Packet) -> u64) -> [u64; 2] {
    packets.fold([0, 0], |mut sums, packet| {
        sums[usize::from(!packet.from_client)] += length(packet);
        sums
    })
}

impl Seen {
    fn row(&self) -> &Row {
        self.done.row()
    }

    /// Packets of the window.
    fn window(&self) -> impl Iterator<Item = &Packet> {
        let (from_us, to_us) = self.done.window_us();
        let within = move |packet: &&Packet| (from_us..to_us).contains(&packet.at_us);
        self.packets.iter().filter(within)
    }

    /// Packets of each connection until it was closed: the clients leave when drain ends.
    fn until_closed(&self) -> impl Iterator<Item = &Packet> {
        let mut closed = HashSet::new();
        self.packets.iter().filter(move |packet| {
            if packet.closes {
                closed.insert(packet.client);
            }
            !closed.contains(&packet.client)
        })
    }

    fn line(&self, figure: &'static str, unit: &'static str, seen: u64, reported: Option<u64>, share: f64) -> Expected {
        Expected {
            fault: "none: the wire seen by tshark",
            injected: "nothing".into(),
            transport: self.transport.into(),
            figure,
            unit,
            predicted: seen as f64,
            reported: reported.unwrap_or_else(|| panic!("{figure} is unknown")) as f64,
            tolerance: seen as f64 * share,
        }
    }

    fn requests(&self) -> Vec<Expected> {
        let figures = &self.row().figures;
        let heads = self.packets.iter().filter(|packet| packet.asks_for_feed).count() as u64;
        let opened = self.packets.iter().filter(|packet| packet.opens).count() as u64;
        vec![
            self.line("requests_total", "requests", heads, figures.requests_total, 0.0),
            self.line(
                "the server's own count",
                "requests",
                heads,
                Some(self.server_requests),
                0.0,
            ),
            self.line(
                "health.server_requests_total",
                "requests",
                heads,
                self.row().health.server_requests_total,
                0.0,
            ),
            self.line(
                "connections_total",
                "connections",
                opened,
                figures.connections_total,
                0.0,
            ),
        ]
    }

    /// What must agree to the byte, from the first connection until the clients leave.
    fn exact(&self) -> Vec<Expected> {
        let wire = self.wire();
        let [sent, received] = sums(self.until_closed(), |packet| packet.tcp_payload_bytes);
        // What had come when a client left is not read any more.
        let read = wire.socket_bytes_received_total + wire.unread_bytes_at_close;
        let exactly = |figure, seen, reported| self.line(figure, "B", seen, Some(reported), 0.0);
        let mut lines = self.requests();
        lines.extend([
            exactly("wire.socket_bytes_sent_total", sent, wire.socket_bytes_sent_total),
            exactly("wire.socket_bytes_received_total", received, read),
            exactly("wire.total.payload_bytes_sent", sent, wire.total.payload_bytes_sent),
            exactly(
                "wire.total.payload_bytes_received",
                received,
                wire.total.payload_bytes_received,
            ),
        ]);
        lines
    }

    /// What may be off by what crosses an edge of the window.
    fn near(&self) -> Vec<Expected> {
        let (figures, wire) = (&self.row().figures, self.wire());
        let payload = sums(self.window(), |packet| packet.tcp_payload_bytes);
        let packets = sums(self.window(), |packet| packet.ip_bytes);
        let segments = sums(self.window(), |_| 1);
        // The ends of connections included.
        let total = sums(self.packets.iter(), |packet| packet.ip_bytes);
        let bytes = |figure, seen, reported| self.line(figure, "B", seen, reported, WIRE_TOLERANCE);
        let count = |figure, seen, reported| self.line(figure, "segments", seen, reported, WIRE_TOLERANCE);
        vec![
            bytes("bytes_sent", payload[0], figures.bytes_sent),
            bytes("bytes_received", payload[1], figures.bytes_received),
            bytes("wire_bytes_sent", packets[0], figures.wire_bytes_sent),
            bytes("wire_bytes_received", packets[1], figures.wire_bytes_received),
            count("segments_sent", segments[0], figures.segments_sent),
            count("segments_received", segments[1], figures.segments_received),
            bytes("wire.total.bytes_sent", total[0], Some(wire.total.bytes_sent)),
            bytes("wire.total.bytes_received", total[1], Some(wire.total.bytes_received)),
        ]
    }

    fn wire(&self) -> &Wire {
        let wire = self.row().wire.as_ref();
        wire.expect("the kernel tells of the clients' sockets")
    }
}

/// Every transport once, each at a server of its own, and everything that crossed the wire.
fn captured(lab: &Lab) -> Result<Vec<Seen>, String> {
    // Set once the capture runs.
    let silent_us = Arc::new(AtomicU64::new(u64::MAX));
    let origins = TRANSPORTS.map(|transport| {
        let silent_us = silent_us.clone();
        let origin = Origin::with(0, |events, clock| {
            Box::new(events.take_while(move |_| clock.now_us() < silent_us.load(Relaxed)))
        });
        (transport, origin)
    });
    let servers = origins.iter().map(|(_, origin)| origin.address).collect();
    let capture = Capture::start(servers, lab.folder().join("lo.pcapng"))?;
    let middle_us = origins[0].1.clock.now_us() + middle_us(DURATION_S);
    silent_us.store(middle_us + SILENT_AFTER_MIDDLE_US, Relaxed);
    let job = |(id, origin): &(&'static str, Origin)| Job::new(id, &origin.url()).lasting(DURATION_S);
    let jobs: Vec<_> = origins.iter().map(job).collect();
    let done = lab.run(&jobs);
    let packets = capture.finish();
    let all = origins.into_iter().zip(done).map(|((transport, origin), done)| {
        done.whole();
        Seen {
            transport,
            packets: of_the_feed(&packets, origin.address),
            server_requests: origin.requests(transport),
            done,
        }
    });
    Ok(all.collect())
}

#[test]
fn the_record_agrees_with_the_wire() {
    let _machine = alone();
    let lab = Lab::new();
    soon_hold(|| match captured(&lab) {
        Ok(all) => {
            all_hold(&all.iter().flat_map(Seen::exact).collect::<Vec<_>>());
            all.iter().flat_map(Seen::near).collect()
        }
        Err(why) => {
            skipped(&format!("the record against the wire: {why}"));
            Vec::new()
        }
    });
}
