//! plotly.js as its crate carries it, and the policy that lets the page run this script, its own and nothing else.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest, Sha256};

/// A script and its digest.
pub struct Library {
    pub script: String,
    digest: String,
}

impl Library {
    /// plotly.js; its digest is taken once.
    pub fn get() -> &'static Self {
        static LIBRARY: LazyLock<Library> = LazyLock::new(|| {
            let elements = plotly::Plot::offline_js_sources();
            // The first element is plotly.js. The second, MathJax, sets formulas, of which a report has none.
            let first = elements.split("</script>").next().unwrap_or_default();
            Library::new(first.split_once('>').map_or("", |(_, script)| script).to_owned())
        });
        &LIBRARY
    }

    /// Changes with the script.
    pub fn version(&self) -> &str {
        &self.digest
    }

    pub fn new(script: String) -> Self {
        let digest = digest(&script);
        Self { script, digest }
    }
}

/// The page's script: what it shares with the page of `serve`, a module there, and what it does beside. A scope of its own keeps
/// its names from those of plotly.js.
pub fn script() -> &'static str {
    static SCRIPT: LazyLock<String> = LazyLock::new(|| {
        let shared = include_str!("../../../../web/lib/charts.js").replace("\nexport ", "\n");
        let own = include_str!("../../../templates/report.js");
        format!("\"use strict\";\n(() => {{\n{shared}\n{own}}})();\n")
    });
    &SCRIPT
}

/// Nothing is fetched; scripts and styles are those with these digests. plotly.js adds an empty style element and fills it by
/// rules, which the digest of nothing allows. `data:` and `blob:` pictures are the charts and what saving one of them makes.
pub fn policy(library: &Library, script: &str, style: &str) -> String {
    format!(
        "default-src 'none'; script-src {} {}; style-src {} {}; img-src data: blob:; connect-src 'none'; base-uri 'none'; form-action 'none'",
        library.digest,
        digest(script),
        digest(style),
        digest(""),
    )
}

fn digest(text: &str) -> String {
    format!("'sha256-{}'", BASE64.encode(Sha256::digest(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crate_carries_one_script_that_ends_no_element() {
        let library = Library::get();
        assert!(library.script.contains("plotly.js v"), "{}", &library.script[..200]);
        // Whole, and without the two megabytes of MathJax.
        assert!((3_000_000..6_000_000).contains(&library.script.len()));
        for end in ["</script", "<!--"] {
            assert!(!library.script.contains(end), "{end}");
        }
    }

    #[test]
    fn the_shared_module_is_a_script_here() {
        let lines = || script().lines();
        assert!(lines().any(|line| line.starts_with("function sortable(")));
        for of_modules in ["export ", "import "] {
            assert!(!lines().any(|line| line.starts_with(of_modules)), "{of_modules}");
        }
    }

    #[test]
    fn digests_are_those_a_browser_computes() {
        assert_eq!(digest(""), "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='");
    }
}
