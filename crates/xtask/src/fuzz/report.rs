//! The parsed output of libFuzzer.

use std::{fmt::Write, path::Path};

use super::summary::Finding;

/// The maximum number of lines of a panic in the output.
const MAX_LINES: usize = 12;

/// The figures and the finding of a run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FuzzReport {
    pub(super) executions: u64,
    pub(super) per_second: u64,
    pub(super) coverage: u64,
    pub(super) new_units: u64,
    /// The file with the failing input.
    pub(super) artifact: Option<String>,
    /// The message of the failure.
    problem: String,
}

impl FuzzReport {
    /// Parses lines such as `#42 NEW cov: 7 ft: 9 corp: 2/1b …`, `stat::new_units_added: 5`
    /// and `…; Test unit written to path`.
    pub(super) fn parse(output: &str) -> Self {
        let mut report = Self::default();
        for line in output.lines() {
            if let Some(stat) = line.strip_prefix("stat::") {
                report.parse_stat(stat);
            } else if line.starts_with('#') {
                let covered = line.split_once(" cov: ").and_then(|(_, rest)| parse_number(rest));
                report.coverage = covered.unwrap_or(report.coverage);
            } else if let Some((_, path)) = line.split_once("Test unit written to ") {
                report.artifact = Some(path.trim().to_owned());
            }
        }
        report.problem = parse_problem(output);
        report
    }

    fn parse_stat(&mut self, stat: &str) {
        let Some((name, value)) = stat.split_once(':') else { return };
        let field = match name {
            "number_of_executed_units" => &mut self.executions,
            "average_exec_per_sec" => &mut self.per_second,
            "new_units_added" => &mut self.new_units,
            _ => return,
        };
        *field = parse_number(value).unwrap_or(*field);
    }

    /// The kind of the finding, from the prefix of the message.
    pub(super) fn finding(&self) -> Option<Finding> {
        self.artifact.as_ref().map(|_| Finding::from_message(&self.problem))
    }

    /// The finding, and the command that reproduces it.
    pub(super) fn crash_message(&self, target: &str, binaries: &Path) -> Option<String> {
        let artifact = self.artifact.as_ref()?;
        let binary = binaries.join(target);
        Some(format!(
            "{target} found an input that fails: {artifact}\n{}\nreproduce it with: {} {artifact}\n\
             fix it, and keep the input as a test of the crate",
            self.problem,
            binary.display(),
        ))
    }
}

/// The message of a panic, or libFuzzer's message for a timeout and the like.
fn parse_problem(output: &str) -> String {
    let is_end = |line: &&str| ["stack backtrace:", "note: ", "=="].iter().any(|end| line.starts_with(end));
    let panic = output.lines().skip_while(|line| !line.contains("panicked at "));
    let panic: Vec<_> = panic.take_while(|line| !is_end(line)).take(MAX_LINES).collect();
    let error =
        || output.lines().find(|line| line.contains("ERROR: libFuzzer")).unwrap_or_default().to_owned();
    if panic.is_empty() { error() } else { panic.join("\n") }
}

fn parse_number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

/// A table with one line for each target.
pub(super) fn table(reports: &[(String, FuzzReport)]) -> String {
    let mut table = format!(
        "{:<20} {:>11} {:>9} {:>9} {:>9}  {}",
        "target", "executions", "per second", "coverage", "new units", "result"
    );
    for (target, report) in reports {
        let FuzzReport { executions, per_second, coverage, new_units, artifact, .. } = report;
        let result = if artifact.is_some() { "FAILED" } else { "ok" };
        let _ = write!(
            table,
            "\n{target:<20} {executions:>11} {per_second:>9} {coverage:>9} {new_units:>9}  {result}"
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: &str = "\
INFO: Seed: 2410312987
#5	INITED cov: 310 ft: 420 corp: 4/1201b exec/s: 0 rss: 40Mb
#4096	NEW    cov: 1222 ft: 4300 corp: 210/40Kb lim: 1024 exec/s: 2048 rss: 60Mb L: 9/900 MS: 1 EraseBytes-
	NEW_FUNC[1/3]: 0x55 cov: 7
#81293	DONE   cov: 1310 ft: 5120 corp: 460/90Kb lim: 2100 exec/s: 7390 rss: 120Mb
Done 81293 runs in 11 second(s)
stat::number_of_executed_units: 81293
stat::average_exec_per_sec:     7390
stat::new_units_added:          455
stat::slowest_unit_time_sec:    0
stat::peak_rss_mb:              120
";

    const CRASH: &str = "\
#7	INITED cov: 310 ft: 420 corp: 4/1201b exec/s: 0 rss: 40Mb

thread '<unnamed>' (4711) panicked at src/adapters.rs:99:9:
assertion failed: list.len() <= 16
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
==4711== ERROR: libFuzzer: deadly signal
NOTE: libFuzzer has rudimentary signal handlers.
MS: 1 ChangeBit-; base unit: adc83b19
0x7b,0x7d,
artifact_prefix='/t/okta/'; Test unit written to /t/okta/crash-0123
stat::number_of_executed_units: 9
";

    #[test]
    fn report_uses_the_last_statistics() {
        let report = FuzzReport::parse(QUIET);
        let figures = (report.executions, report.per_second, report.coverage, report.new_units);
        assert_eq!(figures, (81_293, 7_390, 1_310, 455));
        assert_eq!(report.crash_message("okta", Path::new("/b")), None);
        assert_eq!(report.finding(), None);
        assert_eq!(FuzzReport::parse("stat::new_units_added: x\n#1 cov:\nstat::"), FuzzReport::default());
    }

    #[test]
    fn crash_report_includes_cause_and_reproduction() {
        let report = FuzzReport::parse(CRASH);
        assert_eq!((report.executions, report.coverage), (9, 310));
        assert_eq!(report.finding(), Some(Finding::Crash));
        let wrong = CRASH.replace("assertion failed:", "wrong isolation: dc01 is not protected");
        assert_eq!(FuzzReport::parse(&wrong).finding(), Some(Finding::WrongIsolation));
        let leak = CRASH.replace("assertion failed:", "leak: the answer has a secret");
        assert_eq!(FuzzReport::parse(&leak).finding(), Some(Finding::Leak));
        assert_eq!(
            report.crash_message("okta", Path::new("/b")).expect("a crash"),
            "okta found an input that fails: /t/okta/crash-0123\n\
             thread '<unnamed>' (4711) panicked at src/adapters.rs:99:9:\n\
             assertion failed: list.len() <= 16\n\
             reproduce it with: /b/okta /t/okta/crash-0123\n\
             fix it, and keep the input as a test of the crate"
        );
    }

    #[test]
    fn report_falls_back_to_the_libfuzzer_error() {
        let timeout = "==7== ERROR: libFuzzer: timeout after 10 seconds\nTest unit written to /t/timeout-1";
        let crash = FuzzReport::parse(timeout).crash_message("okta", Path::new("/b")).expect("a crash");
        assert!(
            crash.contains("/t/timeout-1\n==7== ERROR: libFuzzer: timeout after 10 seconds\n"),
            "{crash}"
        );
    }

    #[test]
    fn table_has_one_row_per_target() {
        let reports =
            [("okta".to_owned(), FuzzReport::parse(QUIET)), ("policy".to_owned(), FuzzReport::parse(CRASH))];
        let table = table(&reports);
        let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[1], ["okta", "81293", "7390", "1310", "455", "ok"]);
        assert_eq!(lines[2], ["policy", "9", "0", "310", "0", "FAILED"]);
    }
}
