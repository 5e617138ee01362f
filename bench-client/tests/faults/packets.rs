//! What tshark saw on the loopback: the packets of some servers, from before the first connection until after the last.

use std::{
    collections::BTreeMap,
    fs::File,
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// How long tshark may take for a step.
const PATIENCE: Duration = Duration::from_secs(20);
/// Of each packet: its headers and the first words of a request. Lengths are read from the headers.
const SNAPPED_BYTES: &str = "192";

/// A packet, as one side sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// By the wall clock.
    pub at_us: u64,
    pub server: u16,
    /// The client's port, which names the connection.
    pub client: u16,
    pub from_client: bool,
    /// IP header and all.
    pub ip_bytes: u64,
    pub tcp_payload_bytes: u64,
    pub opens: bool,
    /// One side is done.
    pub closes: bool,
    /// A request for the feed begins here.
    pub asks_for_feed: bool,
    /// A request begins here.
    pub asks: bool,
}

/// A running capture.
pub struct Capture {
    tshark: Child,
    file: PathBuf,
    servers: Vec<SocketAddr>,
}

impl Capture {
    /// Captures everything from and to these servers; an error in words where tshark is not there or may not.
    pub fn start(servers: Vec<SocketAddr>, file: PathBuf) -> Result<Self, String> {
        let log = file.with_extension("log");
        let stderr = File::create(&log).expect("the folder can be written");
        let ports: Vec<_> = servers
            .iter()
            .map(|server| format!("tcp port {}", server.port()))
            .collect();
        let tshark = Command::new("tshark")
            .args(["-q", "-i", "lo", "-s", SNAPPED_BYTES, "-f"])
            .arg(ports.join(" or "))
            .arg("-w")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .map_err(|error| format!("tshark could not be started: {error}"))?;
        let mut capture = Self { tshark, file, servers };
        let started = Instant::now();
        while !capture.sees_a_connection() {
            let ended = capture.tshark.try_wait().expect("a child can be waited for");
            if ended.is_some() || started.elapsed() > PATIENCE {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                let first: Vec<_> = said.lines().take(3).collect();
                return Err(format!("tshark captures nothing: {}", first.join(" / ")));
            }
        }
        Ok(capture)
    }

    /// Makes a connection, and says whether it is in the file by now.
    fn sees_a_connection(&self) -> bool {
        const WRITTEN_EVERY: Duration = Duration::from_millis(100);
        let connection = TcpStream::connect(self.servers[0]).expect("the server listens");
        let port = connection.local_addr().expect("it is connected").port();
        drop(connection);
        std::thread::sleep(WRITTEN_EVERY);
        self.packets().iter().any(|packet| packet.client == port)
    }

    /// Everything until now: a last connection shows that all before it has been written.
    pub fn finish(self) -> Vec<Packet> {
        let started = Instant::now();
        while !self.sees_a_connection() {
            assert!(started.elapsed() < PATIENCE, "tshark no longer writes");
        }
        self.packets()
    }

    /// The packets in the file. A file that is still written may end within one, which tshark complains about for nothing.
    fn packets(&self) -> Vec<Packet> {
        const FIELDS: [&str; 9] = [
            "frame.time_epoch",
            "tcp.srcport",
            "tcp.dstport",
            "ip.len",
            "tcp.len",
            "tcp.flags.syn",
            "tcp.flags.fin",
            "tcp.flags.reset",
            "tcp.payload",
        ];
        let mut command = Command::new("tshark");
        command.args(["-n", "-r"]).arg(&self.file).args(["-T", "fields"]);
        for field in FIELDS {
            command.args(["-e", field]);
        }
        let read = command.output().expect("it captures, so it can be started");
        let text = String::from_utf8_lossy(&read.stdout);
        text.lines()
            .map(|line| {
                let fields: Vec<_> = line.split('\t').collect();
                self.packet(&fields)
                    .unwrap_or_else(|| panic!("tshark printed {line:?}"))
            })
            .collect()
    }

    fn packet(&self, fields: &[&str]) -> Option<Packet> {
        let [at, from, to, ip_bytes, payload_bytes, syn, fin, reset, payload] = fields else {
            return None;
        };
        let (seconds, nanoseconds) = at.split_once('.')?;
        let (from, to): (u16, u16) = (from.parse().ok()?, to.parse().ok()?);
        let from_client = self.servers.iter().any(|server| server.port() == to);
        // Versions differ in how they print it.
        let is = |flag: &str| matches!(flag, "1" | "True");
        let begins = |words: &str| {
            let hex: String = words.bytes().map(|byte| format!("{byte:02x}")).collect();
            from_client && payload.starts_with(&hex)
        };
        Some(Packet {
            at_us: seconds.parse::<u64>().ok()? * 1_000_000 + nanoseconds.get(..6)?.parse::<u64>().ok()?,
            server: if from_client { to } else { from },
            client: if from_client { from } else { to },
            from_client,
            ip_bytes: ip_bytes.parse().ok()?,
            tcp_payload_bytes: payload_bytes.parse().ok()?,
            opens: from_client && is(syn),
            closes: is(fin) || is(reset),
            asks_for_feed: begins("GET /feed/"),
            asks: begins("GET "),
        })
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        // Interrupted, it ends its own child too.
        let _ = kill(Pid::from_raw(self.tshark.id() as i32), Signal::SIGINT);
        let _ = self.tshark.wait();
    }
}

/// The packets of this server's connections that ask for the feed: control calls go to the same port.
pub fn of_the_feed(packets: &[Packet], server: SocketAddr) -> Vec<Packet> {
    let of_server = || packets.iter().filter(|packet| packet.server == server.port());
    let mut feed = BTreeMap::new();
    for packet in of_server().filter(|packet| packet.asks) {
        feed.entry(packet.client).or_insert(packet.asks_for_feed);
    }
    let of_feed = of_server().filter(|packet| feed.get(&packet.client) == Some(&true));
    of_feed.cloned().collect()
}
