//! Links of Markdown files to files and headings of the repository.

use std::{
    fs,
    path::{Component, Path, PathBuf},
};

use super::{File, Finding, Rule};

pub(super) fn check(root: &Path, files: &[File]) -> Vec<Finding> {
    files.iter().filter(|file| file.is_markdown()).flat_map(|file| in_file(root, file)).collect()
}

fn in_file(root: &Path, file: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut is_code = false;
    for (number, line) in file.lines() {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        if is_code {
            continue;
        }
        for target in targets(line).filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
        {
            if let Some(problem) = problem(root, file, target) {
                let text = format!("link to \"{target}\": {problem}");
                findings.push(Finding::at(Rule::Links, file, number, text));
            }
        }
    }
    findings
}

/// The targets of the links of a line: `[text](target)`.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
}

fn problem(root: &Path, file: &File, target: &str) -> Option<&'static str> {
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
    let full = if path.is_empty() { root.join(&file.path) } else { root.join(clean(&folder.join(path))) };
    if !full.exists() {
        return Some("the file does not exist");
    }
    let anchor = anchor.filter(|_| full.extension().is_some_and(|extension| extension == "md"))?;
    let text = fs::read_to_string(&full).unwrap_or_default();
    let is_there = headings(&text).any(|heading| slug(heading) == anchor);
    (!is_there).then_some("the heading does not exist")
}

/// The path without `..`.
fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(clean.pop()),
            Component::CurDir => {}
            part => clean.push(part),
        }
    }
    clean
}

fn headings(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim())
}

/// The anchor that GitHub and mdBook give to a heading.
fn slug(heading: &str) -> String {
    let is_kept = |letter: &char| letter.is_alphanumeric() || ['-', '_', ' '].contains(letter);
    heading
        .to_lowercase()
        .chars()
        .filter(is_kept)
        .map(|letter| if letter == ' ' { '-' } else { letter })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_findings_when_file_or_heading_is_missing() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("docs")).expect("a folder");
        fs::write(folder.path().join("docs/a.md"), "# The `a`, of all\n").expect("a file");
        let text =
            "[a](a.md#the-a-of-all) [b](../docs/b.md) [c](a.md#c)\n```\n[d](d.md)\n```\n[e](https://e.org)";
        let file = File { path: "docs/x.md".into(), text: text.into() };
        let findings = check(folder.path(), &[file]);
        assert_eq!(findings.len(), 2, "{findings:?}");
    }
}
