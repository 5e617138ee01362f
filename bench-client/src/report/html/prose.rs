//! Sections of report.md as HTML.
//!
//! ```text
//! markdown -> pulldown-cmark's events -> tables to table.rs, the rest to its HTML writer -> Section
//! ```
//!
//! Raw HTML is shown as it is written, never obeyed; pictures become their words, since nothing is fetched; a link leads to the web, to a
//! file beside the page or to a place in it, or it is text. pulldown-cmark rather than comrak: three small dependencies, and events
//! that can be taken apart.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html as writer};

use super::table::{Cell, Table};

/// A part of the page with a heading of the second level.
pub struct Section {
    pub id: String,
    pub title: String,
    /// HTML.
    pub body: String,
    pub folded: bool,
    markdown: String,
}

impl Section {
    /// A section of report.md that is shown at once; None of an empty one.
    pub fn open(markdown: &str) -> Option<Self> {
        let (title, markdown) = markdown.trim().strip_prefix("## ")?.split_once('\n')?;
        Some(Self {
            id: slug(title),
            title: title.to_owned(),
            body: render(markdown, title, false),
            folded: false,
            markdown: markdown.to_owned(),
        })
    }

    /// One that its reader opens.
    pub fn folded(markdown: &str) -> Option<Self> {
        Self::open(markdown).map(|section| Self {
            folded: true,
            ..section
        })
    }

    /// The sentences alone, and each table behind a line of its own.
    pub fn with_folded_tables(self) -> Self {
        let body = render(&self.markdown, &self.title, true);
        Self { body, ..self }
    }
}

/// Markdown without a section's heading.
pub fn html(markdown: &str) -> String {
    render(markdown, "", false)
}

/// As GitHub names the place of a heading: links in the words are made for it.
fn slug(title: &str) -> String {
    let kept = title.to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || [' ', '-'].contains(c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn render(markdown: &str, title: &str, fold_tables: bool) -> String {
    let mut out = Writer {
        html: String::new(),
        events: Vec::new(),
        table: None,
        title: title.to_owned(),
        heading: None,
        fold_tables,
        links: Vec::new(),
        in_raw: false,
    };
    Parser::new_ext(markdown, Options::ENABLE_TABLES).for_each(|event| out.take(event));
    out.flush();
    out.html
}

struct Writer<'a> {
    html: String,
    /// Not yet written.
    events: Vec<Event<'a>>,
    /// The one that is being read.
    table: Option<Table>,
    /// What tables are called by readers aloud: the section, or the last heading in it.
    title: String,
    heading: Option<String>,
    fold_tables: bool,
    /// For each open link whether it is written.
    links: Vec<bool>,
    /// Within raw HTML that is shown as text.
    in_raw: bool,
}

impl<'a> Writer<'a> {
    fn take(&mut self, event: Event<'a>) {
        match event {
            Event::Start(Tag::Table(alignments)) => {
                self.flush();
                self.table = Some(Table::new(&alignments, &self.title));
            }
            Event::End(TagEnd::Table) => self.end_table(),
            Event::End(TagEnd::TableRow) => self.row(|table, cells| table.rows.push(cells)),
            Event::End(TagEnd::TableHead) => self.row(|table, cells| table.head = cells),
            Event::End(TagEnd::TableCell) => self.end_cell(),
            Event::Start(Tag::TableHead | Tag::TableRow | Tag::TableCell) => {}
            // One h1 and h2 for the sections: whatever stands inside of one is below it.
            Event::Start(Tag::Heading { .. }) => {
                self.heading = Some(String::new());
                self.events.push(Event::Html(CowStr::Borrowed("<h3>")));
            }
            Event::End(TagEnd::Heading(_)) => {
                self.title = self.heading.take().unwrap_or_default();
                self.events.push(Event::Html(CowStr::Borrowed("</h3>\n")));
            }
            Event::Html(text) if is_fold(&text) => {}
            Event::Html(text) => {
                if !std::mem::replace(&mut self.in_raw, true) {
                    self.events.push(Event::Start(Tag::Paragraph));
                }
                self.events.push(Event::Text(text));
            }
            Event::InlineHtml(text) => self.events.push(Event::Text(text)),
            Event::Start(Tag::HtmlBlock) => {}
            Event::End(TagEnd::HtmlBlock) => {
                if std::mem::take(&mut self.in_raw) {
                    self.events.push(Event::End(TagEnd::Paragraph));
                }
            }
            Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => {}
            Event::Start(Tag::Link { ref dest_url, .. }) => {
                self.links.push(is_harmless(dest_url));
                if is_harmless(dest_url) {
                    self.events.push(event);
                }
            }
            Event::End(TagEnd::Link) => {
                if self.links.pop() == Some(true) {
                    self.events.push(event);
                }
            }
            other => {
                if let (Some(heading), Event::Text(text) | Event::Code(text)) = (&mut self.heading, &other) {
                    heading.push_str(text);
                }
                self.events.push(other);
            }
        }
    }

    fn flush(&mut self) {
        writer::push_html(&mut self.html, self.events.drain(..));
    }

    fn end_cell(&mut self) {
        let text: String = self
            .events
            .iter()
            .filter_map(|event| match event {
                Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
                _ => None,
            })
            .collect();
        let mut html = String::new();
        writer::push_html(&mut html, self.events.drain(..));
        if let Some(table) = &mut self.table {
            table.open.push(Cell::of_html(html, &text));
        }
    }

    fn row(&mut self, put: impl Fn(&mut Table, Vec<Cell>)) {
        if let Some(table) = &mut self.table {
            let cells = std::mem::take(&mut table.open);
            put(table, cells);
        }
    }

    fn end_table(&mut self) {
        let Some(table) = self.table.take() else { return };
        let html = table.html();
        if self.fold_tables {
            self.html += &format!("<details class=\"pairs\"><summary>Every pair</summary>\n{html}</details>\n");
        } else {
            self.html += &html;
        }
    }
}

/// What report.md folds long parts with; this page folds them in its own way.
fn is_fold(html: &str) -> bool {
    let html = html.trim();
    html == "<details>" || html == "</details>" || html.starts_with("<summary>") && html.ends_with("</summary>")
}

/// A place on the page, a file beside it, or the web.
fn is_harmless(url: &str) -> bool {
    ["https://", "http://", "#"].iter().any(|start| url.starts_with(start))
        || !url.contains([':', '\\']) && !url.starts_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_html_is_shown_and_never_obeyed() {
        let html = html("<img src=x onerror=alert(1)>\n\na <script>alert(1)</script> b\n\n<!-- c -->\n");
        assert!(
            !html.contains("<img") && !html.contains("<script") && !html.contains("<!--"),
            "{html}"
        );
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{html}");
    }

    #[test]
    fn links_that_run_and_pictures_that_load_are_text() {
        let html = html(
            "[a](javascript:alert(1)) ![pic](http://x/y.png) [b](https://example.org) [c](run.json) [d](//x/y) <vbscript:x>",
        );
        assert!(
            !html.contains("javascript") && !html.contains("<img") && !html.contains("y.png"),
            "{html}"
        );
        assert!(html.contains("pic") && !html.contains("\"//x"), "{html}");
        assert!(
            html.contains("<a href=\"https://example.org\">b</a>") && html.contains("<a href=\"run.json\">c</a>"),
            "{html}"
        );
        assert!(!html.contains("href=\"vbscript"), "{html}");
    }

    #[test]
    fn headings_inside_a_section_are_of_the_third_level() {
        let section = Section::open("## How it *was*\n\n# One\n\n### Two `x`\n\n| a |\n| --- |\n| b |\n").unwrap();
        assert_eq!(section.id, "how-it-was");
        assert!(
            section.body.contains("<h3>One</h3>") && section.body.contains("<h3>Two <code>x</code></h3>"),
            "{}",
            section.body
        );
        assert!(section.body.contains("aria-label=\"Two x\""), "{}", section.body);
        assert!(Section::open("").is_none());
    }
}
