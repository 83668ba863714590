//! The digest of a record's content, to tell a revision from a duplicate.

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use crate::json_scan::{blank, container_end, scalar_end, string_end};

/// The nesting depth up to which objects and lists are digested by member.
const MAX_DEPTH: u32 = 8;

/// The hash function of content digests. A log keeps the one that it began with, so that
/// its digests stay comparable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ContentHash {
    /// FNV-1a, of logs that do not name the function.
    #[default]
    Fnv1a,
    /// XXH3, of new logs.
    Xxh3,
}

impl ContentHash {
    /// Whether a log record omits the name of the function.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The digest of a record's content, never 0. It ignores the order of members and
    /// white space between tokens: the service may repeat a record in another order. The
    /// log keeps it, so its values must not change.
    ///
    /// The text must be JSON without surrounding white space. In the same pass `member`
    /// receives each top-level member: its key with quotes and its value, as written.
    pub(crate) fn digest_with<'r>(self, json: &'r str, member: impl FnMut(&'r str, &'r str)) -> u32 {
        let (_, digest) = match self {
            Self::Fnv1a => Scan { json, hash: fnv1a, member }.value(0, 0),
            Self::Xxh3 => Scan { json, hash: XxHash3_64::oneshot, member }.value(0, 0),
        };
        ((digest ^ (digest >> 32)) as u32).max(1)
    }
}

struct Scan<'r, H, F> {
    json: &'r str,
    hash: H,
    member: F,
}

impl<'r, H: Fn(&[u8]) -> u64, F: FnMut(&'r str, &'r str)> Scan<'r, H, F> {
    /// The end and the digest of the value that begins at `start`.
    fn value(&mut self, start: usize, depth: u32) -> (usize, u64) {
        let bytes = self.json.as_bytes();
        let end = match bytes.get(start) {
            Some(b'{') if depth < MAX_DEPTH => return self.object(start, depth),
            Some(b'[') if depth < MAX_DEPTH => return self.list(start, depth),
            Some(b'{' | b'[') => container_end(bytes, start),
            Some(b'"') => string_end(bytes, start),
            _ => scalar_end(bytes, start),
        };
        (end, (self.hash)(&bytes[start..end]))
    }

    fn object(&mut self, start: usize, depth: u32) -> (usize, u64) {
        let bytes = self.json.as_bytes();
        let mut sum = 1_u64;
        let mut at = blank(bytes, start + 1);
        while bytes.get(at) == Some(&b'"') {
            let key_end = string_end(bytes, at);
            // After the colon.
            let value = blank(bytes, blank(bytes, key_end) + 1);
            let (end, digest) = self.value(value, depth + 1);
            sum = sum.wrapping_add(mix((self.hash)(&bytes[at..key_end]), digest));
            if depth == 0 {
                (self.member)(&self.json[at..key_end], &self.json[value..end]);
            }
            at = blank(bytes, end);
            if bytes.get(at) == Some(&b',') {
                at = blank(bytes, at + 1);
            }
        }
        (at + 1, sum)
    }

    fn list(&mut self, start: usize, depth: u32) -> (usize, u64) {
        let bytes = self.json.as_bytes();
        let mut sum = 2;
        let mut at = blank(bytes, start + 1);
        while at < bytes.len() && bytes[at] != b']' {
            let (end, digest) = self.value(at, depth + 1);
            sum = mix(sum, digest);
            at = blank(bytes, end);
            if bytes.get(at) == Some(&b',') {
                at = blank(bytes, at + 1);
            }
        }
        (at + 1, sum)
    }
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}

/// The mixing function of SplitMix64 over two values.
fn mix(a: u64, b: u64) -> u64 {
    let mut bits = a.rotate_left(23).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ b;
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;
    use serde_json::{Value, value::RawValue};

    use super::*;

    const ALL: [ContentHash; 2] = [ContentHash::Fnv1a, ContentHash::Xxh3];

    fn content_digest(json: &str) -> u32 {
        ContentHash::Xxh3.digest_with(json, |_, _| ())
    }

    #[test]
    fn content_digest_ignores_member_order() {
        let first = r#"{"id":"a","data":{"x":1,"y":[1,2]},"z":null}"#;
        let other = "{ \"z\": null,\n \"data\":{\"y\": [1, 2],\"x\":1}, \"id\":\"a\"}";
        assert_eq!(content_digest(first), content_digest(other));
    }

    #[test]
    fn content_digest_changes_with_each_value() {
        let texts = [
            r#"{"a":"x","b":"y"}"#,
            r#"{"a":"y","b":"x"}"#,
            r#"{"a":"x","b":"y","c":null}"#,
            r#"{"a":"x","b":["y"]}"#,
            r#"{"a":"x","b":[["y"]]}"#,
            r#"{"a":1}"#,
            r#"{"a":123456789012345678901234567890}"#,
            r#"{"a":123456789012345678901234567891}"#,
            r#"{"a":[1,2]}"#,
            r#"{"a":[2,1]}"#,
            r#"{"a":{"b":{"c":1}}}"#,
            r#"{"a":{"b":{"c":2}}}"#,
            "{}",
            "null",
        ];
        for (index, text) in texts.iter().enumerate() {
            assert!(
                texts[..index].iter().all(|other| content_digest(other) != content_digest(text)),
                "{text}"
            );
        }
        content_digest(&format!("{{\"x\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000)));
    }

    #[test]
    fn content_digest_is_stable_across_releases() {
        let known = r#"{"id":"a","list":[1,{"b":2}],"text":"\u0041"}"#;
        let digests = ALL.map(|hash| hash.digest_with(known, |_, _| ()));
        assert_eq!(digests, [3_626_569_648, 2_764_699_643]);
    }

    /// The digest by a JSON parser, for texts without repeated keys.
    fn by_serde(json: &str, hash: fn(&[u8]) -> u64, depth: u32) -> u64 {
        if depth < MAX_DEPTH && json.starts_with('{') {
            let members: HashMap<String, &RawValue> = serde_json::from_str(json).expect("an object");
            let digest = |(name, value): (String, &RawValue)| {
                let name = serde_json::to_string(&name).expect("a key");
                mix(hash(name.as_bytes()), by_serde(value.get(), hash, depth + 1))
            };
            return members.into_iter().map(digest).fold(1, u64::wrapping_add);
        }
        if depth < MAX_DEPTH && json.starts_with('[') {
            let items: Vec<&RawValue> = serde_json::from_str(json).expect("a list");
            return items.iter().fold(2, |sum, item| mix(sum, by_serde(item.get(), hash, depth + 1)));
        }
        hash(json.as_bytes())
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            r#"[\\"{}\[\],:a-zé \n]*"#.prop_map(Value::from),
            ".*".prop_map(Value::from),
        ];
        leaf.prop_recursive(12, 48, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(".*", inner, 0..4).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        /// The scan finds the same values as a validating parser.
        #[test]
        fn content_digest_agrees_with_serde(value in json(), pretty in any::<bool>()) {
            let text =
                if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            let text = text.expect("JSON");
            let mut members = HashMap::new();
            for (hash, function) in ALL.into_iter().zip([fnv1a, XxHash3_64::oneshot]) {
                members.clear();
                let digest = hash.digest_with(&text, |key, value| {
                    members.insert(serde_json::from_str::<String>(key).expect("a key"), value);
                });
                let expected = by_serde(&text, function, 0);
                prop_assert_eq!(digest, ((expected ^ (expected >> 32)) as u32).max(1));
            }
            let expected: HashMap<String, &RawValue> = serde_json::from_str(&text).unwrap_or_default();
            prop_assert_eq!(members, expected.into_iter().map(|(key, raw)| (key, raw.get())).collect());
        }
    }
}
