//! Puts the report's sections together so that they fit into a pull request, whatever the run's size.
//!
//! ```text
//! sections -> too long? first tables and drawings give way, then whole sections, the least needed first -> report.md
//! ```
//!
//! What gives way leaves a line that says so, and where it is: nothing is dropped in silence.

/// Most characters of a text on GitHub: of an issue, a pull request, a comment.
pub const MOST_CHARS: usize = 65_536;
/// Room for a sentence above the report, such as whoever pastes it adds.
const SPARE_CHARS: usize = 1_536;
const ELSEWHERE: &str = "the run's folder has it whole, in report.html, summary.csv and run.json";

/// A section: a heading and what stands below it. Empty where there is nothing to say.
pub struct Part {
    text: String,
    /// Those with the highest rank give way first; None: only when all others have.
    rank: Option<u32>,
    folded: bool,
}

impl Part {
    /// What a report is read for.
    pub fn kept(text: String) -> Self {
        Self {
            text,
            rank: None,
            folded: false,
        }
    }

    /// What gives way before all with a lower rank.
    pub fn giving_way(rank: u32, text: String) -> Self {
        Self {
            rank: Some(rank),
            ..Self::kept(text)
        }
    }

    /// Closed until a reader opens it.
    pub fn folded(self) -> Self {
        Self { folded: true, ..self }
    }

    fn chars(&self) -> usize {
        self.printed().chars().count() + 1
    }

    fn printed(&self) -> String {
        match self.text.strip_prefix("## ").and_then(|text| text.split_once('\n')) {
            Some((title, rest)) if self.folded => fold(title, rest),
            _ => self.text.clone(),
        }
    }

    /// Without its tables and drawings; a line stands for each.
    fn without_tables(&mut self) {
        let is_figure = |line: &str| line.starts_with('|');
        let mut out = String::new();
        let (mut fence, mut rows) = (None::<String>, 0_usize);
        for line in self.text.lines() {
            let ticks: String = line.chars().take_while(|c| *c == '`').collect();
            match &fence {
                Some(open) => {
                    if *open == line {
                        fence = None;
                    }
                    rows += 1;
                    continue;
                }
                None if ticks.len() >= 3 => {
                    fence = Some(ticks);
                    rows += 1;
                    continue;
                }
                None if is_figure(line) => {
                    rows += 1;
                    continue;
                }
                None => {}
            }
            if rows > 0 {
                out += &format!("*Left out to fit here ({rows} lines); {ELSEWHERE}.*\n");
                rows = 0;
            }
            out += line;
            out.push('\n');
        }
        if rows > 0 {
            out += &format!("*Left out to fit here ({rows} lines); {ELSEWHERE}.*\n");
        }
        self.text = out;
    }

    /// Its heading, and a line for the rest.
    fn heading_alone(&mut self) {
        let Some((heading, _)) = self.text.split_once('\n') else {
            return;
        };
        self.text = format!("{heading}\n\n*Left out to fit here; {ELSEWHERE}.*\n");
        self.folded = false;
    }
}

/// `<details>` with the heading as what is seen of it.
pub fn fold(title: &str, rest: &str) -> String {
    format!(
        "<details>\n<summary>{title}</summary>\n\n{}\n\n</details>\n",
        rest.trim_matches('\n')
    )
}

/// All sections, a blank line between, at most [`MOST_CHARS`] long.
pub fn fit(parts: Vec<Part>) -> String {
    fit_into(parts, MOST_CHARS - SPARE_CHARS)
}

fn fit_into(mut parts: Vec<Part>, most: usize) -> String {
    parts.retain(|part| !part.text.is_empty());
    let mut order: Vec<usize> = (0..parts.len()).filter(|i| parts[*i].rank.is_some()).collect();
    order.sort_by_key(|i| std::cmp::Reverse(parts[*i].rank));
    for shorten in [Part::without_tables, Part::heading_alone] {
        for i in &order {
            if parts.iter().map(Part::chars).sum::<usize>() <= most {
                break;
            }
            shorten(&mut parts[*i]);
        }
    }
    let whole = parts.iter().map(Part::printed).collect::<Vec<_>>().join("\n");
    cut(whole, most)
}

/// For what is too long even so: up to the last whole line, and a sentence instead of the rest.
fn cut(text: String, most: usize) -> String {
    if text.chars().count() <= most {
        return text;
    }
    let sentence = format!("\n*The rest is left out to fit here; {ELSEWHERE}.*\n");
    let room = most.saturating_sub(sentence.chars().count());
    let end = text.char_indices().nth(room).map_or(text.len(), |(i, _)| i);
    let end = text[..end].rfind('\n').map_or(0, |i| i + 1);
    text[..end].to_owned() + &sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> Vec<Part> {
        let table = "| a | b |\n| --- | --: |\n| 1 | 2 |\n".repeat(10);
        vec![
            Part::kept("# Title\n".to_owned()),
            Part::giving_way(
                1,
                format!("## Charts\n\nWords.\n\n````text\n```\n| no table\n````\n\n{table}"),
            ),
            Part::kept(String::new()),
            Part::giving_way(2, format!("## Memory\n\nMore words.\n\n{table}")).folded(),
        ]
    }

    #[test]
    fn what_fits_is_whole_and_some_of_it_folded() {
        let text = fit(parts());
        assert!(text.starts_with("# Title\n\n## Charts\n"), "{text}");
        assert!(
            text.contains("<details>\n<summary>Memory</summary>\n\nMore words.\n\n| a | b |\n"),
            "{text}"
        );
        assert!(
            text.ends_with("| 1 | 2 |\n\n</details>\n") && !text.contains("Left out"),
            "{text}"
        );
    }

    #[test]
    fn the_least_needed_gives_way_first_and_leaves_a_line() {
        let whole = fit(parts()).chars().count();
        let text = fit_into(parts(), whole - 1);
        assert!(
            text.contains("More words.\n\n*Left out to fit here (30 lines); the run's folder"),
            "{text}"
        );
        assert_eq!(text.matches("| 1 | 2 |").count(), 10, "the other table stays: {text}");
        let text = fit_into(parts(), 500);
        assert!(!text.contains("| ") && text.contains("Words."), "{text}");
        let text = fit_into(parts(), 300);
        assert!(
            text.contains("## Memory\n\n*Left out to fit here; the run's folder"),
            "{text}"
        );
        for most in 0..whole {
            let text = fit_into(parts(), most);
            let least = 120;
            assert!(text.chars().count() <= most.max(least), "{most}: {text}");
            assert_eq!(
                text.matches("<details>").count(),
                text.matches("</details>").count(),
                "{most}: {text}"
            );
        }
    }
}
