//! A fast writer of JSON into bytes.

use crate::hash::{HEX, write_uuid};
use crate::time::write_millis;

/// Writes the members of one object.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> Object<'a> {
    pub(crate) fn open(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, first: true }
    }

    fn key(&mut self, name: &str) {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    pub(crate) fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.key(name);
        write_text(self.out, value);
        self
    }

    /// Writes a string that needs no escapes.
    pub(crate) fn unescaped(&mut self, name: &str, value: &str) -> &mut Self {
        self.key(name);
        self.out.push(b'"');
        self.out.extend_from_slice(value.as_bytes());
        self.out.push(b'"');
        self
    }

    pub(crate) fn uuid(&mut self, name: &str, id: u128) -> &mut Self {
        self.key(name);
        self.out.push(b'"');
        write_uuid(self.out, id);
        self.out.push(b'"');
        self
    }

    pub(crate) fn time(&mut self, name: &str, ms: i64) -> &mut Self {
        self.key(name);
        self.out.push(b'"');
        write_millis(self.out, ms);
        self.out.push(b'"');
        self
    }

    /// Writes a value that is JSON already.
    pub(crate) fn raw(&mut self, name: &str, json: &str) -> &mut Self {
        self.key(name);
        self.out.extend_from_slice(json.as_bytes());
        self
    }

    pub(crate) fn number(&mut self, name: &str, value: i64) -> &mut Self {
        self.raw(name, &value.to_string())
    }

    /// Writes a member with a value from `write`.
    pub(crate) fn with(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) -> &mut Self {
        self.key(name);
        write(self.out);
        self
    }

    pub(crate) fn close(&mut self) {
        self.out.push(b'}');
    }
}

/// Writes a JSON string with its quotes.
pub(crate) fn write_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut clean = 0;
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        if !matches!(byte, b'"' | b'\\' | 0..0x20) {
            continue;
        }
        out.extend_from_slice(&bytes[clean..at]);
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            _ => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
            }
        }
        clean = at + 1;
    }
    out.extend_from_slice(&bytes[clean..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn json_string_round_trips(text in any::<String>()) {
            let mut out = Vec::new();
            write_text(&mut out, &text);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }

    #[test]
    fn object_writes_its_members() {
        let mut out = Vec::new();
        Object::open(&mut out)
            .text("a", "x\"y\\z")
            .number("b", -3)
            .raw("c", "null")
            .time("d", 0)
            .uuid("e", 1)
            .close();
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(value["a"], "x\"y\\z");
        assert_eq!(value["b"], -3);
        assert_eq!(value["d"], "1970-01-01T00:00:00.000Z");
        assert_eq!(value["e"], "00000000-0000-0000-0000-000000000001");
    }
}
