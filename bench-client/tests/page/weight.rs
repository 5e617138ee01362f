//! How much a browser has to load: the whole page, without the chart library, which is loaded where a chart is to be moved.

use std::{io::Write, path::Path};

use flate2::{Compression, write::GzEncoder};

/// All views together, as they travel.
const MOST_BYTES: usize = 100_000;
/// What is served of `web/`.
const SERVED: [&str; 4] = ["html", "css", "js", "svg"];

fn files(folder: &Path) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("web/ is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path
            .extension()
            .is_some_and(|ending| SERVED.iter().any(|served| ending == *served))
        {
            found.push((path.display().to_string(), entry.metadata().expect("it is there").len()));
        }
    }
    found
}

#[test]
fn the_whole_page_is_light() {
    let (mut bytes, mut raw) = (0, 0);
    for (file, length) in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../web")) {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder
            .write_all(&std::fs::read(&file).expect("it is there"))
            .expect("a vector takes everything");
        bytes += encoder.finish().expect("a vector takes everything").len();
        raw += length;
    }
    crate::stage::say(&format!(
        "figure: the page, all views, without the chart library: {bytes} bytes compressed, {raw} as written"
    ));
    assert!(bytes < MOST_BYTES, "{bytes} bytes");
}

/// What is named from elsewhere is what the policy would refuse; here it is found without a browser, in every file.
#[test]
fn no_file_of_the_page_names_another_host() {
    for (file, _) in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../web")) {
        let text = std::fs::read_to_string(&file).expect("files of the page are text");
        for needle in [
            "src=\"http",
            "@import",
            "url(http",
            "from \"http",
            "import(\"http",
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
        ] {
            assert!(!text.contains(needle), "{file}: {needle}");
        }
        if file.ends_with(".html") {
            assert!(
                !text.contains("style=\"") && !text.contains(" onclick="),
                "{file}: the policy allows no inline code"
            );
        }
    }
}
