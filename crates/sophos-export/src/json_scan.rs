//! The ends of values within valid JSON.
//!
//! Nothing is validated. For a text that is not JSON, each end is somewhere within it.

use crate::swar;

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
    let (words, rest) = text.as_chunks::<{ swar::WORD_LEN }>();
    for (index, chunk) in words.iter().enumerate() {
        let chunk = u64::from_le_bytes(*chunk);
        let found = swar::bytes_equal(chunk, b'"') | swar::bytes_equal(chunk, b'\\');
        if found != 0 {
            return index * swar::WORD_LEN + swar::first_byte(found);
        }
    }
    let tail = rest.iter().position(|byte| matches!(byte, b'"' | b'\\')).unwrap_or(rest.len());
    words.len() * swar::WORD_LEN + tail
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
