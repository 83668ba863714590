use std::{cell::RefCell, collections::BTreeMap, fmt};

use crate::signal::clean;

/// The maximum number of reported issues.
const MAX_ISSUES: usize = 100;

/// The issues that make a policy invalid.
///
/// It contains keys but no values, because a secret may be in the place of its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    issues: Vec<ConfigIssue>,
    omitted: usize,
}

/// An issue of a policy: an error or a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigIssue {
    /// The line, starting at 1.
    pub line: usize,
    /// The key with its tables, such as `protect.names[2]`; empty for the whole file.
    pub key: String,
    /// The problem and the expected value.
    pub message: String,
}

impl PolicyError {
    /// The issues by line, at most 100.
    pub fn issues(&self) -> &[ConfigIssue] {
        &self.issues
    }
}

impl std::error::Error for PolicyError {}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid policy; correct it and deploy it again")?;
        for issue in &self.issues {
            write!(f, "\n{issue}")?;
        }
        match self.omitted {
            0 => Ok(()),
            omitted => write!(f, "\nand {omitted} more"),
        }
    }
}

impl fmt::Display for ConfigIssue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, key, message } = self;
        match key.as_str() {
            "" => write!(f, "line {line}: {message}"),
            key => write!(f, "line {line}, {key}: {message}"),
        }
    }
}

/// The issues found so far in one text.
#[derive(Debug)]
pub(super) struct ConfigIssues {
    line_ends: Vec<usize>,
    length: usize,
    errors: RefCell<Vec<ConfigIssue>>,
    /// The warnings, which do not reject the policy.
    warnings: RefCell<Vec<ConfigIssue>>,
    /// The errors of individual sources, by name.
    by_source: RefCell<BTreeMap<String, Vec<ConfigIssue>>>,
    /// The source that is being parsed.
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

    /// Records an error at a byte offset of the text.
    pub(super) fn add(&self, offset: usize, key: &str, message: impl Into<String>) {
        let issue = self.issue_at(offset, key, message.into());
        match &*self.current_source.borrow() {
            Some(source) => self.by_source.borrow_mut().entry(source.clone()).or_default().push(issue),
            None => self.errors.borrow_mut().push(issue),
        }
    }

    /// Records a warning at a byte offset of the text.
    pub(super) fn warn(&self, offset: usize, key: &str, message: impl Into<String>) {
        let warning = self.issue_at(offset, key, message.into());
        self.warnings.borrow_mut().push(warning);
    }

    fn issue_at(&self, offset: usize, key: &str, message: String) -> ConfigIssue {
        // A key missing at the end is reported in the last line, not after it.
        let offset = offset.min(self.length.saturating_sub(1));
        let line = 1 + self.line_ends.partition_point(|end| *end < offset);
        ConfigIssue { line, key: clean(key), message }
    }

    /// Takes the warnings by line, at most 100.
    pub(super) fn take_warnings(&self) -> Vec<ConfigIssue> {
        let mut warnings = self.warnings.take();
        warnings.sort_by(compare_lines);
        warnings.truncate(MAX_ISSUES);
        warnings
    }

    /// Attributes the errors that `read` records to one source.
    pub(super) fn within_source<T>(&self, name: &str, read: impl FnOnce() -> T) -> T {
        let before = self.current_source.replace(Some(name.to_owned()));
        let read = read();
        self.current_source.replace(before);
        read
    }

    /// Takes the errors of sources, each by line.
    pub(super) fn take_source_issues(&self) -> BTreeMap<String, Vec<ConfigIssue>> {
        let mut all = self.by_source.take();
        for issues in all.values_mut() {
            issues.sort_by(compare_lines);
            issues.truncate(MAX_ISSUES);
        }
        all
    }

    /// Whether there is an error outside the sources.
    pub(super) fn has_global_errors(&self) -> bool {
        !self.errors.borrow().is_empty()
    }

    /// Returns the parsed value if there is no error.
    pub(super) fn into_result<T>(self, read: Option<T>) -> Result<T, PolicyError> {
        let mut issues = self.errors.into_inner();
        issues.extend(self.by_source.into_inner().into_values().flatten());
        match read {
            Some(read) if issues.is_empty() => Ok(read),
            _ => {
                issues.sort_by(compare_lines);
                let omitted = issues.len().saturating_sub(MAX_ISSUES);
                issues.truncate(MAX_ISSUES);
                Err(PolicyError { issues, omitted })
            }
        }
    }
}

fn compare_lines(a: &ConfigIssue, b: &ConfigIssue) -> std::cmp::Ordering {
    (a.line, &a.key).cmp(&(b.line, &b.key))
}
