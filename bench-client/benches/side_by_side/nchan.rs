//! Nchan: nginx as a child, with a configuration of its own in a temporary folder, and a thread that publishes to it.
//!
//! ```text
//! sh (keeper) -> nginx master -> one worker        the keeper's stdin ends when this process ends, however: then it stops nginx
//! publisher.rs -> POST /pub?topic=match-1 -> channel match-1 -> /feed/websocket, /feed/sse, /feed/long-poll
//! ```

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use server::clock::Clock;

use super::{publisher::Publisher, servers::TOPIC};

/// What is left out when Nchan is not there, and why.
pub const MISSING: &str =
    "Nchan is not installed, so its rows are left out. On Debian: apt-get install nginx-light libnginx-mod-nchan";
const BINARIES: [&str; 3] = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"];
const MODULES: [&str; 2] = ["/usr/lib/nginx/modules", "/usr/lib64/nginx/modules"];
const MODULE: &str = "ngx_nchan_module.so";
const START_TIMEOUT: Duration = Duration::from_secs(5);
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// Descriptors beside those of the clients.
const SPARE: usize = 256;

/// Starts what follows it and says its pid; ends it when stdin ends. nginx gets no signal of the terminal: the keeper has a group of its own.
const KEEPER: &str = r#""$@" & echo $!; read -r _; kill -TERM $!; wait $!"#;

/// A running nginx.
pub struct Nchan {
    pub address: SocketAddr,
    pub clock: Clock,
    /// Master and worker.
    pub pids: Vec<u32>,
    update_bytes: u32,
    publisher: Option<Publisher>,
    keeper: Child,
}

/// nginx and the module, where they are installed.
pub fn installed() -> Option<(PathBuf, PathBuf)> {
    let binary = BINARIES.iter().map(Path::new).find(|path| path.exists())?;
    let module = MODULES.iter().map(|folder| Path::new(folder).join(MODULE));
    Some((binary.to_owned(), module.into_iter().find(|path| path.exists())?))
}

/// Versions in words, as far as they can be told.
pub fn versions() -> Option<String> {
    let (binary, _) = installed()?;
    let output = Command::new(binary).arg("-v").output().ok()?;
    let nginx = String::from_utf8_lossy(&output.stderr)
        .trim()
        .replace("nginx version: ", "");
    let query = ["-W", "-f", "${Version}", "libnginx-mod-nchan"];
    let package = Command::new("dpkg-query").args(query).output().ok();
    let package = package.filter(|output| output.status.success());
    let module = package.map_or("of unknown version".into(), |output| {
        String::from_utf8_lossy(&output.stdout).into_owned()
    });
    Some(format!("{nginx}, Nchan {module}"))
}

impl Nchan {
    pub fn start(clients: usize, update_bytes: u32) -> anyhow::Result<Self> {
        let (binary, module) = installed().context(MISSING)?;
        let folder = tempfile::tempdir().context("no temporary folder")?;
        // nginx takes no port 0: one that was free a moment ago is asked for.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let file = folder.path().join("nginx.conf");
        fs::write(&file, configuration(&module, folder.path(), address, clients))?;
        let words = fs::File::create(folder.path().join("words"))?;
        let mut command = Command::new("sh");
        command.args(["-c", KEEPER, "keeper"]).arg(binary).arg("-c").arg(&file);
        command.args(["-e", "stderr", "-p"]).arg(folder.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(words);
        let mut keeper = command.process_group(0).spawn().context("sh could not be started")?;
        let stdout = keeper.stdout.take().context("sh has no stdout")?;
        let mut nchan = Self {
            address,
            clock: Clock::start(),
            pids: Vec::new(),
            update_bytes,
            publisher: None,
            keeper,
        };
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let master: u32 = line.trim().parse().context("sh said no pid")?;
        let deadline = Instant::now() + START_TIMEOUT;
        while nchan.pids.len() != 2 || TcpStream::connect_timeout(&address, START_TIMEOUT).is_err() {
            if Instant::now() > deadline {
                let words = fs::read_to_string(folder.path().join("words")).unwrap_or_default();
                bail!("nginx did not listen in time; it said: {}", words.trim());
            }
            std::thread::sleep(Duration::from_millis(20));
            nchan.pids = std::iter::once(master).chain(children(master)).collect();
        }
        // All of it has been read, and what is never written to disk needs no folder: one that is killed leaves none behind either.
        drop(folder);
        Ok(nchan)
    }

    /// Publishes from then on, until it is dropped.
    pub fn publish(&mut self, first_us: u64, rate_hz: f64) -> anyhow::Result<()> {
        self.publisher = Some(Publisher::start(
            self.address,
            self.clock,
            first_us,
            rate_hz,
            self.update_bytes,
        )?);
        Ok(())
    }

    /// See [`super::servers::Server::published`].
    pub fn published(&self, from_us: u64, to_us: u64) -> anyhow::Result<Option<Vec<(u32, u64)>>> {
        let publisher = self.publisher.as_ref().context("nobody publishes")?;
        publisher.published(from_us, to_us)
    }
}

impl Drop for Nchan {
    fn drop(&mut self) {
        self.publisher = None;
        // The keeper's stdin: it stops nginx, waits for it, and ends.
        drop(self.keeper.stdin.take());
        let deadline = Instant::now() + STOP_TIMEOUT;
        while Instant::now() < deadline {
            if !matches!(self.keeper.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        // nginx does not end: its group goes, the keeper with it.
        use nix::{sys::signal, unistd::Pid};
        let _ = signal::killpg(Pid::from_raw(self.keeper.id() as i32), signal::Signal::SIGKILL);
        let _ = self.keeper.wait();
    }
}

/// Processes whose parent is this one.
fn children(parent: u32) -> Vec<u32> {
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let parent_of = |pid: &u32| -> Option<u32> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    };
    pids.filter(|pid| parent_of(pid) == Some(parent)).collect()
}

/// One worker, no access log, and a buffer that a slow client does not outlive; besides that, Nchan as it comes.
fn configuration(module: &Path, folder: &Path, address: SocketAddr, clients: usize) -> String {
    let (module, folder, descriptors) = (module.display(), folder.display(), clients + SPARE);
    let location = |id: &str, kind: &str| {
        format!(
            "    location = /feed/{id} {{ nchan_subscriber {kind}; nchan_channel_id $arg_topic; \
             nchan_subscriber_first_message newest; }}\n"
        )
    };
    let locations = [
        ("websocket", "websocket"),
        ("sse", "eventsource"),
        ("long-poll", "longpoll"),
    ];
    let locations: String = locations.map(|(id, kind)| location(id, kind)).concat();
    format!(
        "load_module {module};
daemon off; worker_processes 1; worker_rlimit_nofile {descriptors}; pid {folder}/pid; error_log stderr warn;
events {{ worker_connections {descriptors}; }}
http {{
  access_log off; tcp_nodelay on; keepalive_requests 1000000000; keepalive_timeout 1h; client_header_timeout 1h;
  client_max_body_size 1m; client_body_buffer_size 1m;
  client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3; uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
  nchan_message_buffer_length 2000; nchan_message_timeout 10m; nchan_shared_memory_size 256M;
  server {{
    listen {address} backlog=4096;
    location = /pub {{ nchan_publisher http; nchan_channel_id $arg_topic; }}
{locations}  }}
}}
# The channel is {TOPIC}.
"
    )
}
