//! `report DIR --splice FILE`: a run's table in other documents, and metrics.txt as others read it.

use std::{
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use crate::lab::Lab;

/// The curated run's record, in a folder of this lab.
fn curated(lab: &Lab) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/curated/run.json");
    std::fs::create_dir(lab.path("mine")).unwrap();
    std::fs::copy(path, lab.path("mine/run.json")).unwrap();
}

const MARKED: &str = "# Mine\r\n\r\n<!-- bench-client:table -->\r\nold\r\n<!-- /bench-client:table -->\r\nend";

#[test]
fn the_region_is_renewed_once_and_the_file_keeps_its_permissions() {
    let lab = Lab::new();
    curated(&lab);
    lab.write("doc.md", MARKED);
    let mode = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(lab.path("doc.md"), mode).unwrap();
    let said = lab.run("report mine --splice doc.md").with_code(0);
    assert!(said.stdout.ends_with("doc.md: renewed\n"), "{said:#?}");
    let once = lab.read("doc.md");
    for words in [
        "# Mine\r\n\r\n<!-- bench-client:table -->\r\n```sh\r\ncargo run --release -- run live-score",
        "```text\r\nlive-score: ",
        "\r\n<!-- /bench-client:table -->\r\nend",
        "Measured on 2026-",
        "Exit code 0: fine",
    ] {
        assert!(once.contains(words), "{words:?}: {once}");
    }
    let mode = std::fs::metadata(lab.path("doc.md")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o640);
    let said = lab.run("report mine/run.json --splice doc.md").with_code(0);
    assert!(said.stdout.ends_with("doc.md: up to date\n"), "{said:#?}");
    assert_eq!(lab.read("doc.md"), once);
}

#[test]
fn a_wrong_marker_leaves_every_file_as_it_was() {
    let lab = Lab::new();
    curated(&lab);
    lab.write("good.md", MARKED);
    lab.write("bad.md", "<!-- bench-client:table -->\n");
    lab.run("report mine --splice good.md --splice bad.md")
        .with_code(2)
        .saying(&["--splice bad.md", "line 1", "has no end"]);
    assert_eq!(lab.read("good.md"), MARKED);
    assert!(!lab.path("mine/report.md").exists(), "nothing was written at all");
    lab.run("report mine --splice not-there.md")
        .with_code(2)
        .saying(&["not-there.md"]);
    lab.run("report mine --splice good.md --region x")
        .with_code(2)
        .saying(&["no region is named \"x\""]);
    lab.run("report mine --region x").with_code(2).saying(&["--splice"]);
}

/// An interpreter with PyPI's `prometheus_client`; LAB_PYTHON names another one than test.sh's.
fn python() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../venv/bin/python3");
    let named = std::env::var_os("LAB_PYTHON").map(PathBuf::from);
    let mut candidates = named.into_iter().chain([own, "python3".into()]);
    candidates.find(|python| {
        let asked = Command::new(python).args(["-c", "import prometheus_client"]).output();
        asked.is_ok_and(|asked| asked.status.success())
    })
}

#[test]
fn prometheus_own_parser_reads_the_same_metrics() {
    const SCRIPT: &str = "import sys, csv\n\
        from prometheus_client.openmetrics.parser import text_string_to_metric_families as read\n\
        found = {}\n\
        for family in read(open(sys.argv[1]).read()):\n\
        \x20   assert family.type == 'gauge' and family.documentation, family\n\
        \x20   for sample in family.samples:\n\
        \x20       key = (sample.labels['transport'], sample.labels['repeat'])\n\
        \x20       found.setdefault(key, {})[sample.name] = sample.value\n\
        count = 0\n\
        for row in csv.DictReader(open(sys.argv[2])):\n\
        \x20   metrics = found[(row['transport'], row['repeat'])]\n\
        \x20   for name, cell in row.items():\n\
        \x20       try: value = float(cell)\n\
        \x20       except ValueError: continue\n\
        \x20       if name == 'repeat': continue\n\
        \x20       assert metrics['bench_client_' + name] == value, (name, cell)\n\
        \x20       count += 1\n\
        print(count)\n";
    let Some(python) = python() else {
        let words =
            "metrics.txt by another parser: no Python with the package prometheus_client (./test.sh installs it)";
        let _ = writeln!(std::io::stderr(), "SKIPPED: {words}");
        return;
    };
    let lab = Lab::new();
    curated(&lab);
    lab.run("report mine").with_code(0);
    let mut command = Command::new(python);
    command.args(["-c", SCRIPT, "mine/metrics.txt", "mine/summary.csv"]);
    let output = command.current_dir(lab.root()).output().expect("it ran before");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let count: usize = String::from_utf8_lossy(&output.stdout).trim().parse().expect("a count");
    assert!(count > 500, "{count} figures in both");
}
