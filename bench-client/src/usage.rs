//! CPU time and memory of any process of this machine.

use std::sync::Arc;

use nix::{
    time::{ClockId, clock_getcpuclockid, clock_gettime},
    unistd::Pid,
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use server::stats::resident_bytes_of;

/// Fewer ticks than these say nothing of how CPU time divides.
const TICKS_LEAST: u64 = 20;

/// CPU time of a process by where it was spent, in ticks of 1/100 s (`utime` and `stime` of proc(5)).
///
/// The kernel knows the sum exactly. How it divides most kernels find out by looking, at each tick of their own, where the process is just
/// then; the two are then scaled to the exact sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CpuSplit {
    pub user_ticks: u64,
    pub kernel_ticks: u64,
}

impl CpuSplit {
    /// The kernel's share of the CPU time since `earlier`, 0 to 1; None where too few ticks were seen.
    pub fn kernel_share_since(&self, earlier: &Self) -> Option<f64> {
        let user = self.user_ticks.checked_sub(earlier.user_ticks)?;
        let kernel = self.kernel_ticks.checked_sub(earlier.kernel_ticks)?;
        let all = user + kernel;
        (all >= TICKS_LEAST).then(|| kernel as f64 / all as f64)
    }

    pub fn plus(self, other: Self) -> Self {
        Self {
            user_ticks: self.user_ticks + other.user_ticks,
            kernel_ticks: self.kernel_ticks + other.kernel_ticks,
        }
    }

    /// Of a line of `/proc/<pid>/stat`; what stands before the name's last bracket may hold anything.
    fn of_stat(stat: &str) -> Option<Self> {
        let (_, fields) = stat.rsplit_once(')')?;
        // utime is the 14th field, and the state behind the name the 3rd.
        let mut fields = fields.split_whitespace().skip(11);
        let mut ticks = || fields.next()?.parse().ok();
        Some(Self {
            user_ticks: ticks()?,
            kernel_ticks: ticks()?,
        })
    }
}

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

    /// The same CPU time by where it was spent; None when the process is gone.
    pub fn cpu_split(&self) -> Option<CpuSplit> {
        CpuSplit::of_stat(&std::fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok()?)
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
    /// Those that run beside it to the end; None among them is one that was not found.
    beside: Vec<Option<Usage>>,
    /// CPU time of those before it; None when it is not known, or there is no server of ours.
    before_s: Option<f64>,
    before_split: Option<CpuSplit>,
}

impl ServerUsage {
    /// None is a server elsewhere.
    pub fn of(usage: Option<Usage>) -> Self {
        Self::of_all(usage, Vec::new())
    }

    /// Of several nodes: all together.
    pub fn of_all(usage: Option<Usage>, beside: Vec<Option<Usage>>) -> Self {
        Self(Arc::new(Mutex::new(Succession {
            beside,
            before_s: usage.map(|_| 0.0),
            before_split: usage.map(|_| CpuSplit::default()),
            now: usage,
        })))
    }

    /// CPU time so far of all of them.
    pub fn cpu_s(&self) -> Option<f64> {
        let servers = self.0.lock();
        let beside: Option<f64> = servers.beside.iter().map(|usage| usage.as_ref()?.cpu_s()).sum();
        Some(servers.before_s? + servers.now.map_or(Some(0.0), |usage| usage.cpu_s())? + beside?)
    }

    /// The same by where it was spent.
    pub fn cpu_split(&self) -> Option<CpuSplit> {
        let servers = self.0.lock();
        let now = servers.now.map_or(Some(CpuSplit::default()), |usage| usage.cpu_split());
        let mut sum = servers.before_split?.plus(now?);
        for usage in &servers.beside {
            sum = sum.plus(usage.as_ref()?.cpu_split()?);
        }
        Some(sum)
    }

    /// Resident memory of all that run.
    pub fn rss_bytes(&self) -> Option<u64> {
        let servers = self.0.lock();
        let beside: Option<u64> = servers.beside.iter().map(|usage| usage.as_ref()?.rss_bytes()).sum();
        Some(servers.now?.rss_bytes()? + beside?)
    }

    /// The one that ran has ended, and is not forgotten by the kernel yet: its CPU time is read for the last time.
    pub fn ended(&self) {
        let mut servers = self.0.lock();
        let last = servers.now.take();
        let last_s = last.and_then(|usage| usage.cpu_s());
        servers.before_s = servers.before_s.zip(last_s).map(|(before, last)| before + last);
        let last_split = last.and_then(|usage| usage.cpu_split());
        servers.before_split = servers
            .before_split
            .zip(last_split)
            .map(|(before, last)| before.plus(last));
    }

    /// Another runs in its place.
    pub fn replaced(&self, usage: Option<Usage>) {
        let mut servers = self.0.lock();
        servers.before_s = servers.before_s.filter(|_| usage.is_some());
        servers.before_split = servers.before_split.filter(|_| usage.is_some());
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
    fn cpu_time_is_divided_by_where_it_was_spent() {
        let stat = "7 (a) R ) S 1 7 7 0 -1 4194304 100 0 0 0 30 12 5 6 20 0 9 0 4711 1 2";
        let split = CpuSplit::of_stat(stat).unwrap();
        assert_eq!((split.user_ticks, split.kernel_ticks), (30, 12));
        assert_eq!(CpuSplit::of_stat("7 (a) S 1"), None);
        let later = |user_ticks, kernel_ticks| CpuSplit {
            user_ticks,
            kernel_ticks,
        };
        assert_eq!(later(45, 17).kernel_share_since(&split), Some(0.25));
        assert_eq!(later(44, 17).kernel_share_since(&split), None, "19 ticks are too few");
        assert_eq!(later(99, 11).kernel_share_since(&split), None, "another process");
        assert!(Usage::own().unwrap().cpu_split().is_some());
    }

    #[test]
    fn what_a_killed_server_used_is_carried_on() {
        let mut first = Command::new("sleep").arg("60").stdout(Stdio::null()).spawn().unwrap();
        let servers = ServerUsage::of(Usage::of(first.id()));
        let seen = servers.cpu_s().unwrap();
        first.kill().unwrap();
        let pid = Pid::from_raw(first.id() as i32);
        use nix::sys::wait::{Id, WaitPidFlag, waitid};
        waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT).unwrap();
        assert!(servers.cpu_split().is_some(), "killed, and not forgotten yet");
        servers.ended();
        first.wait().unwrap();
        assert!(servers.cpu_split().is_some());
        let ended = servers.cpu_s().unwrap();
        assert!(ended > 0.0 && ended >= seen, "{ended} s, {seen} s before");
        assert_eq!(servers.rss_bytes(), None, "nobody runs");
        servers.replaced(Usage::own());
        assert!(servers.cpu_s().unwrap() > ended);
        // One that is not found leaves the sum unknown, and does not make it small.
        servers.replaced(None);
        assert_eq!((servers.cpu_s(), servers.cpu_split()), (None, None));
        assert_eq!(ServerUsage::of(None).cpu_s(), None, "a server elsewhere");
    }
}
