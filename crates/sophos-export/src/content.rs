//! The content of a record, to tell an update from a repetition.

use serde_json::value::RawValue;

use crate::facts::Members;

/// Objects within objects that are compared member by member.
const MAX_DEPTH: u32 = 8;

/// A digest of a record's content, never 0. The order of members and the white
/// space between tokens make no difference: the service may write a record in
/// another order when it sends it again. It is kept in the log, so its values
/// must not change.
pub(crate) fn content(json: &str) -> u32 {
    let digest = digest(json, 0);
    ((digest ^ (digest >> 32)) as u32).max(1)
}

fn digest(json: &str, depth: u32) -> u64 {
    match json.as_bytes().first() {
        Some(b'{') if depth < MAX_DEPTH => {
            let Some(members) = Members::of(json) else { return fnv(json) };
            members
                .0
                .iter()
                .fold(1, |sum: u64, (name, value)| sum.wrapping_add(mix(fnv(name), digest(value, depth + 1))))
        }
        Some(b'[') if depth < MAX_DEPTH => {
            let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(json) else { return fnv(json) };
            items.iter().fold(2, |sum, item| mix(sum, digest(item.get(), depth + 1)))
        }
        _ => fnv(json),
    }
}

/// FNV-1a.
fn fnv(text: &str) -> u64 {
    text.bytes()
        .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

/// The mixing function of SplitMix64 over both.
fn mix(a: u64, b: u64) -> u64 {
    let mut bits = a.rotate_left(23).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ b;
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_members_makes_no_difference() {
        let one = r#"{"id":"a","data":{"x":1,"y":[1,2]},"z":null}"#;
        let other = "{ \"z\": null,\n \"data\":{\"y\": [1, 2],\"x\":1}, \"id\":\"a\"}";
        assert_eq!(content(one), content(other));
    }

    #[test]
    fn a_change_of_a_value_makes_a_difference() {
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
            assert!(texts[..index].iter().all(|other| content(other) != content(text)), "{text}");
        }
        content(&format!("{{\"x\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000)));
    }

    #[test]
    fn the_digest_is_the_same_in_every_release() {
        let known = content(r#"{"id":"a","list":[1,{"b":2}],"text":"\u0041"}"#);
        assert_eq!(known, 3_626_569_648);
    }
}
