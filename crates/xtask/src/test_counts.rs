//! The sums of the results of many test binaries.

use std::{collections::BTreeMap, fmt};

/// The numbers of passed, failed and ignored tests.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TestCounts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// The numbers of tests that did not run, by reason.
    pub(crate) ignored: BTreeMap<String, u64>,
}

impl TestCounts {
    /// Adds a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; …` or `test a
    /// ... ignored, needs Python`. Ignores other lines.
    pub(crate) fn add_line(&mut self, line: &str) {
        if let Some((_, reason)) = line.strip_prefix("test ").and_then(|test| test.split_once(" ... ignored"))
        {
            let reason = reason.trim_start_matches(", ").trim();
            let reason = if reason.is_empty() { "no reason" } else { reason };
            *self.ignored.entry(reason.to_owned()).or_default() += 1;
        }
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|result| result.split_once(". "))
        else {
            return;
        };
        for count in counts.split("; ") {
            match count.split_once(' ') {
                Some((number, "passed")) => self.passed += number.parse().unwrap_or(0),
                Some((number, "failed")) => self.failed += number.parse().unwrap_or(0),
                _ => {}
            }
        }
    }

    /// Adds a run of tests that were ignored for this reason.
    pub(crate) fn add_ignored_run(&mut self, run: &Self, reason: &str) {
        self.passed += run.passed;
        self.failed += run.failed;
        if let Some(left) = self.ignored.get_mut(reason) {
            *left = left.saturating_sub(run.passed + run.failed);
        }
        self.ignored.retain(|_, count| *count > 0);
    }

    /// The numbers of ignored tests by reason.
    pub(crate) fn ignored(&self) -> impl Iterator<Item = (&str, u64)> {
        self.ignored.iter().map(|(reason, count)| (reason.as_str(), *count))
    }
}

impl fmt::Display for TestCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ignored: u64 = self.ignored.values().sum();
        write!(f, "{} passed, {} failed, {ignored} ignored", self.passed, self.failed)?;
        self.ignored().try_for_each(|(reason, count)| write!(f, "\n  {count} ignored: {reason}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REASON: &str = "needs Python: `cargo xtask test` runs it";

    fn counts_of(lines: &[&str]) -> TestCounts {
        let mut tally = TestCounts::default();
        lines.iter().for_each(|line| tally.add_line(line));
        tally
    }

    #[test]
    fn tally_sums_test_result_lines() {
        let tally = counts_of(&[
            "running 3 tests",
            "test a ... ok",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s",
            "test result: FAILED. 10 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s",
            "a test result: ok. 9 passed; 9 failed",
        ]);
        assert_eq!((tally.passed, tally.failed), (13, 2));
        assert_eq!(tally.to_string(), "13 passed, 2 failed, 0 ignored");
    }

    #[test]
    fn tally_names_why_tests_were_ignored_until_they_run() {
        let ignored = format!("test b ... ignored, {REASON}");
        let mut tally =
            counts_of(&[&ignored, "test c ... ignored", &ignored, "test result: ok. 1 passed; 0 failed"]);
        let expected =
            format!("1 passed, 0 failed, 3 ignored\n  2 ignored: {REASON}\n  1 ignored: no reason");
        assert_eq!(tally.to_string(), expected);
        tally.add_ignored_run(&counts_of(&["test result: FAILED. 1 passed; 1 failed; 0 ignored"]), REASON);
        assert_eq!(tally.to_string(), "2 passed, 1 failed, 1 ignored\n  1 ignored: no reason");
    }
}
