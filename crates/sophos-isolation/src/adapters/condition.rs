//! Policy conditions on the members of a document.

use serde_json::Value;
use wildmatch::WildMatch;

use super::pointer::{DocumentContext, Pointers};
use crate::hostname::to_lowercase;

/// A condition that a document must meet to be acted on.
///
/// Texts, numbers and booleans are compared as texts, ignoring case. A list meets a test if one
/// element meets it. For the negated tests, every element must. An object meets no test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// The pointers. The first with a value counts.
    pub pointers: Pointers,
    /// The test of that value.
    pub test: ConditionTest,
}

/// The test of a condition. Texts and patterns are in lower case. In a pattern, `*` matches any
/// text and `?` matches one character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConditionTest {
    /// One of these texts.
    In(Vec<String>),
    /// None of these texts. A missing member meets the test.
    NotIn(Vec<String>),
    /// A text that matches one of these patterns.
    Matches(Vec<String>),
    /// A text that matches none of these patterns. A missing member meets the test.
    NotMatches(Vec<String>),
    /// If true, no value, null or an empty text. If false, any other value.
    Absent(bool),
}

impl Condition {
    pub(super) fn is_met(&self, at: DocumentContext<'_>) -> bool {
        let found = self.pointers.0.iter().find_map(|pointer| {
            pointer
                .find(at.document, at.root)
                .filter(|found| found.as_str().is_none_or(|text| !text.trim().is_empty()))
        });
        let found = found.as_deref();
        match &self.test {
            ConditionTest::In(words) => any_element(found, |text| words.contains(text)),
            ConditionTest::NotIn(words) => no_element(found, |text| words.contains(text)),
            ConditionTest::Matches(patterns) => any_element(found, |text| matches_any(patterns, text)),
            ConditionTest::NotMatches(patterns) => no_element(found, |text| matches_any(patterns, text)),
            ConditionTest::Absent(absent) => found.is_none() == *absent,
        }
    }
}

/// Normalizes a text for comparison in conditions.
pub(crate) fn normalize(text: &str) -> String {
    to_lowercase(text.trim())
}

/// The text of a scalar.
fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(normalize(text)),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn elements(value: Option<&Value>) -> &[Value] {
    match value {
        Some(Value::Array(items)) => items,
        Some(value) => std::slice::from_ref(value),
        None => &[],
    }
}

fn any_element(value: Option<&Value>, test: impl Fn(&String) -> bool) -> bool {
    elements(value).iter().filter_map(scalar_text).any(|text| test(&text))
}

/// Objects and nulls cannot be compared and fail the test.
fn no_element(value: Option<&Value>, test: impl Fn(&String) -> bool) -> bool {
    elements(value).iter().all(|value| scalar_text(value).is_some_and(|text| !test(&text)))
}

fn matches_any(patterns: &[String], text: &str) -> bool {
    patterns.iter().any(|pattern| WildMatch::new(pattern).matches(text))
}
