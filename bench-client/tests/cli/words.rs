//! What the program says of itself: lists, help, the plan.

use crate::lab::Lab;

#[test]
fn list_names_every_scenario_and_transport() {
    let said = Lab::new().run("list").with_code(0);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let scenarios: Vec<_> = std::fs::read_dir(folder)
        .expect("the scenarios lie beside the sources")
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    assert!(scenarios.iter().any(|name| name == "live-score"), "{scenarios:?}");
    let transports = ["short-poll", "long-poll", "sse", "websocket"].map(String::from);
    for name in scenarios.iter().chain(&transports) {
        let line = said
            .stdout
            .lines()
            .find_map(|line| line.trim().strip_prefix(name.as_str()));
        let words = line.unwrap_or_else(|| panic!("{name} is not listed: {said:#?}"));
        assert!(words.trim().len() > 20, "{name} is not described: {said:#?}");
    }
}

#[test]
fn every_command_and_every_flag_has_its_help() {
    let lab = Lab::new();
    let top = lab.run("--help").with_code(0);
    let commands: Vec<_> = top
        .stdout
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        // What is farther in goes on with the line above.
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|command| *command != "help")
        .collect();
    for command in [
        "run",
        "calibrate",
        "list",
        "verify",
        "report",
        "compare",
        "completions",
        "man",
        "serve",
    ] {
        assert!(commands.contains(&command), "{command} is not in {commands:?}");
    }
    for command in commands {
        let said = lab.run(&format!("{command} --help")).with_code(0);
        let lines: Vec<_> = said.stdout.lines().collect();
        for (line, next) in lines.iter().zip(lines.iter().skip(1).chain([&""])) {
            if line.trim_start().starts_with('-') && line.starts_with("  ") && !line.trim_start().starts_with("- ") {
                // Beside the flag, or below it.
                let beside = line.trim().split_once("  ").map(|(_, words)| words);
                let words = beside.unwrap_or(next).trim();
                assert!(
                    words.len() > 5 && !words.starts_with(['-', '[']),
                    "{command}: {} has no help",
                    line.trim()
                );
            }
        }
    }
}

#[test]
fn no_command_and_a_wrong_command_are_wrong_usage() {
    let lab = Lab::new();
    lab.run("").with_code(2).saying(&["Usage:", "verify"]);
    lab.run("rnu").with_code(2).saying(&["rnu"]);
    lab.run("--version").with_code(0);
}

#[test]
fn a_dry_run_shows_the_plan_and_leaves_nothing() {
    let lab = Lab::new();
    let said = lab
        .run("run smoke --clients 8 --rate 50 --repeats 2 --transport sse,websocket --out out --dry-run")
        .with_code(0);
    for words in [
        "8 clients",
        "50 updates/s",
        "sse websocket, websocket sse",
        "settle 0.5 s, measure 1.5 s",
        "requests/s",
        "descriptors per process",
    ] {
        assert!(said.stdout.contains(words), "{words:?} is missing: {said:#?}");
    }
    assert_eq!(std::fs::read_dir(lab.root()).unwrap().count(), 0, "a folder was made");
    // The default scenario with everything by default can be planned as well.
    lab.run("run --dry-run").with_code(0);
}
