//! The output of the findings, grouped by rule.

use std::fmt::Write as _;

use super::{Finding, Rule};

/// The maximum number of findings of a rule in the output, without `--all`.
const MAX_FINDINGS_PER_RULE: usize = 20;

/// One block for each broken rule: its description, its findings and their number.
pub(super) fn report(findings: &[Finding], all: bool) -> String {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| (finding.rule, &finding.path, finding.line));
    let max = if all { usize::MAX } else { MAX_FINDINGS_PER_RULE };
    let mut output = String::new();
    for group in sorted.chunk_by(|one, next| one.rule == next.rule) {
        let rule: Rule = group[0].rule;
        let _ = writeln!(output, "{rule:?}: {}: {} findings", rule.description(), group.len());
        for Finding { path, line, text, .. } in group.iter().take(max) {
            let _ = writeln!(output, "  {path}:{line}: {text}");
        }
        if group.len() > max {
            let _ = writeln!(output, "  … {} more; `--all` prints them", group.len() - max);
        }
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(rule: Rule, line: usize) -> Finding {
        Finding { rule, path: "a.rs".into(), line, text: "text".into() }
    }

    #[test]
    fn report_groups_findings_by_rule() {
        let findings = [finding(Rule::Size, 1), finding(Rule::Phrases, 2), finding(Rule::Size, 3)];
        let lines: Vec<_> = report(&findings, false).lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 5);
        assert!(lines[0].ends_with(": 1 findings"), "{lines:?}");
        assert_eq!(lines[1], "  a.rs:2: text");
        assert!(lines[2].ends_with(": 2 findings"), "{lines:?}");
    }

    #[test]
    fn report_shortens_long_groups_without_all() {
        let findings: Vec<_> = (1..=25).map(|line| finding(Rule::Size, line)).collect();
        let short = report(&findings, false);
        assert_eq!(short.lines().count(), 1 + MAX_FINDINGS_PER_RULE + 1);
        assert!(short.ends_with("… 5 more; `--all` prints them\n"), "{short}");
        assert_eq!(report(&findings, true).lines().count(), 26);
    }
}
