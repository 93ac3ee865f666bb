//! Checks that the code on a page is code that compiles.
//!
//! A block after `<!-- from: examples/x.rs -->` must be that file's text between the lines `//
//! [shown]` and `// [/shown]`, in Python `# [shown]` and `# [/shown]`.

use crate::steps::{Outcome, Steps};

const MARKER: &str = "<!-- from: ";
const FENCE: &str = "```";
const LANGUAGES: [&str; 2] = ["```rust", "```python"];
const PAGES: [&str; 4] = [
    "README.md",
    "COMPARE.md",
    "docs/transports.md",
    "docs/write-a-store.md",
];

pub(crate) fn pages_match(steps: &Steps) -> Outcome {
    PAGES.iter().try_for_each(|page| page_matches(steps, page))
}

fn page_matches(steps: &Steps, page: &str) -> Outcome {
    let text = steps.sh.read_file(page)?;
    let shown = shown_blocks(&text).map_err(|why| format!("{page}: {why}"))?;
    println!("{page}: blocks from files: {}", shown.len());
    shown.into_iter().try_for_each(|(path, block)| {
        let source = steps.sh.read_file(path);
        let source = source.map_err(|why| format!("{page} names {path}: {why}"))?;
        match marked(&source) {
            None => Err(format!("{path} has no lines `[shown]` and `[/shown]`").into()),
            Some(text) if text == block => Ok(()),
            Some(text) => Err(format!(
                "{page} and {path} differ: {}",
                first_difference(&block, &text)
            )
            .into()),
        }
    })
}

/// Returns the paths of the markers, each with the lines of the block that follows.
fn shown_blocks(page: &str) -> Outcome<Vec<(&str, Vec<&str>)>> {
    let mut lines = page.lines();
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        let Some(path) = line
            .trim()
            .strip_prefix(MARKER)
            .and_then(|rest| rest.strip_suffix("-->"))
        else {
            continue;
        };
        match lines.find(|line| !line.trim().is_empty()) {
            Some(line) if LANGUAGES.contains(&line) => {}
            _ => return Err(format!("no block follows the marker of {}", path.trim()).into()),
        }
        found.push((
            path.trim(),
            lines.by_ref().take_while(|line| *line != FENCE).collect(),
        ));
    }
    Ok(found)
}

/// Returns the lines between the two marks, without the indentation of the first mark.
fn marked(source: &str) -> Option<Vec<&str>> {
    let mut lines = source.lines();
    let is = |line: &str, mark| line.trim_start_matches(['/', '#', ' ']) == mark;
    let start = lines.find(|line| is(line, "[shown]"))?;
    let indent = &start[..start.len() - start.trim_start().len()];
    let mut text = Vec::new();
    for line in lines {
        if is(line, "[/shown]") {
            return Some(text);
        }
        text.push(line.strip_prefix(indent).unwrap_or(line));
    }
    None
}

fn first_difference(block: &[&str], text: &[&str]) -> String {
    let same = block
        .iter()
        .zip(text)
        .take_while(|(ours, theirs)| ours == theirs)
        .count();
    let line = |lines: &[&str]| {
        lines
            .get(same)
            .map_or("nothing".to_owned(), |line| format!("`{line}`"))
    };
    format!(
        "line {} of the block is {}, not {}",
        same + 1,
        line(block),
        line(text)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "//! One.\nfn main() {\n    // [shown]\n    if one {\n        two();\n    }\n    // [/shown]\n}\n";

    #[test]
    fn the_marked_lines_lose_the_indentation_of_their_mark() {
        assert_eq!(marked(SOURCE).unwrap(), ["if one {", "    two();", "}"]);
        assert_eq!(marked("# [shown]\na = 1\n# [/shown]\n").unwrap(), ["a = 1"]);
        assert_eq!(marked("// [shown]\nno end"), None);
    }

    #[test]
    fn a_block_belongs_to_the_marker_before_it() {
        let readme = "# A\n```rust\nfree\n```\n<!-- from: examples/one.rs -->\n\n```rust\na\n\nb\n```\nend\n";
        assert_eq!(
            shown_blocks(readme).unwrap(),
            [("examples/one.rs", vec!["a", "", "b"])]
        );
        assert!(shown_blocks("<!-- from: examples/one.rs -->\ntext\n").is_err());
    }

    #[test]
    fn a_difference_is_named_by_its_first_line() {
        assert_eq!(
            first_difference(&["a", "b"], &["a"]),
            "line 2 of the block is `b`, not nothing"
        );
    }
}
