//! Policies that are wrong, and where.

// Each file of tests is a crate of its own, and uses its own part of this.
#![allow(dead_code)]

use sophos_isolation::policy::{Policy, PolicyError};

pub(crate) const TENANT: &str = "11f104c5-cc4a-4a9f-bb9c-632c936dfb9f";
pub(crate) const OTHER: &str = "0afef0e6-5df7-4cc0-b8d4-068cfd6820d1";

pub(crate) fn invalid_policy(text: &str) -> PolicyError {
    match Policy::parse(text) {
        Ok(_) => panic!("this is taken:\n{text}"),
        Err(error) => error,
    }
}

/// The lines and keys of what is wrong.
pub(crate) fn issue_positions(error: &PolicyError) -> Vec<(usize, &str)> {
    error.issues().iter().map(|mistake| (mistake.line, mistake.key.as_str())).collect()
}

/// What is wrong with a file whose first line is its version.
pub(crate) fn assert_file_issues(lines: &str, expected: &[(usize, &str, &str)]) {
    let text = format!("version = 1\n{lines}");
    let error = invalid_policy(&text);
    let expected_places: Vec<_> = expected.iter().map(|(line, key, _)| (*line, *key)).collect();
    assert_eq!(issue_positions(&error), expected_places, "{text}\n{error}");
    for (mistake, (_, _, problem)) in error.issues().iter().zip(expected) {
        assert!(mistake.message.contains(problem), "{text}\n{error}");
    }
}

/// The same of a source, whose first own line is the fourth of the file.
pub(crate) fn assert_source_issues(lines: &str, expected: &[(usize, &str, &str)]) {
    assert_file_issues(&format!("[sources.s]\ntenants = [\"{TENANT}\"]\n{lines}"), expected);
}

/// The same of its verification, in the fifth line.
pub(crate) fn assert_verify_issues(tool: &str, verify: &str, expected: &[(&str, &str)]) {
    let lines = format!("tool = \"{tool}\"\nverify = {{ {verify} }}");
    let places: Vec<_> =
        expected.iter().map(|(key, problem)| (5, format!("sources.s.verify{key}"), *problem)).collect();
    assert_source_issues(
        &lines,
        &places.iter().map(|(line, key, problem)| (*line, key.as_str(), *problem)).collect::<Vec<_>>(),
    );
}
