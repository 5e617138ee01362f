//! The one clock: CLOCK_MONOTONIC plus an offset taken once, so that it reads like µs since 1970 and never steps.
//!
//! Only this module reads the time that updates are stamped with. A client on the same machine (same `boot_id`) builds its
//! clock from the server's offset and shares the very same clock; others must estimate.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// A clock in µs since 1970 that never steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    offset_us: i64,
}

impl Clock {
    /// Takes the offset between wall clock and CLOCK_MONOTONIC, now and never again.
    pub fn start() -> Self {
        let wall = read_us(ClockId::CLOCK_REALTIME);
        Self {
            offset_us: wall - monotonic_us(),
        }
    }

    /// The clock of a server whose `/api/clock` gave this offset, on the same boot of the same machine.
    pub fn with_offset(offset_us: i64) -> Self {
        Self { offset_us }
    }

    /// What this clock adds to CLOCK_MONOTONIC, in µs.
    pub fn offset_us(&self) -> i64 {
        self.offset_us
    }

    /// µs since 1970.
    pub fn now_us(&self) -> u64 {
        u64::try_from(monotonic_us() + self.offset_us).unwrap_or(0)
    }

    /// How long until this clock reads `at_us`; zero when that is past.
    pub fn until(&self, at_us: u64) -> Duration {
        Duration::from_micros(at_us.saturating_sub(self.now_us()))
    }
}

fn monotonic_us() -> i64 {
    read_us(ClockId::CLOCK_MONOTONIC)
}

fn read_us(clock: ClockId) -> i64 {
    // Both clocks exist on every Linux; the call fails only for a clock that does not.
    let time = clock_gettime(clock).expect("CLOCK_MONOTONIC and CLOCK_REALTIME exist");
    time.tv_sec() * 1_000_000 + time.tv_nsec() / 1_000
}

/// The kernel's id of this boot, empty where there is none: equal ids mean CLOCK_MONOTONIC is shared.
pub fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_clocks_with_one_offset_agree() {
        let server = Clock::start();
        let client = Clock::with_offset(server.offset_us());
        let (before, between, after) = (server.now_us(), client.now_us(), server.now_us());
        assert!(before <= between && between <= after);
    }

    #[test]
    fn the_clock_reads_like_the_wall_clock_at_its_start() {
        let wall = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        let apart = Clock::start().now_us().abs_diff(wall.as_micros() as u64);
        assert!(apart < 1_000_000, "{apart} µs apart");
    }
}
