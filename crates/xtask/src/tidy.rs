//! `cargo xtask tidy`: the rules of names, prose, log records, file sizes and links.

mod docs;
mod links;
mod log_records;
mod names;
mod report;
mod words;

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;

use crate::{error::Error, shell, workspace::Workspace};

/// The maximum number of lines of a source file. A longer file has two subjects.
const MAX_SOURCE_LINES: usize = 500;

/// The maximum number of lines of the README.
const MAX_README_LINES: usize = 150;

/// Parts of paths that tidy does not read, each with the reason.
const EXCLUDED: [(&str, &str); 8] = [
    ("/cases/", "messages in other tools' words"),
    ("/corpus/", "messages in other tools' words"),
    ("/fixtures/", "messages in other tools' words"),
    ("/locks/", "written by package managers"),
    ("Cargo.lock", "written by cargo"),
    ("infra/transformed/", "written by SAM"),
    ("wit/deps/", "copied from the WASI project"),
    ("crates/xtask/src/tidy/", "lists the phrases that it forbids"),
];

/// Rules that a file may break, each with the reason: path, rule, reason.
const EXCEPTIONS: [(&str, Rule, &str); 1] =
    [("crates/sophos-isolation/tests/adapters/field_mapping.rs", Rule::Size, "one table of cases")];

/// The suffixes of the files that tidy reads.
const CHECKED: [&str; 9] = [".js", ".md", ".mjs", ".py", ".rs", ".toml", ".wit", ".yaml", ".yml"];

#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Print every finding, not only the first of each rule
    #[arg(long)]
    all: bool,
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

/// The rules, in the order of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rule {
    Openings,
    Phrases,
    Constants,
    TestNames,
    TextErrors,
    LogEvents,
    Size,
    Links,
}

impl Rule {
    fn description(self) -> &'static str {
        match self {
            Self::Openings => "docs open with a noun phrase or a verb in the third person",
            Self::Phrases => "plain words",
            Self::Constants => "constants of bounds are MAX_… or MIN_…",
            Self::TestNames => "tests are <unit>_<does>_<when>, at most 60 characters",
            Self::TextErrors => "public functions return typed errors",
            Self::LogEvents => "log records have an `event` field",
            Self::Size => "files have one subject",
            Self::Links => "links lead to files and headings",
        }
    }
}

/// A line that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    rule: Rule,
    path: String,
    line: usize,
    text: String,
}

impl Finding {
    fn at(rule: Rule, file: &File, line: usize, text: impl Into<String>) -> Self {
        Self { rule, path: file.path.clone(), line, text: text.into() }
    }

    fn is_excepted(&self) -> bool {
        EXCEPTIONS.iter().any(|(path, rule, _)| *path == self.path && *rule == self.rule)
    }
}

/// Checks every file that git lists.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<(), Error> {
    let files = files(&workspace.root)?;
    let openings = docs::openings(&files);
    let mut findings = names::check(&files);
    findings.extend(files.iter().flat_map(words::check));
    findings.extend(files.iter().flat_map(log_records::check));
    findings.extend(files.iter().filter_map(size));
    findings.extend(links::check(&workspace.root, &files));
    findings.extend(openings.check().iter().cloned());
    findings.retain(|finding| !finding.is_excepted());
    if arguments.report {
        println!("{}", openings.report());
        println!("{}", words::report(&files));
        println!("{}", names::report(&files));
    }
    eprint!("{}", report::report(&findings, arguments.all));
    match findings.len() {
        0 => Ok(()),
        count => Err(Error::new(format!("tidy failed: {count} findings; fix the lines above"))),
    }
}

fn files(root: &Path) -> Result<Vec<File>, Error> {
    let mut command = std::process::Command::new("git");
    let listing =
        shell::stdout(command.current_dir(root).args(["ls-files", "-z"]), "run tidy in a git checkout")?;
    let is_checked = |path: &&str| {
        CHECKED.iter().any(|suffix| path.ends_with(suffix))
            && !EXCLUDED.iter().any(|(part, _)| path.contains(part))
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
    let max = match file.path.as_str() {
        "README.md" => MAX_README_LINES,
        _ if file.is_rust() => MAX_SOURCE_LINES,
        _ => return None,
    };
    let lines = file.text.lines().count();
    let text = || format!("{lines} lines: split the file, at most {max}");
    (lines > max).then(|| Finding::at(Rule::Size, file, lines, text()))
}
