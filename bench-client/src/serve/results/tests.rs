//! What answers are made of records, hostile ones among them.

use serde_json::Value;

use super::*;
use crate::{
    record::RunRecord,
    report::{
        self,
        fixture::{self, hostile::hostile},
    },
};

fn folder(records: &[(&str, RunRecord)]) -> (tempfile::TempDir, Folder) {
    let dir = tempfile::tempdir().unwrap();
    for (id, record) in records {
        std::fs::create_dir(dir.path().join(id)).unwrap();
        std::fs::write(
            dir.path().join(id).join("run.json"),
            serde_json::to_vec(record).unwrap(),
        )
        .unwrap();
    }
    let folder = Folder::new(dir.path().to_owned());
    (dir, folder)
}

fn one(folder: &Folder, id: &str) -> Value {
    let listed = folder.find(id).unwrap();
    serde_json::from_slice(&one::Run::of(&listed).unwrap().json(&listed).unwrap()).unwrap()
}

fn overlaid(folder: &Folder, ids: &[&str]) -> Value {
    let listed: Vec<Listed> = ids.iter().map(|id| folder.find(id).unwrap()).collect();
    serde_json::from_slice(&overlay::json(&listed).unwrap()).unwrap()
}

/// Every string under a key of these names, wherever it stands.
fn strings<'a>(value: &'a Value, names: &[&str], found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::String(text) if names.contains(&name.as_str()) => found.push(text),
                    other => strings(other, names, found),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|one| strings(one, names, found)),
        _ => {}
    }
}

#[test]
fn words_of_a_record_never_become_markup() {
    let (_dir, folder) = folder(&[("<b onclick=x>", hostile()), ("b", hostile())]);
    for answer in [one(&folder, "b"), overlaid(&folder, &["<b onclick=x>", "b"])] {
        let mut html = Vec::new();
        strings(&answer, &["html", "table", "changes"], &mut html);
        assert!(html.len() > 10, "{}", html.len());
        for html in html {
            for markup in [
                "<script",
                "<img",
                "<style",
                "<b ",
                "<b>",
                "<link",
                "<iframe",
                "<svg",
                "href=\"javascript",
                " style=\"",
                " onclick=\"",
                " onerror=\"",
            ] {
                assert!(!html.contains(markup), "{markup}: {html}");
            }
        }
        // plotly.js reads markup in what it draws.
        let mut drawn = Vec::new();
        strings(&answer["charts"], &["text", "hovertext", "name"], &mut drawn);
        assert!(
            drawn
                .iter()
                .all(|text| !text.contains("<img") && !text.contains("<script"))
        );
    }
}

#[test]
fn a_run_has_every_part_of_its_report() {
    let (_dir, folder) = folder(&[("a", fixture::record())]);
    let answer = one(&folder, "a");
    let page = report::html::report(&fixture::record()).unwrap();
    let blocks = answer["blocks"].as_array().unwrap();
    for block in blocks {
        assert!(page.contains(block["html"].as_str().unwrap()), "{}", block["id"]);
    }
    // And the other way round: each heading and each picture of the page.
    let titles: Vec<&str> = blocks.iter().filter_map(|block| block["title"].as_str()).collect();
    let headings = page.split("<h2>").skip(1).filter_map(|rest| rest.split("</h2>").next());
    for heading in headings.filter(|heading| *heading != "How to run it again") {
        let heading = heading.replace("&#39;", "'");
        assert!(titles.contains(&heading.as_str()), "{heading}: {titles:?}");
    }
    let charts = answer["charts"].as_array().unwrap();
    assert_eq!(charts.len(), page.matches("<figure id=").count());
    for chart in charts {
        assert!(page.contains(chart["table"].as_str().unwrap()));
        assert!(chart["svg"].as_str().unwrap().starts_with("/api/results/a/charts/"));
        assert!(chart["top"].as_i64() < chart["height"].as_i64());
    }
    assert_eq!(answer["standing"]["class"], "failed");
    assert_eq!(answer["legend"][2]["transport"], "sse");
    assert_eq!(answer["progress"], Value::Null);
}

#[test]
fn every_file_that_is_named_can_be_had_with_as_many_bytes() {
    let (_dir, folder) = folder(&[("a", fixture::record()), ("empty", fixture::empty())]);
    for id in ["a", "empty"] {
        let listed = folder.find(id).unwrap();
        let answer = one(&folder, id);
        for file in answer["files"].as_array().unwrap() {
            let bytes = files::make(&listed, file["name"].as_str().unwrap()).unwrap();
            assert_eq!(bytes.len() as u64, file["bytes"], "{file}");
        }
    }
    let listed = folder.find("a").unwrap();
    for name in [
        "",
        "report",
        "../b/run.json",
        "histograms/",
        "histograms/../run.json",
        "/etc/passwd",
        "underway.json",
    ] {
        assert!(
            matches!(files::make(&listed, name), Err(Refusal::NotFound(_))),
            "{name}"
        );
    }
}

#[test]
fn two_runs_say_what_changed_and_what_else_differs() {
    let mut other = fixture::record();
    other.plan.clients = 7;
    other.environment.kernel = "another".to_owned();
    let mut foreign = fixture::record();
    foreign.plan.transports = vec!["other".to_owned()];
    foreign.rows.clear();
    let (_dir, folder) = folder(&[("a", fixture::record()), ("b", other), ("c", foreign)]);
    let answer = overlaid(&folder, &["a", "b"]);
    let changes = answer["changes"].as_str().unwrap();
    for words in [
        "not the same plan: clients: 1000 in A, 7 in B",
        "kernel: ",
        "<table>",
        "Two runs at different times",
    ] {
        assert!(changes.contains(words), "{words}: {changes}");
    }
    assert_eq!(answer["legend"][1]["label"], "Short polling · b");
    assert_eq!(overlaid(&folder, &["a", "b", "c"])["changes"], Value::Null);
    let nothing = overlaid(&folder, &["a", "c"]);
    assert_eq!(
        (&nothing["changes"], nothing["charts"].as_array().unwrap().len()),
        (&Value::Null, 0)
    );
    let warnings = nothing["warnings"].to_string();
    assert!(warnings.contains("no technique in common"), "{warnings}");
}

#[test]
fn an_overlay_is_of_two_to_six_different_runs() {
    let ids = |ids: &[&str]| overlay::checked(ids.iter().map(|id| (*id).to_owned()).collect());
    assert!(ids(&["a", "b"]).is_ok() && ids(&["a", "b", "c", "d", "e", "f"]).is_ok());
    for wrong in [&[][..], &["a"], &["a", "a"], &["a", "b", "c", "d", "e", "f", "g"]] {
        assert!(matches!(ids(wrong), Err(Refusal::Wrong(_))), "{wrong:?}");
    }
}

#[test]
fn a_folder_is_called_by_its_name_alone() {
    assert_eq!(shown(Path::new("results")), "results");
    assert_eq!(shown(Path::new("../lab/results")), "../lab/results");
    assert_eq!(shown(Path::new("/home/someone/results")), "results");
}
