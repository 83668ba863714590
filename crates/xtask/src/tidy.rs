//! `cargo xtask tidy`: the rules of names, prose, file sizes and links.

mod docs;
mod links;
mod names;
mod words;

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;

use crate::{error::Error, shell, workspace::Workspace};

/// Most lines of a source file. A longer file has two subjects.
const MAX_SOURCE_LINES: usize = 600;

/// Most lines of the README.
const MAX_README_LINES: usize = 150;

/// Folders and files that others wrote, or that hold their words.
const NOT_OURS: [&str; 8] = [
    "/cases/",
    "/corpus/",
    "/fixtures/",
    "/locks/",
    "Cargo.lock",
    "infra/transformed/",
    "wit/deps/",
    "crates/xtask/src/tidy/",
];

/// The suffixes of the files that are checked.
const CHECKED: [&str; 9] = [".js", ".md", ".mjs", ".py", ".rs", ".toml", ".wit", ".yaml", ".yml"];

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Print the figures of the language as well
    #[arg(long)]
    report: bool,
}

/// A text file of the repository.
#[derive(Debug)]
struct File {
    /// The path from the root of the repository.
    path: String,
    text: String,
}

impl File {
    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    fn is_markdown(&self) -> bool {
        self.path.ends_with(".md")
    }

    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

/// A place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding(String);

impl Finding {
    fn at(file: &File, line: usize, text: impl AsRef<str>) -> Self {
        Self(format!("{}:{line}: {}", file.path, text.as_ref()))
    }
}

/// Checks every file that git knows.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    let files = files(&workspace.root)?;
    let openings = docs::openings(&files);
    let mut findings = names::check(&files);
    findings.extend(files.iter().flat_map(words::check));
    findings.extend(files.iter().filter_map(size));
    findings.extend(links::check(&workspace.root, &files));
    findings.extend(openings.check().iter().cloned());
    if arguments.report {
        println!("{}", openings.report());
        println!("{}", words::report(&files));
        println!("{}", names::report(&files));
    }
    for Finding(text) in &findings {
        eprintln!("{text}");
    }
    match findings.len() {
        0 => Ok(()),
        count => Err(Error::new(format!("tidy failed: {count} findings; see CONTRIBUTING.md for the rules"))),
    }
}

fn files(root: &Path) -> Result<Vec<File>, Error> {
    let mut command = std::process::Command::new("git");
    let listing =
        shell::stdout(command.current_dir(root).args(["ls-files", "-z"]), "run tidy in a git checkout")?;
    let is_checked = |path: &&str| {
        CHECKED.iter().any(|suffix| path.ends_with(suffix))
            && !NOT_OURS.iter().any(|part| path.contains(part))
    };
    let mut files = Vec::new();
    for path in listing.split('\0').filter(is_checked) {
        let full: PathBuf = root.join(path);
        // Git still lists a file that was removed and not committed.
        if full.is_file() {
            let text = fs::read_to_string(&full)
                .map_err(|error| Error::new(format!("reading {path} failed: {error}; store it as UTF-8")))?;
            files.push(File { path: path.to_owned(), text });
        }
    }
    Ok(files)
}

fn size(file: &File) -> Option<Finding> {
    let most = match file.path.as_str() {
        "README.md" => MAX_README_LINES,
        _ if file.is_rust() => MAX_SOURCE_LINES,
        _ => return None,
    };
    let lines = file.text.lines().count();
    (lines > most).then(|| Finding::at(file, lines, format!("{lines} lines: split the file, at most {most}")))
}
