//! Markdown tables, and words that must not become markdown.

/// A table whose first `left` columns are aligned left and the others right; empty when there are no rows. Cells are escaped.
pub fn table(headers: &[&str], left: usize, rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let rows: Vec<Vec<String>> = rows.into_iter().collect();
    if rows.is_empty() {
        return String::new();
    }
    let rule: Vec<&str> = (0..headers.len())
        .map(|i| if i < left { "---" } else { "--:" })
        .collect();
    let mut out = format!("| {} |\n| {} |\n", headers.join(" | "), rule.join(" | "));
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| escape(cell)).collect();
        out += &format!("| {} |\n", cells.join(" | "));
    }
    out
}

/// `text` so that markdown shows it as it is, on one line.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '$' => out.extend(['\\', c]),
            // Pasted into a pull request it would call someone.
            '@' => out.push_str("@&#8203;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// `text` as code within a line.
pub fn code(text: &str) -> String {
    let inner: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("`{}`", inner.replace('`', ""))
}

/// `text` as a code block that no line of it can close.
pub fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", text.trim_end_matches('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_record_cannot_break_out_of_their_cell() {
        let hostile = vec!["a|b\n| c <img src=x> [d](e) `f` \\".to_owned(), "1".to_owned()];
        insta::assert_snapshot!(table(&["name", "count"], 1, [hostile]), @r"
        | name | count |
        | --- | --: |
        | a\|b \| c &lt;img src=x&gt; \[d\](e) \`f\` \\ | 1 |
        ");
        assert_eq!(table(&["name"], 1, []), "");
        assert_eq!(escape("@everyone"), "@&#8203;everyone");
    }

    #[test]
    fn no_line_closes_its_code_block() {
        assert_eq!(fenced("a\n"), "```text\na\n```\n");
        assert_eq!(fenced("````\n# b"), "`````text\n````\n# b\n`````\n");
    }
}
