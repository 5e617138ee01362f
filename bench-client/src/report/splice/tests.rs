use super::*;
use crate::report::fixture;

fn renewed(text: &str, name: Option<&str>) -> Result<String, MarkerError> {
    let new = renew(text.as_bytes(), name, &fixture::record(), Path::new("results/a")).unwrap();
    new.map(|bytes| String::from_utf8(bytes).unwrap())
}

const EVERY: &str = "a\n<!-- bench-client:table -->\nold\n<!-- /bench-client:table -->\n<!-- bench-client:figures -->\n\
                     <!-- /bench-client:figures -->\n<!-- bench-client:claims -->\n<!-- /bench-client:claims -->\n\
                     <!-- bench-client:command -->\n<!-- /bench-client:command -->\n\
                     <!-- bench-client:measured -->\n<!-- /bench-client:measured -->\nz";

#[test]
fn every_part() {
    insta::assert_snapshot!(renewed(EVERY, None).unwrap());
}

#[test]
fn twice_is_once_and_the_rest_stays_to_the_byte() {
    for text in [EVERY.to_owned(), EVERY.replace('\n', "\r\n")] {
        let once = renewed(&text, None).unwrap();
        assert_eq!(renewed(&once, None).unwrap(), once);
        assert!(
            once.starts_with(&text[..text.find("old").unwrap()]) && once.ends_with("-->\r\nz") == text.contains('\r')
        );
        // Line ends are those of the file.
        assert_eq!(once.matches('\n').count(), once.lines().count() - 1);
        assert_eq!(
            once.matches("\r\n").count(),
            if text.contains('\r') {
                once.matches('\n').count()
            } else {
                0
            }
        );
    }
    // Bytes that are no text, a mark at the start, blanks at line ends, no line end at the end.
    let mut text = b"\xef\xbb\xbf\xff  \n  <!--bench-client:command-->\t\nold\n<!-- /bench-client:command -->".to_vec();
    let new = renew(&text, None, &fixture::record(), Path::new("a")).unwrap().unwrap();
    let end = text.split_off(text.len() - 30);
    assert!(new.starts_with(b"\xef\xbb\xbf\xff  \n  <!--bench-client:command-->\t\n```sh\n") && new.ends_with(&end));
}

#[test]
fn regions_are_renewed_by_name_and_examples_are_left_alone() {
    let text = "<!-- bench-client:claims one -->\nold\n<!-- /bench-client:claims -->\n<!-- bench-client:claims two -->\nold\n\
                <!-- /bench-client:claims -->\n````md\n```\n<!-- bench-client:table -->\n````\nsee `<!-- bench-client:table -->`\n";
    let one = renewed(text, Some("one")).unwrap();
    assert_eq!(one.matches("old").count(), 1, "{one}");
    assert!(
        one.contains("two -->\nold\n") && one.ends_with("see `<!-- bench-client:table -->`\n"),
        "{one}"
    );
    assert_eq!(renewed(text, None).unwrap().matches("old").count(), 0);
    let error = renewed(text, Some("three")).unwrap_err().to_string();
    assert!(error.contains("\"three\"") && error.contains("one, two"), "{error}");
}

#[test]
fn markers_that_make_no_sense_are_named_with_their_line() {
    let (open, close) = ("<!-- bench-client:table -->\n", "<!-- /bench-client:table -->\n");
    for (text, words) in [
        ("nothing".to_owned(), "nothing to renew"),
        (open.to_owned(), "line 1: the region that begins here has no end"),
        (format!("a\n{close}"), "line 2: a region ends here that never began"),
        (
            format!("{open}{open}{close}"),
            "line 2: a region begins within that of line 1",
        ),
        (
            format!("{open}{close}{open}{close}"),
            "line 3: line 1 has a region of the same part and name",
        ),
        (
            format!("{open}<!-- /bench-client:claims -->\n"),
            "line 2: this ends claims, and line 1 began table",
        ),
        ("<!-- bench-client:tabel -->\n".to_owned(), "did you mean table?"),
        (
            "<!-- bench-client:table a b -->\n".to_owned(),
            "line 1: <!-- bench-client:table a b --> can't be read",
        ),
        (format!("{open}<!-- /bench-client:table x -->\n"), "line 2"),
    ] {
        let error = renewed(&text, None).unwrap_err().to_string();
        assert!(error.contains(words), "{words}: {error}");
    }
}

#[test]
fn no_word_of_a_record_ends_its_region_or_its_block() {
    let mut record = fixture::record();
    record.plan.summary = "```\n<!-- /bench-client:table -->\n".repeat(9);
    record.environment.cpu_model = "x\n<!-- /bench-client:table -->".to_owned();
    let text = b"<!-- bench-client:table -->\n<!-- /bench-client:table -->\nend";
    let once = renew(text, None, &record, Path::new("a")).unwrap().unwrap();
    let twice = renew(&once, None, &record, Path::new("a")).unwrap().unwrap();
    assert_eq!(once, twice);
    assert!(once.ends_with(b"-->\nend"));
}

/// The README's table is the curated run's: nobody has typed it.
#[test]
fn the_readmes_table_is_the_curated_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let record = crate::run::load(&root.join("results/curated")).unwrap();
    let readme = std::fs::read(root.join("README.md")).unwrap();
    let renewed = renew(&readme, None, &record, Path::new("results/curated"))
        .unwrap()
        .unwrap();
    assert!(
        renewed == readme,
        "README.md is not up to date: cargo run -- report results/curated --splice README.md"
    );
}
