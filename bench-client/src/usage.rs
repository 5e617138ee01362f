//! CPU time and memory of any process of this machine.

use nix::{
    time::{ClockId, clock_getcpuclockid, clock_gettime},
    unistd::Pid,
};
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
