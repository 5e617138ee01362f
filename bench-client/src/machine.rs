//! The machine during a row: whose CPU it was, what it swapped, and the connections it dropped. All from /proc; unknown is absent.

use std::fs::read_to_string;

use serde::{Deserialize, Serialize};

/// Counters of the machine since its boot, at one moment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MachineCounts {
    /// CPU of all cores by kind, in ticks of the kernel (proc_stat(5)).
    pub cpu: Option<CpuTicks>,
    pub swapped_pages: Option<u64>,
    /// Connections dropped because an accept queue was full.
    pub listen_overflows: Option<u64>,
    /// TCP segments sent again and sent at all, of every connection of the machine.
    pub segments: Option<(u64, u64)>,
    /// Time each of this process's client threads was ready to run without a core, in ns, by thread id.
    pub client_wait_ns: Option<Vec<(u32, u64)>>,
}

/// Ticks since boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CpuTicks {
    /// User, nice and system: what processes used.
    pub processes: u64,
    /// Interrupts, hard and soft.
    pub interrupts: u64,
    /// True where the kernel takes interrupts out of the time of the process they came in (CONFIG_IRQ_TIME_ACCOUNTING).
    pub interrupts_apart: bool,
    /// Given to others by the hypervisor.
    pub stolen: u64,
    /// Idle, and idle while a disk works.
    pub idle: u64,
}

/// `USER_HZ`: the unit of /proc/stat on every Linux this runs on (proc_stat(5)).
const TICKS_PER_S: f64 = 100.0;

impl CpuTicks {
    pub fn all(&self) -> u64 {
        self.processes + self.interrupts + self.stolen + self.idle
    }

    /// The share of these ticks that processes used which are not ours, 0 to 1; `own_s` is what ours used, in seconds.
    pub fn others_share(&self, own_s: f64) -> f64 {
        // A process's own clock includes the interrupts that came in its time, unless the kernel takes them out: they count on both sides, or
        // on none. The kernel counts whole ticks and processes nanoseconds: on a quiet machine this may come out a hair below nothing.
        let interrupts = if self.interrupts_apart { 0 } else { self.interrupts };
        ((self.processes + interrupts) as f64 - own_s * TICKS_PER_S) / self.all() as f64
    }

    /// The share that the hypervisor gave to others.
    pub fn stolen_share(&self) -> f64 {
        self.stolen as f64 / self.all() as f64
    }

    pub fn since(&self, earlier: &CpuTicks) -> CpuTicks {
        // Idle time may go back by a tick on some kernels (proc_stat(5)).
        let gone = |now: u64, then: u64| now.saturating_sub(then);
        CpuTicks {
            processes: gone(self.processes, earlier.processes),
            interrupts: gone(self.interrupts, earlier.interrupts),
            interrupts_apart: self.interrupts_apart,
            stolen: gone(self.stolen, earlier.stolen),
            idle: gone(self.idle, earlier.idle),
        }
    }
}

/// Reads everything now.
pub fn counts(client_threads: &str) -> MachineCounts {
    let read = |path: &str| read_to_string(path).unwrap_or_default();
    MachineCounts {
        cpu: cpu_ticks(&read("/proc/stat")),
        swapped_pages: swapped_pages(&read("/proc/vmstat")),
        listen_overflows: listen_overflows(&read("/proc/net/netstat")),
        segments: segments(&read("/proc/net/snmp")),
        client_wait_ns: thread_wait_ns(client_threads),
    }
}

fn cpu_ticks(stat: &str) -> Option<CpuTicks> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<u64> = line.split_whitespace().map_while(|word| word.parse().ok()).collect();
    // user nice system idle iowait irq softirq steal; what guests use is part of user.
    let [user, nice, system, idle, waiting, irq, softirq, steal] = *ticks.first_chunk()?;
    Some(CpuTicks {
        processes: user + nice + system,
        interrupts: irq + softirq,
        // Hard interrupts are too short for ticks: they are only ever counted where their time is taken exactly.
        interrupts_apart: irq > 0,
        stolen: steal,
        idle: idle + waiting,
    })
}

fn swapped_pages(vmstat: &str) -> Option<u64> {
    let of = |name: &str| -> Option<u64> {
        let line = vmstat.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().parse().ok()
    };
    Some(of("pswpin ")? + of("pswpout ")?)
}

/// `ListenOverflows` of the `TcpExt` lines: one of names, one of values.
fn listen_overflows(netstat: &str) -> Option<u64> {
    let mut lines = netstat.lines().filter_map(|line| line.strip_prefix("TcpExt: "));
    let (names, values) = (lines.next()?, lines.next()?);
    let mut pairs = names.split_whitespace().zip(values.split_whitespace());
    pairs.find(|(name, _)| *name == "ListenOverflows")?.1.parse().ok()
}

/// `RetransSegs` and `OutSegs` of the `Tcp` lines.
fn segments(snmp: &str) -> Option<(u64, u64)> {
    let mut lines = snmp.lines().filter_map(|line| line.strip_prefix("Tcp: "));
    let (names, values) = (lines.next()?, lines.next()?);
    let of = |wanted: &str| -> Option<u64> {
        let mut pairs = names.split_whitespace().zip(values.split_whitespace());
        pairs.find(|(name, _)| *name == wanted)?.1.parse().ok()
    };
    Some((of("RetransSegs")?, of("OutSegs")?))
}

/// Of this process's threads of that name, the time each waited for a core (`schedstat`, its second number).
fn thread_wait_ns(name: &str) -> Option<Vec<(u32, u64)>> {
    let mut threads = Vec::new();
    for task in std::fs::read_dir("/proc/self/task").ok()? {
        let task = task.ok()?;
        // A thread may end while we look.
        let Ok(comm) = read_to_string(task.path().join("comm")) else {
            continue;
        };
        if comm.trim_end() == name {
            let schedstat = read_to_string(task.path().join("schedstat")).ok()?;
            let waited_ns = schedstat.split_whitespace().nth(1)?.parse().ok()?;
            threads.push((task.file_name().to_str()?.parse().ok()?, waited_ns));
        }
    }
    (!threads.is_empty()).then_some(threads)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_tables_are_read_by_name() {
        let stat = "cpu  10 2 30 400 5 6 7 8 90 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
        let ticks = cpu_ticks(stat).unwrap();
        assert_eq!(
            (ticks.processes, ticks.interrupts, ticks.stolen, ticks.idle),
            (42, 13, 8, 405)
        );
        assert_eq!(ticks.all(), 468);
        assert_eq!(swapped_pages("pswpinx 9\npswpin 3\npswpout 4\n"), Some(7));
        let netstat = "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 1 22 333\nIpExt: A\nIpExt: 5\n";
        assert_eq!(listen_overflows(netstat), Some(22));
        assert_eq!(
            (cpu_ticks(""), swapped_pages(""), listen_overflows("")),
            (None, None, None)
        );
    }

    #[test]
    fn this_machine_tells_all_of_it() {
        let before = counts("no thread has this name");
        assert_eq!(before.client_wait_ns, None);
        assert!(before.cpu.is_some() && before.swapped_pages.is_some() && before.listen_overflows.is_some());
        let ticks = counts("x").cpu.unwrap().since(&before.cpu.unwrap());
        assert!(
            ticks.all() < 1_000_000,
            "the difference of two moments, not the sum since boot"
        );
        // The test's own thread: named after the test, cut to the 15 bytes the kernel keeps.
        let comm = read_to_string("/proc/thread-self/comm").unwrap();
        assert!(thread_wait_ns(comm.trim_end()).is_some_and(|threads| !threads.is_empty()));
    }
}
