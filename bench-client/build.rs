//! Notes what was built: revision and compiler, for the record of every run.

use std::process::Command;

fn main() {
    let revision = output("git", &["rev-parse", "--short=12", "HEAD"]).unwrap_or_default();
    let changed =
        output("git", &["status", "--porcelain", "--untracked-files=no"]).is_some_and(|files| !files.is_empty());
    let rustc = output(
        &std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into()),
        &["--version"],
    )
    .unwrap_or_default();
    println!(
        "cargo::rustc-env=BUILD_REVISION={revision}{}",
        if changed { "+" } else { "" }
    );
    println!("cargo::rustc-env=BUILD_RUSTC={rustc}");
    println!("cargo::rerun-if-changed=../.git/HEAD");
    println!("cargo::rerun-if-changed=../.git/index");
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=../server/src");
}

/// What a command prints; None when it cannot be run or fails.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
