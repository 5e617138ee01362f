//! Where the words go: stdout and stderr, with and without a terminal, closed, full; and files that cannot be written.

use std::{
    fs::OpenOptions,
    io::Write,
    process::{Command, Stdio},
};

use crate::{
    lab::{Lab, QUICK, Running},
    record::load,
};

#[test]
fn json_is_the_record_and_nothing_else_and_results_have_a_folder_by_default() {
    let lab = Lab::new();
    let said = lab.run(&format!("{QUICK} --transport sse --json")).with_code(0);
    let folders: Vec<_> = std::fs::read_dir(lab.path("results")).unwrap().flatten().collect();
    assert_eq!(folders.len(), 1);
    let folder = folders[0].path();
    let name = folders[0].file_name().into_string().unwrap();
    assert_eq!(
        said.stdout,
        std::fs::read_to_string(folder.join("run.json")).unwrap(),
        "stdout is run.json to the byte"
    );
    let record = load(&folder);
    assert_eq!(record["id"], name.as_str());
    assert!(name.ends_with("Z-smoke") && name.starts_with("20"), "{name}");
    assert!(folder.join("report.md").exists());
}

#[test]
fn without_a_terminal_there_are_plain_lines_and_no_escapes() {
    let said = Lab::new()
        .run(&format!("{QUICK} --transport sse,websocket --out out"))
        .with_code(0);
    for text in [&said.stdout, &said.stderr] {
        assert!(!text.contains(['\x1b', '\r']), "{said:#?}");
    }
    let lines: Vec<_> = said.stderr.lines().collect();
    assert!(lines[0].starts_with("smoke: 8 clients"), "{said:#?}");
    assert_eq!(
        lines[1..],
        ["[1/2] sse, repeat 1 of 1", "[2/2] websocket, repeat 1 of 1"]
    );
}

#[test]
fn colours_are_for_terminals_unless_no_color_is_set() {
    let lab = Lab::new();
    let Some(colored) = on_a_terminal(&lab, "", &format!("{QUICK} --transport sse --out out")) else {
        return;
    };
    assert!(
        is_colored(&colored) && colored.contains("\x1b[1msmoke"),
        "the title is bold: {colored:?}"
    );
    for arguments in ["report out", &format!("{QUICK} --transport sse --out again")] {
        let plain = on_a_terminal(&lab, "NO_COLOR=1", arguments).expect("there was one just now");
        assert!(plain.contains("Server-Sent Events"), "{plain:?}");
        assert!(!is_colored(&plain), "{plain:?}");
    }
}

/// What the program writes to a terminal of 100 columns; None where there is no `script` to make one.
fn on_a_terminal(lab: &Lab, environment: &str, arguments: &str) -> Option<String> {
    let program = env!("CARGO_BIN_EXE_bench-client");
    let line = format!("stty cols 100 rows 30; exec env TERM=xterm {environment} '{program}' {arguments}");
    let mut command = Command::new("script");
    command.args(["-qec", &line, "/dev/null"]).current_dir(lab.root());
    command.env_remove("NO_COLOR");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    match command.output() {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{text:?}");
            Some(text)
        }
        Err(error) => {
            // Not by a print macro: their words are kept back while tests pass.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED: colours on a terminal; `script`, which makes one: {error}"
            );
            None
        }
    }
}

/// Whether there is any bold, dim or colour; moving the cursor is no colour.
fn is_colored(text: &str) -> bool {
    text.split("\x1b[").skip(1).any(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != ';');
        end.is_some_and(|end| rest[end..].starts_with('m') && !matches!(&rest[..end], "" | "0"))
    })
}

#[test]
fn a_reader_that_has_left_is_no_failure() {
    let lab = Lab::new();
    for arguments in ["list", "--help", "run smoke --dry-run"] {
        let mut command = lab.command(arguments);
        command.stdout(closed_pipe());
        Running::start(command).ended().with_code(0);
    }
    let mut command = lab.command(&format!("{QUICK} --transport sse --out out"));
    command.stdout(closed_pipe());
    Running::start(command).ended().with_code(0);
    assert_eq!(load(&lab.path("out"))["status"], "finished");
}

#[test]
fn nobody_reading_progress_is_no_failure() {
    let lab = Lab::new();
    let mut command = lab.command(&format!("{QUICK} --transport sse --out out"));
    command.stderr(closed_pipe());
    let said = Running::start(command).ended().with_code(0);
    assert!(said.stdout.contains("Server-Sent Events"), "{said:#?}");
    assert_eq!(load(&lab.path("out"))["status"], "finished");
}

/// The writing end of a pipe whose reader is gone, as after `| head -1`.
fn closed_pipe() -> std::io::PipeWriter {
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    drop(reader);
    writer
}

#[test]
fn a_full_disk_takes_the_files_and_not_the_figures() {
    let lab = Lab::new();
    // No file may grow beyond 4 or 8 KiB (the shell's block decides): too little for the record, as on a full disk.
    let command = lab.behind("ulimit -f 8", &format!("{QUICK} --transport sse,websocket --out out"));
    let said = Running::start(command).ended().with_code(1).saying(&[
        "[2/2] websocket",
        "not saved: could not write out/",
        "error: the results could not be saved",
        "--out",
        "File too large",
    ]);
    for label in ["Server-Sent Events", "WebSocket"] {
        assert!(said.stdout.contains(label), "the table is printed: {said:#?}");
    }
    assert!(!said.stdout.contains("report:"), "there is none: {said:#?}");
}

#[test]
fn a_stdout_that_cannot_be_written_is_said() {
    let lab = Lab::new();
    let mut command = lab.command("list");
    command.stdout(OpenOptions::new().write(true).open("/dev/full").expect("Linux has it"));
    Running::start(command)
        .ended()
        .with_code(1)
        .saying(&["stdout cannot be written", "No space left"]);
}
