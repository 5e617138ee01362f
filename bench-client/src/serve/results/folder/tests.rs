//! A folder that holds everything a folder may hold.

use std::os::unix::ffi::OsStringExt;

use serde_json::Value;

use super::*;
use crate::{
    record::RunStatus,
    report::fixture,
    run::underway::{self, Underway},
};

struct Place {
    dir: tempfile::TempDir,
    folder: Folder,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::new(dir.path().join("results"));
        fs::create_dir(dir.path().join("results")).unwrap();
        Self { dir, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("results").join(name)
    }

    fn run(&self, name: &str, started: &str, status: RunStatus) {
        let mut record = fixture::record();
        (record.started_utc, record.status) = (started.to_owned(), status);
        self.text(name, &serde_json::to_string(&record).unwrap());
    }

    fn text(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name)).unwrap();
        fs::write(self.path(name).join("run.json"), text).unwrap();
    }

    fn listed(&self) -> Vec<Value> {
        let answer: Value = serde_json::from_slice(&self.folder.list().unwrap()).unwrap();
        assert_eq!(answer["folder"], "results", "no absolute path");
        answer["runs"].as_array().unwrap().clone()
    }

    fn one(&self, id: &str) -> Value {
        let found = self.listed().into_iter().find(|run| run["id"] == id);
        found.unwrap_or_else(|| panic!("{id} is not listed"))
    }
}

#[test]
fn runs_are_listed_the_newest_first_and_nothing_else() {
    let place = Place::new();
    place.run("b", "2026-03-02T00:00:00Z", RunStatus::Finished);
    place.run(
        "<img src=x onerror=alert(1)> .. %2F",
        "2026-03-03T00:00:00Z",
        RunStatus::Failed,
    );
    place.run("a", "2026-03-01T00:00:00Z", RunStatus::Interrupted);
    fs::create_dir(place.path("calibration")).unwrap();
    fs::write(place.path("notes.txt"), "x").unwrap();
    fs::create_dir(place.dir.path().join("elsewhere")).unwrap();
    fs::copy(place.path("a/run.json"), place.dir.path().join("elsewhere/run.json")).unwrap();
    std::os::unix::fs::symlink(place.dir.path().join("elsewhere"), place.path("linked")).unwrap();
    fs::create_dir(place.path("inner")).unwrap();
    std::os::unix::fs::symlink(
        place.dir.path().join("elsewhere/run.json"),
        place.path("inner/run.json"),
    )
    .unwrap();

    let runs = place.listed();
    let ids: Vec<&str> = runs.iter().filter_map(|run| run["id"].as_str()).collect();
    assert_eq!(ids, ["<img src=x onerror=alert(1)> .. %2F", "b", "a"]);
    let run = &runs[1];
    for (field, value) in [
        ("status", Value::from("finished")),
        ("verdict", "FAILED".into()),
        ("clients", 1_000.into()),
        ("rows_done", 8.into()),
        ("rows_planned", 8.into()),
        ("rows_failed", 1.into()),
        ("killed", false.into()),
        ("error", Value::Null),
    ] {
        assert_eq!(run[field], value, "{field}: {run:#}");
    }
    assert_eq!(run["labels"][1], "Long polling");
    for name in [
        "",
        ".",
        "..",
        "linked",
        "inner",
        "../elsewhere",
        "b/../a",
        "results/b",
        "/etc",
        "c",
    ] {
        assert!(matches!(place.folder.find(name), Err(Refusal::NotFound(_))), "{name}");
    }
}

#[test]
fn what_cannot_be_read_is_an_entry_with_words() {
    let place = Place::new();
    place.text("broken", "{\"schema_version\": 3, \"id\": ");
    place.text("foreign", "{\"name\": \"something else\"}");
    place.text("newer", "{\"schema_version\": 4000}");
    place.text("huge", "");
    let huge = File::options().write(true).open(place.path("huge/run.json")).unwrap();
    huge.set_len(RECORD_MAX_BYTES + 1).unwrap();
    fs::create_dir_all(place.path("folder/run.json")).unwrap();
    fs::create_dir(place.path("pipe")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(place.path("pipe/run.json"))
        .status();
    assert!(made.unwrap().success());
    place.run("overlay", "2026-03-01T00:00:00Z", RunStatus::Finished);
    for (id, words) in [
        ("broken", "broken/run.json is not a run this version can read"),
        ("foreign", "schema_version"),
        (
            "newer",
            "newer/run.json has schema version 4000, this program knows up to",
        ),
        ("huge", "bytes, 268435456 are the most"),
        ("folder", "it is no plain file"),
        ("pipe", "it is no plain file"),
        ("overlay", "has no address"),
    ] {
        let entry = place.one(id);
        let error = entry["error"].as_str().unwrap_or_else(|| panic!("{entry:#}"));
        assert!(error.contains(words), "{id}: {error}");
        assert!(!error.contains(place.dir.path().to_str().unwrap()), "{error}");
        let refusal = place.folder.find(id).unwrap().record().unwrap_err();
        assert!(matches!(refusal, Refusal::Broken(_)), "{refusal:?}");
    }
    let not_utf8 = OsString::from_vec(b"a\xffb".to_vec());
    fs::create_dir(place.dir.path().join("results").join(&not_utf8)).unwrap();
    let path = place.dir.path().join("results").join(&not_utf8).join("run.json");
    fs::copy(place.path("overlay/run.json"), path).unwrap();
    assert!(place.one("a\u{fffd}b")["error"].as_str().unwrap().contains("UTF-8"));
}

#[test]
fn a_folder_that_is_not_there_is_empty_and_one_that_goes_is_gone() {
    let place = Place::new();
    place.run("a", "2026-03-01T00:00:00Z", RunStatus::Finished);
    let listed = place.folder.find("a").unwrap();
    fs::remove_dir_all(place.path("a")).unwrap();
    assert!(matches!(listed.record(), Err(Refusal::Broken(_))));
    assert_eq!(place.listed().len(), 0);
    fs::remove_dir(place.path("")).unwrap();
    assert_eq!(place.listed().len(), 0);
}

#[test]
fn a_record_is_read_once_until_it_is_another() {
    let place = Place::new();
    place.run("a", "2026-03-01T00:00:00Z", RunStatus::Finished);
    let outline = || place.folder.scan().unwrap().0[0].outline.clone();
    let first = outline();
    assert!(Arc::ptr_eq(&first, &outline()));
    let version = place.folder.find("a").unwrap().version();
    // As a run saves it: another file under the same name.
    fs::rename(place.path("a/run.json"), place.path("a/old")).unwrap();
    place.run("a", "2026-03-01T00:00:00Z", RunStatus::Failed);
    assert!(!Arc::ptr_eq(&first, &outline()));
    assert_ne!(place.folder.find("a").unwrap().version(), version);
    assert_eq!(place.one("a")["status"], "failed");
}

#[test]
fn a_run_under_way_says_what_it_measures_and_a_killed_one_does_not_run() {
    let place = Place::new();
    place.run("a", "2026-03-01T00:00:00Z", RunStatus::Running);
    let killed = place.one("a");
    assert_eq!(
        (&killed["status"], &killed["killed"]),
        (&"interrupted".into(), &true.into())
    );

    let underway = Underway::begin(&place.path("a"));
    let before = place.folder.find("a").unwrap();
    assert_eq!(place.one("a")["status"], "running");
    assert!(before.progress().unwrap().now.is_none());
    underway.handle().phase("sse", 2, "measure");
    let now = std::iter::repeat_with(|| place.one("a")["now"].clone());
    let now = now.into_iter().find(|now| !now.is_null()).expect("it is repeated");
    assert_eq!(
        (&now["label"], &now["repeat"]),
        (&"Server-Sent Events".into(), &2.into())
    );
    assert_eq!((&now["phase"], &now["planned_s"]), (&"measure".into(), &10.0.into()));
    let after = place.folder.find("a").unwrap();
    assert_eq!(after.version(), before.version(), "nothing need be drawn again");
    assert_ne!(after.version_now(), before.version_now());

    // Left behind by a process that is no more.
    let path = place.path("a").join(underway::FILE);
    let mut note: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    drop(underway);
    note["process"]["started"] = 1.into();
    fs::write(&path, note.to_string()).unwrap();
    assert_eq!(place.one("a")["killed"], true);
    for text in ["", "{}", "[[[[", "{\"process\":{\"pid\":1}}"] {
        fs::write(&path, text).unwrap();
        assert_eq!(place.listed().len(), 1, "{text}");
    }
    place.run("a", "2026-03-01T00:00:00Z", RunStatus::Finished);
    assert_eq!(
        place.one("a")["status"],
        "finished",
        "a record that has ended counts alone"
    );
}
