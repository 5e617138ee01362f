//! Which process a run belongs to, and whether it is still there.

use std::fs;

use serde::{Deserialize, Serialize};

/// Whose run it is. A number alone is given to another process some day, so that it goes with what tells the two apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    pid: u32,
    /// When it was started, in the kernel's ticks since boot.
    started: Option<u64>,
    /// The boot it runs in.
    boot: Option<String>,
    /// In which the number is valid: a container has its own.
    namespace: Option<String>,
}

impl Process {
    /// This one.
    pub fn own() -> Self {
        let pid = std::process::id();
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
        Self {
            pid,
            started: started(pid),
            boot: boot.map(|id| id.trim().to_owned()),
            namespace: namespace(),
        }
    }

    /// Whether it still runs; None where it can't be told: from another container, or another boot, which may be another machine.
    pub fn runs(&self) -> Option<bool> {
        let own = Self::own();
        let is_here = (&self.boot, &self.namespace) == (&own.boot, &own.namespace) && self.started.is_some();
        is_here.then(|| self.started == started(self.pid))
    }
}

/// Field 22 of `/proc/<pid>/stat`; what stands before the name's last bracket may hold anything.
fn started(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    // Killed and not yet waited for is gone as well.
    if fields.next() == Some("Z") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

fn namespace() -> Option<String> {
    let link = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(link.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_told_from_a_later_one_with_its_number() {
        let own = Process::own();
        assert_eq!(own.runs(), Some(true));
        let later = Process {
            started: own.started.map(|ticks| ticks + 1),
            ..own.clone()
        };
        assert_eq!(later.runs(), Some(false));
        let boot = Some("another".to_owned());
        let namespace = Some("pid:[1]".to_owned());
        let elsewhere = [Process { boot, ..own.clone() }, Process { namespace, ..later }];
        for process in elsewhere {
            assert_eq!(process.runs(), None, "{process:?}");
        }
    }
}
