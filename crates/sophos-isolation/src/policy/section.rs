//! A table of the policy, whose keys are taken one at a time. An issue is recorded with its line,
//! and parsing continues.

use std::{str::FromStr, time::Duration};

use toml::de::{DeTable, DeValue};

use super::issues::ConfigIssues;

/// The maximum duration in seconds: 366 days.
const MAX_DURATION_SECONDS: u64 = 366 * 24 * 60 * 60;

/// A table and its known keys.
#[derive(Debug)]
pub(super) struct Section<'a, 'i> {
    issues: &'a ConfigIssues,
    path: String,
    offset: usize,
    table: &'a DeTable<'i>,
    known_keys: Vec<&'static str>,
}

/// A value and its position.
#[derive(Debug, Clone)]
pub(super) struct Item<'a, 'i> {
    issues: &'a ConfigIssues,
    path: String,
    offset: usize,
    value: &'a DeValue<'i>,
}

impl<'a, 'i> Section<'a, 'i> {
    pub(super) fn root(issues: &'a ConfigIssues, table: &'a DeTable<'i>) -> Self {
        Self { issues, path: String::new(), offset: 0, table, known_keys: Vec::new() }
    }

    /// The value of a key. The key becomes known.
    pub(super) fn optional(&mut self, key: &'static str) -> Option<Item<'a, 'i>> {
        self.known_keys.push(key);
        let (name, value) = self.table.get_key_value(key)?;
        Some(self.item(key, name.span().start, value.get_ref()))
    }

    /// The value of a required key.
    pub(super) fn require(&mut self, key: &'static str, remedy: &str) -> Option<Item<'a, 'i>> {
        let item = self.optional(key);
        if item.is_none() {
            self.issues.add(self.offset, &self.key_path(key), format!("missing key: {remedy}"));
        }
        item
    }

    /// The nested table of a key, if present.
    pub(super) fn section(&mut self, key: &'static str) -> Option<Self> {
        self.optional(key)?.section()
    }

    /// All entries by line, for a table whose keys the operator chooses.
    pub(super) fn entries(&self) -> Vec<(&'a str, Item<'a, 'i>)> {
        let mut entries: Vec<_> = self
            .table
            .iter()
            .map(|(name, value)| {
                let key: &'a str = name.get_ref();
                (key, self.item(key, name.span().start, value.get_ref()))
            })
            .collect();
        entries.sort_by_key(|(_, item)| item.offset);
        entries
    }

    /// Records an issue of the table as a whole.
    pub(super) fn error(&self, message: impl Into<String>) {
        self.issues.add(self.offset, &self.path, message);
    }

    /// Records an issue for every unknown key.
    pub(super) fn finish(self) {
        for (name, item) in self.entries() {
            if !self.known_keys.contains(&name) {
                item.error(format!("unknown key: expected one of {}", self.known_keys.join(", ")));
            }
        }
    }

    fn item(&self, key: &str, offset: usize, value: &'a DeValue<'i>) -> Item<'a, 'i> {
        Item { issues: self.issues, path: self.key_path(key), offset, value }
    }

    fn key_path(&self, key: &str) -> String {
        match self.path.as_str() {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        }
    }
}

impl<'a, 'i> Item<'a, 'i> {
    /// Records an issue of this value.
    pub(super) fn error(&self, message: impl Into<String>) {
        self.issues.add(self.offset, &self.path, message);
    }

    /// Records a warning: the value may not have the intended effect.
    pub(super) fn warn(&self, message: impl Into<String>) {
        self.issues.warn(self.offset, &self.path, message);
    }

    pub(super) fn section(&self) -> Option<Section<'a, 'i>> {
        let Some(table) = self.value.as_table() else { return self.wrong_type("a table") };
        let Self { issues, offset, .. } = *self;
        Some(Section { issues, path: self.path.clone(), offset, table, known_keys: Vec::new() })
    }

    /// A text of 1 to `max_len` characters without control characters.
    pub(super) fn text(&self, max_len: usize) -> Option<&'a str> {
        let Some(text) = self.value.as_str() else { return self.wrong_type("a string") };
        let good = !text.is_empty() && text.chars().count() <= max_len && !text.chars().any(char::is_control);
        if !good {
            self.error(format!(
                "invalid text: expected 1 to {max_len} characters without control characters"
            ));
        }
        good.then_some(text)
    }

    /// One of the given words.
    pub(super) fn keyword<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let found = self.value.as_str().and_then(|text| words.iter().find(|(word, _)| *word == text));
        if found.is_none() {
            let words: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            return self.wrong_type(&words.join(" or "));
        }
        found.map(|(_, value)| *value)
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        self.value.as_bool().or_else(|| self.wrong_type("true or false"))
    }

    /// The number 1.
    pub(super) fn require_one(&self) {
        if self.value.as_integer().is_none_or(|number| number.as_str() != "1") {
            self.error("invalid version: expected 1");
        }
    }

    pub(super) fn is_empty_text(&self) -> bool {
        self.value.as_str() == Some("")
    }

    /// A whole number from 1 to `max`.
    pub(super) fn number<N: FromStr + PartialOrd + From<u8> + std::fmt::Display>(&self, max: N) -> Option<N> {
        let number = self.value.as_integer().filter(|number| number.radix() == 10);
        number
            .and_then(|number| number.as_str().parse().ok())
            .filter(|number| *number >= N::from(1) && *number <= max)
            .or_else(|| self.wrong_type(&format!("a whole number from 1 to {max}")))
    }

    /// A fraction above 0 and at most 1.
    pub(super) fn fraction(&self) -> Option<f64> {
        let text = match self.value {
            DeValue::Float(number) => number.as_str(),
            DeValue::Integer(number) => number.as_str(),
            _ => "",
        };
        text.parse()
            .ok()
            .filter(|share| *share > 0.0 && *share <= 1.0)
            .or_else(|| self.wrong_type("a number above 0 and up to 1, such as 0.05"))
    }

    pub(super) fn duration(&self) -> Option<Duration> {
        self.value.as_str().and_then(parse_duration).or_else(|| {
            self.wrong_type(
                "a duration such as \"90s\", \"30m\", \"4h\" or \"2d\", above zero and up to 366 days",
            )
        })
    }

    /// A duration, or `never`, which is `Some(None)`.
    pub(super) fn duration_or_never(&self) -> Option<Option<Duration>> {
        match self.value.as_str() {
            Some("never") => Some(None),
            text => text.and_then(parse_duration).map(Some).or_else(|| {
                self.wrong_type(
                    "\"never\", or a duration such as \"90s\", \"30m\", \"4h\" or \"2d\", up to 366 days",
                )
            }),
        }
    }

    pub(super) fn list(&self) -> Vec<Self> {
        let Some(list) = self.value.as_array() else { return self.wrong_type("a list").unwrap_or_default() };
        list.iter()
            .enumerate()
            .map(|(at, value)| Self {
                issues: self.issues,
                path: format!("{}[{at}]", self.path),
                offset: value.span().start,
                value: value.get_ref(),
            })
            .collect()
    }

    /// A list of 1 to `max` elements, each parsed by `read`.
    pub(super) fn list_of<T>(&self, max: usize, read: impl Fn(&Self) -> Option<T>) -> Vec<T> {
        let list = self.list();
        if self.value.is_array() && !(1..=max).contains(&list.len()) {
            self.error(format!("invalid list: expected 1 to {max} elements"));
        }
        list.iter().filter_map(read).collect()
    }

    /// A list as in [`list_of`](Self::list_of), or a single value in its place.
    pub(super) fn one_or_list_of<T>(&self, max: usize, read: impl Fn(&Self) -> Option<T>) -> Vec<T> {
        if self.is_list() { self.list_of(max, read) } else { read(self).into_iter().collect() }
    }

    pub(super) fn is_list(&self) -> bool {
        self.value.is_array()
    }

    pub(super) fn is_empty_list(&self) -> bool {
        self.value.as_array().is_some_and(|list| list.is_empty())
    }

    /// The text of a text, a whole number or a boolean.
    pub(super) fn scalar(&self, max_len: usize) -> Option<String> {
        match self.value {
            DeValue::Boolean(flag) => Some(flag.to_string()),
            DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
            _ => self.text(max_len).map(str::to_owned),
        }
    }

    fn wrong_type<T>(&self, expected: &str) -> Option<T> {
        self.error(format!("invalid value: expected {expected}"));
        None
    }
}

/// Parses a duration such as `90s`, `30m`, `4h` or `2d`.
fn parse_duration(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    let number: u64 = digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(digits)?.parse().ok()?;
    number
        .checked_mul(unit)
        .filter(|seconds| (1..=MAX_DURATION_SECONDS).contains(seconds))
        .map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_duration_requires_a_unit_and_a_bound() {
        for (text, seconds) in
            [("90s", 90), ("30m", 1_800), ("4h", 14_400), ("2d", 172_800), ("366d", 31_622_400), ("007s", 7)]
        {
            assert_eq!(parse_duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "s",
            "90",
            "0s",
            "0d",
            "-1h",
            "+1h",
            "1.5h",
            "1w",
            "1H",
            "1 h",
            " 1h",
            "1h30m",
            "367d",
            "31622401s",
            "99999999999999999999s",
            "999999999999999999d",
            "1ſ",
            "é",
            "١h",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
