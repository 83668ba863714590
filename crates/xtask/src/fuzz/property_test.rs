//! The property tests among the fuzz targets.

use std::time::{Duration, Instant};

use super::summary::Finding;
use crate::{error::Error, shell, test_counts::TestCounts, workspace::Workspace};

/// The name of the target.
pub(super) const NAME: &str = "identity";

/// The attack in the tests.
pub(super) const ATTACK: &str = "alerts about one machine, with random estates and spellings of names";

/// The arguments of the optimized `cargo test`.
const TEST_ARGUMENTS: [&str; 10] = [
    "test",
    "--locked",
    "--profile",
    "tools",
    "--package",
    "sophos-isolation",
    "--test",
    "wrong_machine",
    "--test",
    "protected_names",
];

/// The result of a run.
#[derive(Debug)]
pub(super) struct PropertyReport {
    tally: TestCounts,
    cases: u32,
    time: Duration,
    success: bool,
}

/// Runs the tests with this number of cases of each property. The report includes a failure.
pub(super) fn run(workspace: &Workspace, cases: u32) -> Result<PropertyReport, Error> {
    shell::step(&format!("build the property test {NAME}"), || {
        let mut build = shell::cargo(&workspace.root);
        build.args(TEST_ARGUMENTS).arg("--no-run");
        shell::stdout(&mut build, "fix the errors above").map(drop)
    })?;
    let begin = Instant::now();
    let mut tally = TestCounts::default();
    let success = shell::step(&format!("fuzz {NAME}"), || {
        let mut test = shell::cargo(&workspace.root);
        test.args(TEST_ARGUMENTS).arg("--quiet").env("PROPTEST_CASES", cases.to_string());
        shell::stream(&mut test, |line| tally.add_line(line))
    })?;
    Ok(PropertyReport { tally, cases, time: begin.elapsed(), success })
}

impl PropertyReport {
    /// The result in one line.
    pub(super) fn summary_line(&self) -> String {
        let Self { tally, cases, time, success } = self;
        let result = if *success { "ok" } else { "FAILED" };
        let (properties, seconds) = (tally.passed + tally.failed, time.as_secs_f64());
        format!("{NAME}: {properties} properties, {cases} cases each, in {seconds:.1} s: {result}")
    }

    /// The number of cases of all properties.
    pub(super) fn inputs(&self) -> u64 {
        (self.tally.passed + self.tally.failed) * u64::from(self.cases)
    }

    /// The kind of a failure: each property is about the choice of the machine.
    pub(super) fn finding(&self) -> Option<Finding> {
        (!self.success).then_some(Finding::WrongIsolation)
    }

    /// The command that reproduces a failure, if any.
    pub(super) fn reproduction(&self) -> Option<String> {
        (!self.success).then(|| {
            format!(
                "{NAME} found a case that fails; the output above has the smallest one\n\
                 to reproduce it: PROPTEST_CASES={} cargo {}\n\
                 fix it, and keep the case as a test of the crate",
                self.cases,
                TEST_ARGUMENTS.join(" "),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(passed: u64, failed: u64) -> PropertyReport {
        let tally = TestCounts { passed, failed, ..TestCounts::default() };
        PropertyReport { tally, cases: 100_000, time: Duration::from_millis(12_340), success: failed == 0 }
    }

    #[test]
    fn report_states_cases_and_time_when_all_hold() {
        let report = report(3, 0);
        assert_eq!(report.summary_line(), "identity: 3 properties, 100000 cases each, in 12.3 s: ok");
        assert_eq!(report.reproduction(), None);
        assert_eq!((report.inputs(), report.finding()), (300_000, None));
    }

    #[test]
    fn report_names_the_command_when_a_case_fails() {
        let report = report(2, 1);
        assert_eq!(report.summary_line(), "identity: 3 properties, 100000 cases each, in 12.3 s: FAILED");
        assert_eq!(report.finding(), Some(Finding::WrongIsolation));
        let failure = report.reproduction().expect("a failure");
        assert!(
            failure.contains("PROPTEST_CASES=100000 cargo test --locked --profile tools --package"),
            "{failure}"
        );
    }
}
