use std::{cell::RefCell, collections::BTreeMap, fmt};

use crate::signal::clean;

/// The most mistakes that are told.
const MAX_ISSUES: usize = 100;

/// Why a policy cannot be used: everything that is wrong with it.
///
/// It repeats keys, and no values: someone may have written a secret where its
/// name belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    issues: Vec<ConfigIssue>,
    omitted: usize,
}

/// One thing that is wrong with a policy, or may be: a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigIssue {
    /// The line, from 1.
    pub line: usize,
    /// The key with the tables that it is in, such as `protect.names[2]`;
    /// empty when the file as a whole is meant.
    pub key: String,
    /// What is wrong, and what may be written.
    pub message: String,
}

impl PolicyError {
    /// What is wrong, by line; the first hundred of it.
    pub fn issues(&self) -> &[ConfigIssue] {
        &self.issues
    }
}

impl std::error::Error for PolicyError {}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the policy cannot be used, mend it and deploy it again")?;
        for mistake in &self.issues {
            write!(f, "\n{mistake}")?;
        }
        match self.omitted {
            0 => Ok(()),
            untold => write!(f, "\nand {untold} more"),
        }
    }
}

impl fmt::Display for ConfigIssue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, key, message: problem } = self;
        match key.as_str() {
            "" => write!(f, "line {line}: {problem}"),
            key => write!(f, "line {line}, {key}: {problem}"),
        }
    }
}

/// The mistakes found so far in one text.
#[derive(Debug)]
pub(super) struct ConfigIssues {
    line_ends: Vec<usize>,
    length: usize,
    errors: RefCell<Vec<ConfigIssue>>,
    /// The warnings: they do not refuse the policy.
    warnings: RefCell<Vec<ConfigIssue>>,
    /// Those of single sources, by name.
    by_source: RefCell<BTreeMap<String, Vec<ConfigIssue>>>,
    /// The source that is being read.
    current_source: RefCell<Option<String>>,
}

impl ConfigIssues {
    pub(super) fn new(text: &str) -> Self {
        let line_ends =
            text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
        Self {
            line_ends,
            length: text.len(),
            errors: RefCell::default(),
            by_source: RefCell::default(),
            current_source: RefCell::default(),
            warnings: RefCell::default(),
        }
    }

    /// Notes a mistake at a byte of the text.
    pub(super) fn add(&self, offset: usize, key: &str, problem: impl Into<String>) {
        let mistake = self.issue_at(offset, key, problem.into());
        match &*self.current_source.borrow() {
            Some(source) => self.by_source.borrow_mut().entry(source.clone()).or_default().push(mistake),
            None => self.errors.borrow_mut().push(mistake),
        }
    }

    /// Notes a warning at a byte of the text.
    pub(super) fn warn(&self, offset: usize, key: &str, problem: impl Into<String>) {
        let warning = self.issue_at(offset, key, problem.into());
        self.warnings.borrow_mut().push(warning);
    }

    fn issue_at(&self, offset: usize, key: &str, problem: String) -> ConfigIssue {
        // What is missing at the end is missing in the last line, not after it.
        let offset = offset.min(self.length.saturating_sub(1));
        let line = 1 + self.line_ends.partition_point(|end| *end < offset);
        ConfigIssue { line, key: clean(key), message: problem }
    }

    /// Takes out the warnings, by line; the first hundred of them.
    pub(super) fn take_warnings(&self) -> Vec<ConfigIssue> {
        let mut warnings = self.warnings.take();
        warnings.sort_by(compare_lines);
        warnings.truncate(MAX_ISSUES);
        warnings
    }

    /// Counts the mistakes that `read` finds as those of one source.
    pub(super) fn within_source<T>(&self, name: &str, read: impl FnOnce() -> T) -> T {
        let before = self.current_source.replace(Some(name.to_owned()));
        let read = read();
        self.current_source.replace(before);
        read
    }

    /// Takes out the mistakes of sources, each by line.
    pub(super) fn take_source_issues(&self) -> BTreeMap<String, Vec<ConfigIssue>> {
        let mut all = self.by_source.take();
        for mistakes in all.values_mut() {
            mistakes.sort_by(compare_lines);
            mistakes.truncate(MAX_ISSUES);
        }
        all
    }

    /// Whether something is wrong outside of sources.
    pub(super) fn has_global_errors(&self) -> bool {
        !self.errors.borrow().is_empty()
    }

    /// What was read, unless something is wrong.
    pub(super) fn into_result<T>(self, read: Option<T>) -> Result<T, PolicyError> {
        let mut mistakes = self.errors.into_inner();
        mistakes.extend(self.by_source.into_inner().into_values().flatten());
        match read {
            Some(read) if mistakes.is_empty() => Ok(read),
            _ => {
                mistakes.sort_by(compare_lines);
                let untold = mistakes.len().saturating_sub(MAX_ISSUES);
                mistakes.truncate(MAX_ISSUES);
                Err(PolicyError { issues: mistakes, omitted: untold })
            }
        }
    }
}

fn compare_lines(a: &ConfigIssue, b: &ConfigIssue) -> std::cmp::Ordering {
    (a.line, &a.key).cmp(&(b.line, &b.key))
}
