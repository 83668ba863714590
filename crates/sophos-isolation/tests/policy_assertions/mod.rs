//! Assertions on the issues of invalid policies.

// Each test file is a separate crate and uses a part of this module.
#![allow(dead_code)]

use sophos_isolation::policy::{Policy, PolicyError};

pub(crate) const TENANT: &str = "11f104c5-cc4a-4a9f-bb9c-632c936dfb9f";
pub(crate) const OTHER: &str = "0afef0e6-5df7-4cc0-b8d4-068cfd6820d1";

pub(crate) fn invalid_policy(text: &str) -> PolicyError {
    match Policy::parse(text) {
        Ok(_) => panic!("the policy is valid:\n{text}"),
        Err(error) => error,
    }
}

/// The lines and keys of the issues.
pub(crate) fn issue_positions(error: &PolicyError) -> Vec<(usize, &str)> {
    error.issues().iter().map(|issue| (issue.line, issue.key.as_str())).collect()
}

/// Asserts the issues of a file whose first line is its version.
pub(crate) fn assert_file_issues(lines: &str, expected: &[(usize, &str, &str)]) {
    let text = format!("version = 1\n{lines}");
    let error = invalid_policy(&text);
    let expected_places: Vec<_> = expected.iter().map(|(line, key, _)| (*line, *key)).collect();
    assert_eq!(issue_positions(&error), expected_places, "{text}\n{error}");
    for (issue, (_, _, message)) in error.issues().iter().zip(expected) {
        assert!(issue.message.contains(message), "{text}\n{error}");
    }
}

/// Asserts the issues of a source. Its own lines begin at line 4 of the file.
pub(crate) fn assert_source_issues(lines: &str, expected: &[(usize, &str, &str)]) {
    assert_file_issues(&format!("[sources.s]\ntenants = [\"{TENANT}\"]\n{lines}"), expected);
}

/// Asserts the issues of a source's verification, which is in line 5.
pub(crate) fn assert_verify_issues(tool: &str, verify: &str, expected: &[(&str, &str)]) {
    let lines = format!("tool = \"{tool}\"\nverify = {{ {verify} }}");
    let places: Vec<_> =
        expected.iter().map(|(key, message)| (5, format!("sources.s.verify{key}"), *message)).collect();
    assert_source_issues(
        &lines,
        &places.iter().map(|(line, key, message)| (*line, key.as_str(), *message)).collect::<Vec<_>>(),
    );
}
