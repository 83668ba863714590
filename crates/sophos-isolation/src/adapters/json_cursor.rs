//! Access to members of JSON of any shape.

use std::collections::HashSet;

use serde_json::Value;

use crate::signal::{Severity, clean};

/// The maximum number of identifiers of one kind per host.
pub(super) const MAX_IDENTIFIERS: usize = 16;

/// A position in a message, with or without a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct JsonCursor<'v>(Option<&'v Value>);

impl<'v> From<&'v Value> for JsonCursor<'v> {
    fn from(value: &'v Value) -> Self {
        Self((!value.is_null()).then_some(value))
    }
}

impl<'v> JsonCursor<'v> {
    /// A position without a value.
    pub(super) const MISSING: Self = Self(None);

    /// The value.
    pub(super) fn value(self) -> Option<&'v Value> {
        self.0
    }

    pub(super) fn exists(self) -> bool {
        self.0.is_some()
    }

    pub(super) fn is_object(self) -> bool {
        self.0.is_some_and(Value::is_object)
    }

    /// The member at a path of names separated by slashes. Senders disagree on case and
    /// underscores, so `computer_name` also finds `ComputerName`.
    pub(super) fn get(self, path: &str) -> Self {
        path.split('/').fold(self, Self::get_member)
    }

    fn get_member(self, name: &str) -> Self {
        let Some(Value::Object(members)) = self.0 else { return Self::MISSING };
        let exact = members.get(name).filter(|value| !value.is_null());
        Self(exact.or_else(|| {
            let alike = members.iter().filter(|(key, value)| !value.is_null() && is_same_member(key, name));
            alike.min_by_key(|(key, _)| *key).map(|(_, value)| value)
        }))
    }

    /// The first of these paths that leads to a text.
    pub(super) fn first_with_text(self, paths: &[&str]) -> Self {
        let mut cursors = paths.iter().map(|path| self.get(path));
        cursors.find(|cursor| cursor.text().is_some()).unwrap_or(Self::MISSING)
    }

    /// The members of an object.
    pub(super) fn members(self) -> impl Iterator<Item = (&'v str, Self)> {
        let members = self.0.and_then(Value::as_object);
        members.into_iter().flatten().map(|(name, value)| (name.as_str(), Self::from(value)))
    }

    /// The elements of a list; any other value is a list of one.
    pub(super) fn elements(self) -> impl Iterator<Item = Self> {
        let items = match self.0 {
            Some(Value::Array(items)) => items.as_slice(),
            Some(value) => std::slice::from_ref(value),
            None => &[],
        };
        items.iter().map(Self::from).filter(|cursor| cursor.exists())
    }

    /// The first list at one of these paths.
    pub(super) fn first_list(self, paths: &[&str]) -> Option<Self> {
        paths.iter().map(|path| self.get(path)).find(|cursor| cursor.0.is_some_and(Value::is_array))
    }

    /// The unchanged text. A number, and the only element of a list, count as text.
    fn raw_text(self) -> Option<String> {
        let scalar = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        match self.0? {
            Value::Array(items) if items.len() == 1 => scalar(&items[0]),
            value => scalar(value),
        }
    }

    /// The unchanged text, unless it is a placeholder.
    pub(super) fn text(self) -> Option<String> {
        self.raw_text().filter(|text| !is_placeholder(text) && !is_unfilled_template(text))
    }

    /// The text, sanitized for display.
    pub(super) fn display_text(self) -> Option<String> {
        self.raw_text().map(|text| clean(&text)).filter(|text| !is_placeholder(text))
    }

    /// The text for comparison: its ASCII letters and digits in lower case.
    pub(super) fn normalized_text(self) -> String {
        let text = self.text().unwrap_or_default();
        text.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
    }

    /// Texts that identify something. A text that sanitizing would change is dropped, because the
    /// identified thing is then uncertain.
    pub(super) fn identifiers(self) -> Vec<String> {
        let texts = self.elements().filter_map(|item| item.0?.as_str());
        identifiers(texts)
    }

    /// The identifiers without a limit on their number.
    pub(super) fn all_identifiers(self) -> Vec<String> {
        let texts = self.elements().filter_map(|item| item.0?.as_str());
        distinct_identifiers(texts, usize::MAX)
    }

    /// The first of the [`identifiers`](Self::identifiers).
    pub(super) fn identifier(self) -> Option<String> {
        self.identifiers().into_iter().next()
    }

    pub(super) fn number(self) -> Option<f64> {
        self.text()?.trim().parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// Whether the value is `true`, or a text with that meaning.
    pub(super) fn is_true(self) -> bool {
        self.0 == Some(&Value::Bool(true)) || self.normalized_text() == "true"
    }

    /// Parses a severity word.
    pub(super) fn severity(self) -> Option<Severity> {
        Some(match self.normalized_text().as_str() {
            "informational" | "information" | "info" => Severity::Informational,
            "low" => Severity::Low,
            "medium" | "moderate" => Severity::Medium,
            "high" => Severity::High,
            "critical" | "fatal" => Severity::Critical,
            _ => return None,
        })
    }
}

/// Parses a severity word, for tools without other severities.
pub(super) fn parse_severity(cursor: JsonCursor<'_>) -> Option<Severity> {
    cursor.severity()
}

/// The distinct texts that identify something, at most [`MAX_IDENTIFIERS`].
pub(super) fn identifiers<'t>(texts: impl IntoIterator<Item = &'t str>) -> Vec<String> {
    distinct_identifiers(texts, MAX_IDENTIFIERS)
}

fn distinct_identifiers<'t>(texts: impl IntoIterator<Item = &'t str>, max: usize) -> Vec<String> {
    let mut identifiers: Vec<String> = Vec::new();
    let mut known = HashSet::new();
    for text in texts {
        let text = text.trim();
        if identifiers.len() == max {
            break;
        }
        let is_fact = !is_placeholder(text) && !is_unfilled_template(text) && clean(text) == text;
        if is_fact && known.insert(text) {
            identifiers.push(text.to_owned());
        }
    }
    identifiers
}

/// The severity of a number, given the lower bound of each severity above informational.
pub(super) fn severity_from_score(number: f64, [low, medium, high, critical]: [f64; 4]) -> Severity {
    match number {
        n if n >= critical => Severity::Critical,
        n if n >= high => Severity::High,
        n if n >= medium => Severity::Medium,
        n if n >= low => Severity::Low,
        _ => Severity::Informational,
    }
}

fn is_same_member(one: &str, other: &str) -> bool {
    fn letters(name: &str) -> impl Iterator<Item = char> {
        name.chars().filter(|letter| *letter != '_').map(|letter| letter.to_ascii_lowercase())
    }
    letters(one).eq(letters(other))
}

/// Whether a text is a sender's placeholder for a missing value.
fn is_placeholder(text: &str) -> bool {
    let text = text.trim();
    let words = ["", "-", "--", "null", "nil", "n/a", "unknown", "none", "undefined"];
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Whether a text is an unfilled template of the sender.
fn is_unfilled_template(text: &str) -> bool {
    text.contains("${") || text.contains("{{")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn get_prefers_the_exact_member_spelling() {
        let value = json!({"ComputerName": "a", "computer_name": null, "b": {"LocalIP": "c"}, "B": 1});
        let cursor = JsonCursor::from(&value);
        assert_eq!(cursor.get("computer_name").text(), Some("a".into()));
        assert_eq!(cursor.get("b/local_ip").text(), Some("c".into()));
        assert_eq!(cursor.get("B").text(), Some("1".into()));
        assert!(!cursor.get("b/local_ip/x").exists());
        assert!(!cursor.get("c").exists());
    }

    #[test]
    fn text_is_none_for_placeholders() {
        for text in ["", " ", "-", "null", "N/A", "Unknown", "none", "${data.host}", "{{host}}"] {
            let value = json!(text);
            assert_eq!(JsonCursor::from(&value).text(), None, "{text}");
            assert_eq!(JsonCursor::from(&value).identifier(), None, "{text}");
        }
        assert_eq!(JsonCursor::from(&json!(["one"])).text(), Some("one".into()));
        assert_eq!(JsonCursor::from(&json!(["one", "two"])).text(), None);
        assert_eq!(JsonCursor::from(&json!(true)).text(), None);
    }

    #[test]
    fn identifier_is_none_when_cleaning_would_change_it() {
        let value = json!(["DC\u{200b}01", "a\nb", "é".repeat(201), " host ", "host", 7, null]);
        assert_eq!(JsonCursor::from(&value).identifiers(), ["host"]);
        let many: Vec<_> = (0..100).map(|n| format!("host-{n}")).collect();
        assert_eq!(JsonCursor::from(&json!(many)).identifiers().len(), MAX_IDENTIFIERS);
    }

    #[test]
    fn severity_from_score_uses_the_given_thresholds() {
        let steps = [1.0, 4.0, 7.0, 9.0];
        let severities = [0.9, 1.0, 4.0, 7.0, 9.0].map(|number| severity_from_score(number, steps));
        assert_eq!(severities, Severity::ALL);
    }
}
