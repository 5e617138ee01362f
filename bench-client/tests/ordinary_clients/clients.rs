//! The table of clients: what each is, how it is started, and what it needs to be there.

use std::{
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
};

use bench_client::transports::{self, ClientTransport};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStdin, Command},
    task::JoinHandle,
};

use crate::{
    cutter::{Cuts, Cutter},
    heard::{Heard, Notebook},
    ours,
};

/// How the bytes of a client are cut, connection by connection: within the first events, and later on.
const STREAM_CUTS: Cuts = Cuts {
    after_bytes: &[Some(3_001), Some(5_678)],
    behind_a_line: true,
};
/// For a reader that takes the line of an id for the end of its event: cut between that line and the empty one behind it, it
/// would resume behind an update that it never handed out. Nothing a server does helps against that.
const CUTS_WITHIN_LINES: Cuts = Cuts {
    behind_a_line: false,
    ..STREAM_CUTS
};
/// A new connection for every poll: within a head, within an answer.
const POLL_CUTS: Cuts = Cuts {
    after_bytes: &[None, Some(40), None, None, Some(300), None, Some(1)],
    behind_a_line: true,
};

/// A client that others wrote.
pub struct Ordinary {
    pub name: &'static str,
    pub runs: Runs,
    script: &'static str,
    /// What the script is asked to do besides, if it does several things.
    what: &'static [&'static str],
    pub transport: &'static str,
    cuts: Cuts,
}

/// What starts a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    Node,
    Python,
    Curl,
}

macro_rules! client {
    ($name:literal, $runs:ident, $script:literal $($what:literal)?, $transport:literal, $cuts:ident) => {
        Ordinary {
            name: $name,
            runs: Runs::$runs,
            script: $script,
            what: &[$($what)?],
            transport: $transport,
            cuts: $cuts,
        }
    };
}

#[rustfmt::skip]
pub const ORDINARY: [Ordinary; 10] = [
    client!("eventsource", Node, "eventsource.mjs", "sse", STREAM_CUTS),
    client!("@microsoft/fetch-event-source", Node, "fetch_event_source.mjs", "sse", CUTS_WITHIN_LINES),
    client!("ws", Node, "ws.mjs", "websocket", STREAM_CUTS),
    client!("websockets", Python, "websockets_client.py", "websocket", STREAM_CUTS),
    client!("aiohttp", Python, "aiohttp_client.py", "websocket", STREAM_CUTS),
    client!("httpx-sse", Python, "httpx_sse_client.py", "sse", STREAM_CUTS),
    client!("curl -N", Curl, "curl_client.py" "sse", "sse", STREAM_CUTS),
    client!("curl -N --http2-prior-knowledge", Curl, "curl_client.py" "sse-h2c", "sse", STREAM_CUTS),
    client!("curl, long polls", Curl, "curl_client.py" "long-poll", "long-poll", POLL_CUTS),
    client!("curl, short polls", Curl, "curl_client.py" "short-poll", "short-poll", POLL_CUTS),
];

/// A client that runs, and the path it runs over.
pub struct Client {
    pub name: String,
    pub transport: &'static str,
    pub notebook: Arc<Notebook>,
    pub cutter: Cutter,
    life: Life,
}

enum Life {
    Ours(JoinHandle<()>),
    /// Its stdin, whose end is its own.
    Script(Box<Child>, Option<ChildStdin>),
}

impl Client {
    pub async fn ours(row: &'static ClientTransport, server: SocketAddr, topics: &[String]) -> Self {
        let notebook = Arc::<Notebook>::default();
        let cutter = Cutter::start(row.id, server, STREAM_CUTS).await;
        let task = ours::follow(row, cutter.address, topics, notebook.clone());
        Self {
            name: format!("our {}", row.id),
            transport: row.id,
            notebook,
            cutter,
            life: Life::Ours(task),
        }
    }

    pub async fn ordinary(row: &Ordinary, installed: &Installed, server: SocketAddr) -> Self {
        let notebook = Arc::<Notebook>::default();
        let cutter = Cutter::start(row.name, server, row.cuts).await;
        let mut command = installed.command(row);
        command.arg(cutter.url()).args(row.what);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", row.name));
        let stdin = child.stdin.take();
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let noting = notebook.clone();
        // Ends with the script.
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                noting.note(Heard::read(&line));
            }
        });
        Self {
            name: row.name.to_owned(),
            transport: row.transport,
            notebook,
            cutter,
            life: Life::Script(Box::new(child), stdin),
        }
    }

    /// Ends it; a script that has failed meanwhile fails the test.
    pub async fn stop(self) -> Vec<Heard> {
        match self.life {
            Life::Ours(task) => task.abort(),
            Life::Script(mut child, stdin) => {
                drop(stdin);
                let status = crate::support::soon(&self.name, child.wait()).await;
                let status = status.expect("a child can be waited for");
                assert!(status.success(), "{}: {status}", self.name);
            }
        }
        self.notebook.all()
    }
}

/// Our rows: every transport there is.
pub fn ours() -> impl Iterator<Item = &'static ClientTransport> {
    transports::ALL.iter()
}

/// What there is to run scripts with.
pub struct Installed {
    /// Folder of the npm packages.
    npm: Option<PathBuf>,
    /// Interpreter that has the packages from PyPI.
    python: Option<PathBuf>,
    /// Interpreter for the script around curl, where there is a curl that speaks HTTP/2.
    curl: Option<PathBuf>,
}

impl Installed {
    pub fn look() -> Self {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("..");
        let npm = target.join("npm");
        let require = "require('ws');require('eventsource');require('@microsoft/fetch-event-source')";
        // Modules are looked up from the working folder.
        let has_npm = npm.is_dir() && output("node", &["-e", require], &npm).is_some();
        let own = target.join("venv/bin/python3");
        let named = std::env::var_os("LAB_PYTHON").map(PathBuf::from);
        let python = [named, Some(own.clone())].into_iter().flatten().find(|python| {
            let import = "import websockets, aiohttp, httpx, httpx_sse";
            output(python, &["-c", import], &target).is_some()
        });
        let http2 = output("curl", &["--version"], &target).is_some_and(|version| version.contains("HTTP2"));
        let any = [own, "python3".into()]
            .into_iter()
            .find(|python| output(python, &["-V"], &target).is_some());
        Self {
            npm: has_npm.then_some(npm),
            python,
            curl: any.filter(|_| http2),
        }
    }

    /// Says aloud what can't be tried, past the test runner, which keeps what a test that passes prints; test.sh repeats it at its end.
    pub fn has(&self, row: &Ordinary) -> bool {
        let (there, needs) = match row.runs {
            Runs::Node => (
                self.npm.is_some(),
                "node with the packages of package.json in target/npm",
            ),
            Runs::Python => (self.python.is_some(), "a Python with the packages of requirements.txt"),
            Runs::Curl => (self.curl.is_some(), "a curl that speaks HTTP/2, and python3"),
        };
        if !there {
            let line = format!(
                "\nSKIPPED: ordinary client {}: it takes {needs} (./test.sh installs it)",
                row.name
            );
            writeln!(std::io::stdout(), "{line}").expect("stdout can be written");
        }
        there
    }

    fn command(&self, row: &Ordinary) -> Command {
        let script = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/ordinary_clients/clients")
            .join(row.script);
        let program = match row.runs {
            Runs::Node => Some(Path::new("node")),
            Runs::Python => self.python.as_deref(),
            Runs::Curl => self.curl.as_deref(),
        };
        let mut command = Command::new(program.expect("looked for before"));
        if row.runs != Runs::Node {
            // Nothing is written into the source tree.
            command.arg("-B");
        }
        if let Some(npm) = &self.npm {
            command.env("LAB_NPM", npm);
        }
        command.arg(script);
        command
    }
}

/// What a program prints, if it is there and succeeds.
fn output(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str], folder: &Path) -> Option<String> {
    let ran = std::process::Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output()
        .ok()?;
    ran.status
        .success()
        .then(|| String::from_utf8_lossy(&ran.stdout).into_owned())
}
