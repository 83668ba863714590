//! The results of all targets in one table.

use std::{fmt::Write, fs, path::Path};

use crate::error::Error;

/// The prefix of the comment at the top of each target.
const ATTACK_PREFIX: &str = "//! Fuzz target: ";

/// The kind of a failure, from the prefix of the assertion's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finding {
    /// `wrong isolation: …`: an endpoint is or would be isolated by mistake.
    WrongIsolation,
    /// Any other failure: a panic, a timeout, too much memory.
    Crash,
    /// `leak: …`: a secret appears in the output.
    Leak,
}

/// The result of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    target: String,
    attack: String,
    inputs: u64,
    finding: Option<Finding>,
}

/// The results of all targets. A target ends with its first finding.
#[derive(Debug, Default)]
pub(super) struct Summary {
    rows: Vec<Row>,
}

impl Finding {
    /// The kind of a failure with this message.
    pub(super) fn from_message(problem: &str) -> Self {
        let begins = |word: &str| problem.lines().any(|line| line.trim_start().contains(word));
        match (begins("wrong isolation: "), begins("leak: ")) {
            (true, _) => Self::WrongIsolation,
            (false, true) => Self::Leak,
            (false, false) => Self::Crash,
        }
    }
}

impl Row {
    pub(super) fn new(target: &str, attack: String, inputs: u64, finding: Option<Finding>) -> Self {
        Self { target: target.to_owned(), attack, inputs, finding }
    }

    fn counts(&self) -> [u64; 4] {
        let is = |finding| u64::from(self.finding == Some(finding));
        [self.inputs, is(Finding::WrongIsolation), is(Finding::Crash), is(Finding::Leak)]
    }
}

impl Summary {
    pub(super) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// The table with a heading and the command that creates it.
    pub(super) fn document(&self, cases: u32) -> String {
        let table = self.markdown();
        format!(
            "# Attacks\n\nResults of the fuzz targets and of the property tests of `sophos-isolation`, by attack. \
             A wrong isolation is one of a protected machine or of a machine that the alert does not name. A leak \
             is a secret or token in an answer, a log record or a stored object.\n\n```sh\n\
             cargo xtask fuzz --report docs/attacks.md --cases {cases}\n```\n\n{table}"
        )
    }

    /// The table in Markdown, with a line for each target and a total.
    pub(super) fn markdown(&self) -> String {
        let mut table = "| attack | target | inputs | wrong isolations | crashes | leaks |\n\
                         |---|---|---:|---:|---:|---:|\n"
            .to_owned();
        let mut sum = [0; 4];
        for row in &self.rows {
            let counts = row.counts();
            write_row(&mut table, &row.attack, &format!("`{}`", row.target), counts);
            sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        write_row(&mut table, "all", "", sum);
        table
    }
}

fn write_row(table: &mut String, attack: &str, target: &str, counts: [u64; 4]) {
    let [inputs, wrong, crashes, leaks] = counts;
    let _ = writeln!(table, "| {attack} | {target} | {inputs} | {wrong} | {crashes} | {leaks} |");
}

/// The attack of a target, from the comment at its top.
pub(super) fn read_attack(package: &Path, target: &str) -> Result<String, Error> {
    let file = package.join("src/bin").join(format!("{target}.rs"));
    let text = fs::read_to_string(&file)
        .map_err(|error| Error::new(format!("reading {} failed: {error}", file.display())))?;
    let title = text.lines().find_map(|line| line.strip_prefix(ATTACK_PREFIX));
    let title = title.ok_or_else(|| {
        Error::new(format!("invalid comment in {}: expected `{ATTACK_PREFIX}…`", file.display()))
    })?;
    Ok(title.trim_end_matches('.').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_counts_each_kind_of_finding() {
        let mut summary = Summary::default();
        for (target, finding) in [
            ("names", Some(Finding::WrongIsolation)),
            ("policy", Some(Finding::Crash)),
            ("request", Some(Finding::Leak)),
            ("okta", None),
        ] {
            summary.add(Row::new(target, format!("an attack on {target}"), 7, finding));
        }
        assert_eq!(
            summary.markdown(),
            "| attack | target | inputs | wrong isolations | crashes | leaks |\n\
             |---|---|---:|---:|---:|---:|\n\
             | an attack on names | `names` | 7 | 1 | 0 | 0 |\n\
             | an attack on policy | `policy` | 7 | 0 | 1 | 0 |\n\
             | an attack on request | `request` | 7 | 0 | 0 | 1 |\n\
             | an attack on okta | `okta` | 7 | 0 | 0 | 0 |\n\
             | all |  | 28 | 1 | 1 | 1 |\n"
        );
    }

    #[test]
    fn every_target_documents_its_attack() {
        let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sophos-isolation/fuzz");
        for target in super::super::list_targets(&package).expect("targets") {
            assert!(!read_attack(&package, &target).expect("an attack").is_empty(), "{target}");
        }
    }
}
