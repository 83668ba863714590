//! The first words of doc comments.

use super::{File, Finding, Rule};

/// Words that open a question.
const INTERROGATIVES: [&str; 9] = ["How", "What", "When", "Where", "Whether", "Which", "Who", "Whose", "Why"];

/// The maximum share of interrogative openings, in thousandths.
const MAX_INTERROGATIVE: usize = 20;

/// The openings of the doc comments of all Rust files.
#[derive(Debug, Default)]
pub(super) struct Openings {
    all: usize,
    interrogative: Vec<Finding>,
}

/// Reads the first word of each doc comment. "Whether" is right for a `bool`.
pub(super) fn openings(files: &[File]) -> Openings {
    let mut openings = Openings::default();
    for file in files.iter().filter(|file| file.is_rust()) {
        let lines: Vec<&str> = file.text.lines().map(str::trim_start).collect();
        for (index, line) in lines.iter().enumerate() {
            let Some(doc) = doc(line) else { continue };
            if index > 0 && self::doc(lines[index - 1]).is_some() {
                continue;
            }
            openings.all += 1;
            let word = doc.split_whitespace().next().unwrap_or_default();
            let item =
                lines[index..].iter().find(|line| self::doc(line).is_none() && !line.starts_with("#["));
            let is_bool = item.is_some_and(|item| item.contains("bool"));
            if INTERROGATIVES.contains(&word) && !(word == "Whether" && is_bool) {
                let text = format!("doc opens with \"{word}\"");
                openings.interrogative.push(Finding::at(Rule::Openings, file, index + 1, text));
            }
        }
    }
    openings
}

/// The text of a line of a doc comment.
fn doc(line: &str) -> Option<&str> {
    line.strip_prefix("//!").or_else(|| line.strip_prefix("///")).filter(|doc| !doc.starts_with('/'))
}

impl Openings {
    /// The findings, if their share is over the maximum.
    pub(super) fn check(&self) -> &[Finding] {
        let is_much = self.interrogative.len() * 1_000 > self.all * MAX_INTERROGATIVE;
        if is_much { &self.interrogative } else { &[] }
    }

    pub(super) fn report(&self) -> String {
        let share = self.interrogative.len() as f64 * 100.0 / self.all.max(1) as f64;
        format!(
            "doc comments: {}; interrogative openings: {} ({share:.1} %)",
            self.all,
            self.interrogative.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Openings {
        openings(&[File { path: "a.rs".into(), text: text.into() }])
    }

    #[test]
    fn openings_count_each_doc_comment_once() {
        let openings = of("//! A module.\n\n/// What it is.\n/// How it works.\nstruct A;\n//// no doc\n");
        assert_eq!((openings.all, openings.interrogative.len()), (2, 1));
        assert_eq!(openings.check().len(), 1);
    }

    #[test]
    fn openings_allow_whether_on_a_bool_alone() {
        let text =
            "/// Whether it is.\n#[must_use]\nfn is() -> bool {}\n/// Whether it is.\nfn is() -> State {}\n";
        assert_eq!(of(text).interrogative.len(), 1);
    }
}
