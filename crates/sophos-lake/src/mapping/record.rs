//! Access to the members of a record, which may be absent, null, empty or of another
//! type.

use std::{borrow::Cow, net::IpAddr};

use serde_json::Value;

/// The text of a member. Numbers and booleans count as text; the empty text and `n/a`
/// count as none.
pub(crate) fn text<'v>(value: &'v Value, name: &str) -> Option<Cow<'v, str>> {
    as_text(value.get(name)?)
}

/// The text of the first of these members that has one.
pub(crate) fn text_of<'v>(value: &'v Value, names: &[&str]) -> Option<Cow<'v, str>> {
    names.iter().find_map(|name| text(value, name))
}

/// The text of a value, as [`text`].
pub(crate) fn as_text(value: &Value) -> Option<Cow<'_, str>> {
    let text = match value {
        Value::String(text) => Cow::Borrowed(text.trim()),
        Value::Number(number) => Cow::Owned(number.to_string()),
        Value::Bool(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
        _ => return None,
    };
    (!text.is_empty() && !text.eq_ignore_ascii_case("n/a")).then_some(text)
}

/// The number in a member, which may be a text.
pub(crate) fn number_of(value: &Value, names: &[&str]) -> Option<i64> {
    text_of(value, names)?.parse().ok()
}

/// The number in a member that fits OCSF's `integer_t`.
pub(crate) fn int_of(value: &Value, names: &[&str]) -> Option<i32> {
    number_of(value, names)?.try_into().ok()
}

/// A port.
pub(crate) fn port_of(value: &Value, names: &[&str]) -> Option<i32> {
    int_of(value, names).filter(|port| (0..=65_535).contains(port))
}

/// An address, if it is one.
pub(crate) fn ip(text: &str) -> Option<&str> {
    let text = text.trim();
    text.parse::<IpAddr>().is_ok().then_some(text)
}

/// The JSON of a member that is neither absent, null nor empty.
pub(crate) fn json_text(value: &Value, name: &str) -> Option<String> {
    match value.get(name)? {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::Array(items) if items.is_empty() => None,
        Value::Object(members) if members.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// The parts of `'…' at '…'` in an event's name: the detection and the path.
pub(crate) fn detection_and_path(name: &str) -> Option<(&str, &str)> {
    let (before, after) = name.split_once("' at '")?;
    let (_, detection) = before.split_once('\'')?;
    // A path may have quotes.
    let (path, _) = after.rsplit_once('\'')?;
    (!path.is_empty()).then_some((detection, path))
}

/// The last part of a path.
pub(crate) fn file_name(path: &str) -> &str {
    let path = path.trim_end_matches(['/', '\\']);
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// Whether this is a host name rather than a display name.
pub(crate) fn is_hostname(text: &str) -> bool {
    let label = |label: &str| {
        let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = label.as_bytes();
        bytes.len() <= 63
            && ends(bytes.first())
            && ends(bytes.last())
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn detection_and_path_splits_a_name() {
        let split = |name| detection_and_path(name);
        assert_eq!(
            split("Malware detected: 'EICAR-AV-Test' at 'C:\\Users\\O'Neil\\eicar.com'"),
            Some(("EICAR-AV-Test", "C:\\Users\\O'Neil\\eicar.com"))
        );
        assert_eq!(split("'X' at '/tmp/x' by user"), Some(("X", "/tmp/x")));
        for name in ["Update succeeded", "at '", "' at '", "'X' at ''", ""] {
            assert_eq!(split(name), None, "{name}");
        }
    }

    #[test]
    fn members_may_be_absent_or_of_another_type() {
        let value = json!({ "a": "n/a", "b": " ", "c": null, "d": "12", "e": 12, "f": {}, "g": 70000 });
        assert_eq!((text(&value, "a"), text(&value, "b"), text(&value, "c")), (None, None, None));
        assert_eq!((int_of(&value, &["x", "d"]), int_of(&value, &["e"])), (Some(12), Some(12)));
        assert_eq!((port_of(&value, &["g"]), port_of(&value, &["e"])), (None, Some(12)));
        assert_eq!((json_text(&value, "f"), json_text(&value, "e")), (None, Some("12".into())));
        assert_eq!((ip("10.0.0.1"), ip("::1"), ip("host")), (Some("10.0.0.1"), Some("::1"), None));
    }

    #[test]
    fn is_hostname_rejects_display_names() {
        for name in ["WS-0001", "srv.example.com", "a", "1"] {
            assert!(is_hostname(name), "{name}");
        }
        for name in ["Anna's MacBook", "", "-a", "a..b", "a_b", "ä"] {
            assert!(!is_hostname(name), "{name}");
        }
    }

    #[test]
    fn file_name_is_the_last_part() {
        for (path, name) in [("C:\\a\\b.exe", "b.exe"), ("/a/b/", "b"), ("b", "b"), ("/", "")] {
            assert_eq!(file_name(path), name);
        }
    }
}
