//! CPU time and memory of any process of this machine.

use std::sync::Arc;

use nix::{
    time::{ClockId, clock_getcpuclockid, clock_gettime},
    unistd::Pid,
};
use parking_lot::Mutex;
use server::stats::resident_bytes_of;

/// A process whose use is read.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    pid: i32,
    clock: ClockId,
}

impl Usage {
    /// None when there is no such process.
    pub fn of(pid: u32) -> Option<Self> {
        let pid = i32::try_from(pid).ok()?;
        Some(Self {
            pid,
            clock: clock_getcpuclockid(Pid::from_raw(pid)).ok()?,
        })
    }

    /// Of this process.
    pub fn own() -> Option<Self> {
        Self::of(std::process::id())
    }

    /// CPU time so far, user and system, in seconds with ns resolution; None when the process is gone.
    pub fn cpu_s(&self) -> Option<f64> {
        let time = clock_gettime(self.clock).ok()?;
        Some(time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9)
    }

    /// Resident memory in bytes; None when the process is gone.
    pub fn rss_bytes(&self) -> Option<u64> {
        resident_bytes_of(&self.pid.to_string())
    }
}

/// The server of a row, as far as it is ours to look into; where one was killed and another took its place, both together.
#[derive(Debug, Clone)]
pub struct ServerUsage(Arc<Mutex<Succession>>);

#[derive(Debug)]
struct Succession {
    /// The one that runs.
    now: Option<Usage>,
    /// CPU time of those before it; None when it is not known, or there is no server of ours.
    before_s: Option<f64>,
}

impl ServerUsage {
    /// None is a server elsewhere.
    pub fn of(usage: Option<Usage>) -> Self {
        Self(Arc::new(Mutex::new(Succession {
            before_s: usage.map(|_| 0.0),
            now: usage,
        })))
    }

    /// CPU time so far of all of them.
    pub fn cpu_s(&self) -> Option<f64> {
        let servers = self.0.lock();
        Some(servers.before_s? + servers.now.map_or(Some(0.0), |usage| usage.cpu_s())?)
    }

    /// Resident memory of the one that runs.
    pub fn rss_bytes(&self) -> Option<u64> {
        self.0.lock().now?.rss_bytes()
    }

    /// The one that ran has ended, and is not forgotten by the kernel yet: its CPU time is read for the last time.
    pub fn ended(&self) {
        let mut servers = self.0.lock();
        let last_s = servers.now.take().and_then(|usage| usage.cpu_s());
        servers.before_s = servers.before_s.zip(last_s).map(|(before, last)| before + last);
    }

    /// Another runs in its place.
    pub fn replaced(&self, usage: Option<Usage>) {
        let mut servers = self.0.lock();
        servers.before_s = servers.before_s.filter(|_| usage.is_some());
        servers.now = usage;
    }
}

/// Kernel memory of all TCP sockets of the machine, from `/proc/net/sockstat`, in bytes.
pub fn kernel_socket_bytes() -> Option<u64> {
    const PAGE_BYTES: u64 = 4096;
    let stats = std::fs::read_to_string("/proc/net/sockstat").ok()?;
    let tcp = stats.lines().find_map(|line| line.strip_prefix("TCP:"))?;
    let pages: u64 = tcp
        .split_whitespace()
        .skip_while(|word| *word != "mem")
        .nth(1)?
        .parse()
        .ok()?;
    Some(pages * PAGE_BYTES)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn what_a_killed_server_used_is_carried_on() {
        let mut first = Command::new("sleep").arg("60").stdout(Stdio::null()).spawn().unwrap();
        let servers = ServerUsage::of(Usage::of(first.id()));
        let seen = servers.cpu_s().unwrap();
        first.kill().unwrap();
        let pid = Pid::from_raw(first.id() as i32);
        use nix::sys::wait::{Id, WaitPidFlag, waitid};
        waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT).unwrap();
        servers.ended();
        first.wait().unwrap();
        let ended = servers.cpu_s().unwrap();
        assert!(ended > 0.0 && ended >= seen, "{ended} s, {seen} s before");
        assert_eq!(servers.rss_bytes(), None, "nobody runs");
        servers.replaced(Usage::own());
        assert!(servers.cpu_s().unwrap() > ended);
        // One that is not found leaves the sum unknown, and does not make it small.
        servers.replaced(None);
        assert_eq!(servers.cpu_s(), None);
        assert_eq!(ServerUsage::of(None).cpu_s(), None, "a server elsewhere");
    }
}
