//! The machine: what it is (for the record) and what it allows (for the plan).

use std::fs::read_to_string;

use nix::sys::{
    resource::{Resource, getrlimit, setrlimit},
    utsname::uname,
};

use crate::record::{Environment, Tool};

/// Raises this process's descriptor limit to the hard one; the server it starts inherits it.
pub fn raise_descriptor_limit() {
    if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
        && soft < hard
    {
        // What cannot be raised stays as it is: the plan is checked against what is there.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
}

/// The machine as the record keeps it: no host name, no user, no path.
pub fn describe() -> Environment {
    let system = uname();
    let text = |part: &std::ffi::OsStr| part.to_string_lossy().into_owned();
    Environment {
        os: system
            .as_ref()
            .map_or_else(|_| std::env::consts::OS.into(), |system| text(system.sysname())),
        kernel: system
            .as_ref()
            .map_or_else(|_| String::new(), |system| text(system.release())),
        cpu_model: cpu_model(),
        cores: cores() as u32,
        memory_bytes: memory_bytes("MemTotal:").unwrap_or(0),
        descriptor_limit: getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(soft, _)| soft),
        ephemeral_ports: ephemeral_ports(),
        somaxconn: number("/proc/sys/net/core/somaxconn").unwrap_or(0),
    }
}

/// Cores this process may use.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Memory that programs can still get, in bytes.
pub fn available_memory_bytes() -> Option<u64> {
    memory_bytes("MemAvailable:")
}

fn memory_bytes(line: &str) -> Option<u64> {
    let info = read_to_string("/proc/meminfo").ok()?;
    let kib = info.lines().find_map(|one| one.strip_prefix(line))?;
    Some(kib.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

fn cpu_model() -> String {
    let info = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    model.map(|(_, model)| model.trim().to_owned()).unwrap_or_default()
}

/// Local ports that connections get, of one source address to one destination; 0 where the kernel does not say.
pub fn ephemeral_ports() -> u32 {
    let range = read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut ends = range.split_whitespace().filter_map(|end| end.parse::<u32>().ok());
    match (ends.next(), ends.next()) {
        (Some(first), Some(last)) => (last + 1).saturating_sub(first),
        _ => 0,
    }
}

fn number(path: &str) -> Option<u32> {
    read_to_string(path).ok()?.trim().parse().ok()
}

/// This program, as it was built.
pub fn tool() -> Tool {
    Tool {
        name: env!("CARGO_PKG_NAME").into(),
        version: env!("CARGO_PKG_VERSION").into(),
        revision: env!("BUILD_REVISION").into(),
        profile: if cfg!(debug_assertions) { "debug" } else { "release" }.into(),
        rustc: env!("BUILD_RUSTC").into(),
    }
}
