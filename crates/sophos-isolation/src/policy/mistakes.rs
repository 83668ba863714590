use std::{cell::RefCell, collections::BTreeMap, fmt};

use crate::signal::clean;

/// The most mistakes that are told.
const MOST: usize = 100;

/// Why a policy cannot be used: everything that is wrong with it.
///
/// It repeats keys, and no values: someone may have written a secret where its
/// name belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyError {
    mistakes: Vec<Mistake>,
    untold: usize,
}

/// One thing that is wrong with a policy, or may be: a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mistake {
    /// The line, from 1.
    pub line: usize,
    /// The key with the tables that it is in, such as `protect.names[2]`;
    /// empty when the file as a whole is meant.
    pub key: String,
    /// What is wrong, and what may be written.
    pub problem: String,
}

impl PolicyError {
    /// What is wrong, by line; the first hundred of it.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }
}

impl std::error::Error for PolicyError {}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the policy cannot be used, mend it and deploy it again")?;
        for mistake in &self.mistakes {
            write!(f, "\n{mistake}")?;
        }
        match self.untold {
            0 => Ok(()),
            untold => write!(f, "\nand {untold} more"),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, key, problem } = self;
        match key.as_str() {
            "" => write!(f, "line {line}: {problem}"),
            key => write!(f, "line {line}, {key}: {problem}"),
        }
    }
}

/// The mistakes found so far in one text.
#[derive(Debug)]
pub(super) struct Mistakes {
    line_ends: Vec<usize>,
    length: usize,
    found: RefCell<Vec<Mistake>>,
    /// The warnings: they do not refuse the policy.
    warnings: RefCell<Vec<Mistake>>,
    /// Those of single sources, by name.
    of_sources: RefCell<BTreeMap<String, Vec<Mistake>>>,
    /// The source that is being read.
    source: RefCell<Option<String>>,
}

impl Mistakes {
    pub(super) fn new(text: &str) -> Self {
        let line_ends =
            text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
        Self {
            line_ends,
            length: text.len(),
            found: RefCell::default(),
            of_sources: RefCell::default(),
            source: RefCell::default(),
            warnings: RefCell::default(),
        }
    }

    /// Notes a mistake at a byte of the text.
    pub(super) fn add(&self, offset: usize, key: &str, problem: impl Into<String>) {
        let mistake = self.at(offset, key, problem.into());
        match &*self.source.borrow() {
            Some(source) => self.of_sources.borrow_mut().entry(source.clone()).or_default().push(mistake),
            None => self.found.borrow_mut().push(mistake),
        }
    }

    /// Notes a warning at a byte of the text.
    pub(super) fn warn(&self, offset: usize, key: &str, problem: impl Into<String>) {
        let warning = self.at(offset, key, problem.into());
        self.warnings.borrow_mut().push(warning);
    }

    fn at(&self, offset: usize, key: &str, problem: String) -> Mistake {
        // What is missing at the end is missing in the last line, not after it.
        let offset = offset.min(self.length.saturating_sub(1));
        let line = 1 + self.line_ends.partition_point(|end| *end < offset);
        Mistake { line, key: clean(key), problem }
    }

    /// Takes out the warnings, by line; the first hundred of them.
    pub(super) fn take_warnings(&self) -> Vec<Mistake> {
        let mut warnings = self.warnings.take();
        warnings.sort_by(by_line);
        warnings.truncate(MOST);
        warnings
    }

    /// Counts the mistakes that `read` finds as those of one source.
    pub(super) fn of_source<T>(&self, name: &str, read: impl FnOnce() -> T) -> T {
        let before = self.source.replace(Some(name.to_owned()));
        let read = read();
        self.source.replace(before);
        read
    }

    /// Takes out the mistakes of sources, each by line.
    pub(super) fn take_of_sources(&self) -> BTreeMap<String, Vec<Mistake>> {
        let mut all = self.of_sources.take();
        for mistakes in all.values_mut() {
            mistakes.sort_by(by_line);
            mistakes.truncate(MOST);
        }
        all
    }

    /// Whether something is wrong outside of sources.
    pub(super) fn is_any_global(&self) -> bool {
        !self.found.borrow().is_empty()
    }

    /// What was read, unless something is wrong.
    pub(super) fn unless_any<T>(self, read: Option<T>) -> Result<T, PolicyError> {
        let mut mistakes = self.found.into_inner();
        mistakes.extend(self.of_sources.into_inner().into_values().flatten());
        match read {
            Some(read) if mistakes.is_empty() => Ok(read),
            _ => {
                mistakes.sort_by(by_line);
                let untold = mistakes.len().saturating_sub(MOST);
                mistakes.truncate(MOST);
                Err(PolicyError { mistakes, untold })
            }
        }
    }
}

fn by_line(a: &Mistake, b: &Mistake) -> std::cmp::Ordering {
    (a.line, &a.key).cmp(&(b.line, &b.key))
}
