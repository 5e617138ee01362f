//! The page as snapshots, without the library's text, and what must hold whatever the record says.

use super::*;
use crate::report::fixture::{self, hostile::hostile};

mod browser;

/// The page with a stand-in for plotly.js.
fn page_of(record: &RunRecord) -> String {
    page(record, &Library::new("/* plotly.js */".to_owned())).unwrap()
}

/// What a reader sees of it: pictures and digests say nothing in a snapshot, and style and script stand in files of their own.
fn shown(page: &str) -> String {
    let mut out = page
        .replace(STYLE, "/* report.css */")
        .replace(library::script(), "/* report.js */");
    for (start, end) in [("base64,", "\""), ("'sha256-", "'"), ("id=\"figures\">", "<")] {
        let mut parts = out.split(start);
        let mut cut = parts.next().unwrap().to_owned();
        for part in parts {
            let rest = part.find(end).map_or("", |at| &part[at..]);
            cut += &format!("{start}…{rest}");
        }
        out = cut;
    }
    out
}

#[test]
fn pages() {
    insta::assert_snapshot!("report_html", shown(&page_of(&fixture::record())));
    insta::assert_snapshot!("report_html_empty", shown(&page_of(&fixture::empty())));
    insta::assert_snapshot!("report_html_replay", shown(&page_of(&fixture::interrupted_replay())));
    let mut one_row = fixture::record();
    one_row.rows.truncate(1);
    one_row.plan.transports.truncate(1);
    one_row.plan.repeats = 1;
    insta::assert_snapshot!("report_html_one_row", shown(&page_of(&one_row)));
}

#[test]
fn words_of_the_record_never_become_markup() {
    let page = page_of(&hostile());
    assert!(
        page.contains("&lt;img src=") || page.contains("&#60;img src="),
        "the words are shown"
    );
    assert!(!page.contains("<img src=http") && !page.contains("<script>alert"));
    // Its own: the figures, the library, the script; and one of each of the others.
    assert_eq!(page.matches("</script").count(), 3);
    for once in ["</style", "</title", "<h1>", "<style"] {
        assert_eq!(page.matches(once).count(), 1, "{once}");
    }
    assert!(!page.contains("href=\"javascript") && !page.contains("evil/y.png"));
}

#[test]
fn nothing_is_fetched() {
    for record in [
        fixture::record(),
        fixture::empty(),
        fixture::interrupted_replay(),
        hostile(),
    ] {
        let page = page_of(&record);
        for attribute in [
            "src=\"",
            "srcset=\"",
            "href=\"",
            "action=\"",
            "poster=\"",
            "url(",
            "@import",
        ] {
            for value in page.split(attribute).skip(1) {
                let value = &value[..value.len().min(40)];
                let stays = ["data:", "#", "run.", "summary.csv", "series.csv"]
                    .iter()
                    .any(|start| value.starts_with(start));
                assert!(stays, "{attribute}{value}");
            }
        }
        let policy = page.replace("&#39;", "'");
        assert!(policy.contains("default-src 'none'") && policy.contains("connect-src 'none'"));
        assert!(!page.contains("unsafe-inline") && !page.contains("unsafe-eval"));
        // What the policy forbids would silently do nothing.
        assert!(
            !page.contains(" style=\"") && !page.contains(" onclick="),
            "inline styles and handlers"
        );
    }
}

#[test]
fn headings_come_in_order_and_places_exist_once() {
    for record in [fixture::record(), fixture::empty(), fixture::interrupted_replay()] {
        let page = page_of(&record);
        let levels = page
            .match_indices("<h")
            .filter_map(|(at, _)| page[at + 2..].chars().next()?.to_digit(10));
        let levels: Vec<u32> = levels.collect();
        assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1, "{levels:?}");
        assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
        let mut ids: Vec<&str> = page
            .split(" id=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .collect();
        for link in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert!(ids.contains(&link), "#{link} leads nowhere");
        }
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all);
    }
}
