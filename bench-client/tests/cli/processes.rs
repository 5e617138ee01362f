//! Looks at other processes from outside, through /proc, and speaks plain HTTP with servers.

use std::{
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::lab::until;

/// Processes whose parent this is.
pub fn children(of: u32) -> Vec<u32> {
    let pids = fs::read_dir("/proc").expect("/proc is mounted").flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| stat(*pid).is_some_and(|(_, parent)| parent == of))
        .collect()
}

/// State letter and parent.
fn stat(pid: u32) -> Option<(char, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name stands in parentheses and may hold anything, so count from behind it.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// A server somebody else has started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Server {
    pub pid: u32,
    address: SocketAddr,
}

impl Server {
    /// None while it does not listen.
    pub fn of_process(pid: u32) -> Option<Self> {
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.flatten();
        let sockets: Vec<_> = descriptors
            .filter_map(|one| fs::read_link(one.path()).ok())
            .filter_map(|link| {
                let inode = link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
                Some(inode.to_owned())
            })
            .collect();
        let table = fs::read_to_string(format!("/proc/{pid}/net/tcp")).ok()?;
        let port = table.lines().find_map(|line| {
            let fields: Vec<_> = line.split_whitespace().collect();
            let [_, local, _, "0A", _, _, _, _, _, inode, ..] = fields[..] else {
                return None;
            };
            let (_, port) = local.split_once(':')?;
            let ours = sockets.iter().any(|one| one == inode);
            ours.then(|| u16::from_str_radix(port, 16).ok()).flatten()
        })?;
        Some(Self {
            pid,
            address: (Ipv4Addr::LOCALHOST, port).into(),
        })
    }

    /// How many updates it has published.
    pub fn updates(&self) -> Option<u64> {
        let stats: serde_json::Value = serde_json::from_str(&get(self.address, "/api/stats")?).ok()?;
        stats["updates"].as_u64()
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid as i32), signal).expect("the server runs");
    }

    /// Waits until the process is gone: nobody may be there to wait for it, so a zombie is gone too.
    pub fn is_gone(&self) {
        until("the server is gone", || match stat(self.pid) {
            None | Some(('Z' | 'X', _)) => Some(()),
            Some(_) => None,
        });
    }
}

/// The body of a GET, when it is answered.
pub fn get(address: SocketAddr, path: &str) -> Option<String> {
    const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(ANSWER_TIMEOUT)).ok()?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
}

/// What a server answers, whatever it is.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// A header's value; empty where it has none of this name (in lower case).
    pub fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut values = lines.filter(|(one, _)| *one == name).map(|(_, value)| value);
        values.next().unwrap_or_default()
    }
}

/// The answer to a GET with more headers than it needs; one called `host` takes the place of its own.
#[track_caller]
pub fn ask(url: &str, path: &str, more: &[(&str, &str)]) -> Answer {
    /// For a busy machine.
    const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(ANSWER_TIMEOUT)).expect("it is no zero");
    let own = [("host", address)];
    let own = own.iter().filter(|(name, _)| more.iter().all(|(one, _)| one != name));
    let headers: String = own
        .chain(more)
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    write!(stream, "GET {path} HTTP/1.1\r\n{headers}connection: close\r\n\r\n").expect("the server reads");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("the server answers");
    let end = bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("an answer has a head");
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .expect("a status");
    Answer {
        status,
        head,
        body: bytes.split_off(end + 4),
    }
}
