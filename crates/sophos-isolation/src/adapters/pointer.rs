//! JSON pointers into a message, in the syntax of the policy.

use std::{borrow::Cow, fmt, str::FromStr};

use serde_json::Value;

use super::{json, json_cursor::JsonCursor};

/// The longest pointer, in bytes.
const MAX_POINTER_LEN: usize = 300;

/// A document and the message that contains it.
#[derive(Debug, Clone, Copy)]
pub(super) struct DocumentContext<'v> {
    pub(super) document: &'v Value,
    pub(super) root: &'v Value,
}

/// A JSON pointer (RFC 6901), such as `/result/dest_host`, with two additions.
///
/// It starts at the parsed document: the message or, with `iterate`, one element of its list. A
/// leading `^` (`^/receiver`) starts at the root of the message. A `#` continues into a text that
/// contains JSON: `/Message#/detail/host`, or `/Message#` for all of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    text: String,
    from_root: bool,
    /// Plain JSON pointers, each into the JSON that the previous one leads to.
    segments: Vec<String>,
}

/// A list of JSON pointers. The first that leads to a value counts. An empty list means that the
/// policy does not configure the field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pointers(pub(crate) Vec<Pointer>);

impl Pointer {
    /// The value that it points at, unless that is null.
    pub fn find<'v>(&self, document: &'v Value, root: &'v Value) -> Option<Cow<'v, Value>> {
        let (first, inner) = self.segments.split_first()?;
        let start = if self.from_root { root } else { document };
        let mut found = Cow::Borrowed(start.pointer(first)?);
        for part in inner {
            let mut value = json::parse(found.as_str()?.as_bytes()).ok()?;
            found = Cow::Owned(value.pointer_mut(part)?.take());
        }
        Some(found).filter(|found| !found.is_null())
    }

    /// The text that it points at.
    pub(super) fn text(&self, at: DocumentContext<'_>) -> Option<String> {
        JsonCursor::from(&*self.find(at.document, at.root)?).text()
    }

    /// Whether it starts at the root of the message.
    pub(super) fn is_from_root(&self) -> bool {
        self.from_root
    }

    /// The pointer from the root of the message, for a document at `base`.
    pub(super) fn display_from(&self, base: &str) -> String {
        if self.from_root { self.text[1..].to_owned() } else { format!("{base}{}", self.text) }
    }
}

impl FromStr for Pointer {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (from_root, mut rest) = match text.strip_prefix('^') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut parts = Vec::new();
        while let Some(at) = rest.find("#/") {
            parts.push(rest[..at].to_owned());
            rest = &rest[at + 1..];
        }
        match rest.strip_suffix('#') {
            Some(head) => parts.extend([head.to_owned(), String::new()]),
            None => parts.push(rest.to_owned()),
        }
        let is_good = |part: &String| {
            (part.is_empty() || part.starts_with('/'))
                && part.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']))
        };
        let is_whole = text.len() <= MAX_POINTER_LEN && !parts[0].is_empty() && parts.iter().all(is_good);
        is_whole.then(|| Self { text: text.to_owned(), from_root, segments: parts }).ok_or(
            "invalid pointer: expected a JSON pointer such as /result/dest_host; ^/a starts at the root, \
             and /a#/b continues into a text of JSON",
        )
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Pointers {
    /// Whether there is a pointer.
    pub fn is_set(&self) -> bool {
        !self.0.is_empty()
    }

    /// The first result of `read` over the pointers.
    pub(super) fn find_first<T>(
        &self,
        at: DocumentContext<'_>,
        read: impl Fn(JsonCursor<'_>) -> Option<T>,
    ) -> Option<T> {
        self.0.iter().find_map(|pointer| read(JsonCursor::from(&*pointer.find(at.document, at.root)?)))
    }

    /// The first text.
    pub(super) fn text(&self, at: DocumentContext<'_>) -> Option<String> {
        self.find_first(at, |cursor| cursor.text())
    }

    /// The first text, sanitized for display.
    pub(super) fn display_text(&self, at: DocumentContext<'_>) -> Option<String> {
        self.find_first(at, |cursor| cursor.display_text())
    }

    /// The first text that can identify a host.
    pub(super) fn identifier(&self, at: DocumentContext<'_>) -> Option<String> {
        self.find_first(at, |cursor| cursor.identifier())
    }

    /// The pointers from the root of the message, for error texts.
    pub(super) fn display_from(&self, base: &str) -> String {
        let shown: Vec<_> =
            self.0.iter().map(|pointer| format!("\"{}\"", pointer.display_from(base))).collect();
        shown.join(" or ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn find(pointer: &str, document: &Value, root: &Value) -> Option<Value> {
        pointer.parse::<Pointer>().expect(pointer).find(document, root).map(Cow::into_owned)
    }

    #[test]
    fn pointer_finds_members_of_document_and_root() {
        let root = json!({"a": 1, "list": [{"a": 2, "b/c": {"~": 3}, "n": null}]});
        let document = &root["list"][0];
        assert_eq!(find("/a", document, &root), Some(json!(2)));
        assert_eq!(find("^/a", document, &root), Some(json!(1)));
        assert_eq!(find("/b~1c/~0", document, &root), Some(json!(3)));
        for nothing in ["/n", "/x", "/a/0", "^/list/1", "/a#/x"] {
            assert_eq!(find(nothing, document, &root), None, "{nothing}");
        }
    }

    #[test]
    fn pointer_continues_into_embedded_json() {
        let inner = json!({"detail": {"host": "pc", "more": json!([1.50, {"a": "b"}]).to_string()}, "#": 1});
        let root = json!({"Message": inner.to_string(), "bad": "{", "a#b": "plain"});
        assert_eq!(find("/Message#/detail/host", &root, &root), Some(json!("pc")));
        assert_eq!(find("^/Message#/detail/more#/1/a", &root, &root), Some(json!("b")));
        assert_eq!(find("/Message#", &root, &root), Some(inner));
        assert_eq!(find("/a#b", &root, &root), Some(json!("plain")));
        for nothing in ["/bad#/a", "/Message/detail/host", "/Message#/detail#/host", "/Message#/x"] {
            assert_eq!(find(nothing, &root, &root), None, "{nothing}");
        }
    }

    #[test]
    fn pointer_rejects_invalid_syntax() {
        let long = format!("/{}", "a".repeat(MAX_POINTER_LEN));
        for text in ["", "a/b", "^", "^a", "#", "#/a", "^#/a", "/a~", "/a~2", "/a#/b~", &long] {
            assert!(text.parse::<Pointer>().is_err(), "{text}");
        }
    }
}
