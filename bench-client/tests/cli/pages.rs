//! Completion scripts and manual pages, read by the programs they are for.

use std::{io::Write, process::Command};

use crate::lab::Lab;

const SHELLS: [&str; 5] = ["bash", "zsh", "fish", "elvish", "powershell"];

/// A test that lacks its program, in a line that is not kept back while tests pass.
fn skipped(what: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}");
}

#[test]
fn every_shell_has_a_script_that_knows_scenarios_and_transports() {
    let lab = Lab::new();
    for shell in SHELLS {
        let said = lab.run(&format!("completions {shell}")).with_code(0);
        // The last two complete flags alone.
        let words = match shell {
            "elvish" | "powershell" => ["until-settled", "splice", "poll-interval"],
            _ => ["until-settled", "live-score", "websocket"],
        };
        for word in words {
            assert!(said.stdout.contains(word), "{shell} lacks {word}: {said:#?}");
        }
    }
    lab.run("completions tcsh").with_code(2).saying(&["tcsh", "bash"]);
}

/// What bash offers for a line whose last word is being typed.
fn offered(lab: &Lab, words: &[&str]) -> Vec<String> {
    let list: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let script = format!(
        "source <(\"$0\" completions bash) || exit 9; complete -p bench-client >&2 || exit 8\n\
         COMP_WORDS=({}); COMP_CWORD={}\n\
         compopt() {{ :; }}\n\
         _bench__client bench-client \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        list.join(" "),
        words.len() - 1
    );
    let mut command = Command::new("bash");
    command
        .args(["-c", &script, env!("CARGO_BIN_EXE_bench-client")])
        .current_dir(lab.root());
    let output = command.output().expect("test.sh itself is run by bash");
    assert!(output.status.success(), "{output:?}");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("-F _bench__client bench-client"),
        "{output:?}"
    );
    let said = String::from_utf8_lossy(&output.stdout);
    said.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_scenarios_transports_and_files() {
    let lab = Lab::new();
    assert_eq!(offered(&lab, &["bench-client", "cali"]), ["calibrate"]);
    assert_eq!(offered(&lab, &["bench-client", "run", "live-s"]), ["live-score"]);
    assert_eq!(
        offered(&lab, &["bench-client", "run", "--transport", "web"]),
        ["websocket"]
    );
    assert_eq!(offered(&lab, &["bench-client", "run", "--mode", "l"]), ["latest"]);
    lab.write("NOTES.md", "");
    assert_eq!(
        offered(&lab, &["bench-client", "report", "a", "--splice", "NO"]),
        ["NOTES.md"]
    );
    // Suggested, and nothing more: a file is a scenario as well, and a wrong word is answered with the nearest.
    lab.run("run ../smoke.toml --dry-run").with_code(0);
    lab.run("run smok --dry-run")
        .with_code(2)
        .saying(&["did you mean smoke?"]);
    let wrong = lab.run("run smoke --transport webscoket --dry-run").with_code(2);
    wrong.saying(&["did you mean websocket?"]);
}

#[test]
fn manual_pages_are_there_for_every_command_and_groff_finds_nothing_wrong() {
    let lab = Lab::new();
    let said = lab.run("man").with_code(0);
    assert!(
        said.stdout.starts_with(".ie") || said.stdout.contains(".TH bench-client 1"),
        "{said:#?}"
    );
    assert!(said.stdout.contains(".SH \"EXIT STATUS\""), "{said:#?}");
    lab.run("man --out pages/man1").with_code(0);
    for page in [
        "bench-client",
        "bench-client-run",
        "bench-client-report",
        "bench-client-serve",
    ] {
        assert!(lab.path(&format!("pages/man1/{page}.1")).exists(), "{page}");
    }
    assert_eq!(lab.read("pages/man1/bench-client.1"), said.stdout);
    for entry in std::fs::read_dir(lab.path("pages/man1")).unwrap() {
        let path = entry.unwrap().path();
        let output = match Command::new("groff")
            .args(["-man", "-ww", "-Tutf8", "-Kutf8", "-P-c", "-P-b", "-P-u"])
            .arg(&path)
            .output()
        {
            Ok(output) => output,
            Err(error) => return skipped(&format!("manual pages by groff: {error}")),
        };
        let complaints = String::from_utf8_lossy(&output.stderr);
        if complaints.contains("preconv") || complaints.contains("macro file") {
            return skipped(&format!(
                "manual pages by groff, which is not whole here: {}",
                complaints.trim()
            ));
        }
        assert!(
            output.status.success() && complaints.is_empty(),
            "{}: {complaints}",
            path.display()
        );
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("SYNOPSIS"), "{}: {text}", path.display());
    }
}
