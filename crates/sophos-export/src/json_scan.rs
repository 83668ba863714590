//! The ends of values within valid JSON.
//!
//! Nothing is validated. For a text that is not JSON, each end is somewhere within it.

/// The next position that is not white space.
pub(crate) fn blank(json: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = json.get(at) {
        at += 1;
    }
    at
}

/// The end of the string that begins at `start`.
pub(crate) fn string_end(json: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    loop {
        at += until_special(&json[at.min(json.len())..]);
        match json.get(at) {
            Some(b'\\') => at += 2,
            Some(_) => return at + 1,
            None => return json.len(),
        }
    }
}

/// The number of bytes before the first quote or backslash.
fn until_special(text: &[u8]) -> usize {
    let (words, rest) = text.as_chunks::<WORD_LEN>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found =
            zero_bytes(word ^ (ONES * u64::from(b'"'))) | zero_bytes(word ^ (ONES * u64::from(b'\\')));
        if found != 0 {
            return index * WORD_LEN + (found.trailing_zeros() / u8::BITS) as usize;
        }
    }
    let tail = rest.iter().position(|byte| matches!(byte, b'"' | b'\\')).unwrap_or(rest.len());
    words.len() * WORD_LEN + tail
}

/// The bytes that are compared at once, as one integer.
const WORD_LEN: usize = size_of::<u64>();

/// One in each byte.
const ONES: u64 = u64::MAX / 255;

/// Sets the high bit of each byte that is zero. Only the lowest set bit is reliable.
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & (ONES << 7)
}

/// The end of a number or a literal, which has at least one byte.
pub(crate) fn scalar_end(json: &[u8], start: usize) -> usize {
    let end = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
    let rest = json.get(start + 1..).unwrap_or_default();
    rest.iter().position(end).map_or(json.len(), |length| start + 1 + length)
}

/// The end of the object or list that begins at `start`, of any depth.
pub(crate) fn container_end(json: &[u8], start: usize) -> usize {
    let mut depth = 0_usize;
    let mut at = start;
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => {
                at = string_end(json, at);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    json.len()
}

/// The end of any value.
fn value_end(json: &[u8], start: usize) -> usize {
    match json.get(start) {
        Some(b'{' | b'[') => container_end(json, start),
        Some(b'"') => string_end(json, start),
        _ => scalar_end(json, start),
    }
}

/// Calls `member` with each member of an object: its key, including the quotes, and its
/// value, as written. Does nothing for another value.
pub(crate) fn for_each_member<'r>(json: &'r str, mut member: impl FnMut(&'r str, &'r str)) {
    let bytes = json.as_bytes();
    let start = blank(bytes, 0);
    if bytes.get(start) != Some(&b'{') {
        return;
    }
    let mut at = blank(bytes, start + 1);
    while bytes.get(at) == Some(&b'"') {
        let key_end = string_end(bytes, at);
        // After the colon.
        let value = blank(bytes, blank(bytes, key_end) + 1);
        let end = value_end(bytes, value);
        if let (Some(key), Some(value)) = (json.get(at..key_end), json.get(value..end)) {
            member(key, value);
        }
        at = blank(bytes, end);
        if bytes.get(at) == Some(&b',') {
            at = blank(bytes, at + 1);
        }
    }
}

/// Calls `element` with each element of a list, as written. Does nothing for another
/// value.
pub(crate) fn for_each_element<'r>(json: &'r str, mut element: impl FnMut(&'r str)) {
    let bytes = json.as_bytes();
    let start = blank(bytes, 0);
    if bytes.get(start) != Some(&b'[') {
        return;
    }
    let mut at = blank(bytes, start + 1);
    while at < bytes.len() && bytes[at] != b']' {
        let end = value_end(bytes, at);
        if let Some(value) = json.get(at..end) {
            element(value);
        }
        at = blank(bytes, end);
        if bytes.get(at) == Some(&b',') {
            at = blank(bytes, at + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn members_keep_what_is_written() {
        let mut members = Vec::new();
        let json = " { \"a\" : 1.50 , \"a\":[1, {\"b\":\"]\"}],\"\\\"k\":\"v\\\\\",\"e\":{}} ";
        for_each_member(json, |key, value| members.push((key, value)));
        let expected =
            [(r#""a""#, "1.50"), (r#""a""#, r#"[1, {"b":"]"}]"#), (r#""\"k""#, r#""v\\""#), (r#""e""#, "{}")];
        assert_eq!(members, expected);
        let mut elements = Vec::new();
        for_each_element(members[1].1, |element| elements.push(element));
        assert_eq!(elements, ["1", r#"{"b":"]"}"#]);
    }

    proptest! {
        /// No text panics or loops, and of JSON every member is found.
        #[test]
        fn members_end_for_any_text(text in r#"[\[\]{}",: 1a\\]{0,40}"#) {
            let (mut members, mut elements) = (0, 0);
            for_each_member(&text, |_, _| members += 1);
            for_each_element(&text, |_| elements += 1);
            match serde_json::from_str::<Value>(&text) {
                Ok(Value::Object(object)) => prop_assert!(members >= object.len()),
                Ok(Value::Array(list)) => prop_assert_eq!(elements, list.len()),
                _ => {}
            }
        }
    }
}
