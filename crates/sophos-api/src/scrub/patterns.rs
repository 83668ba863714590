//! What looks like a secret, whether it is known or not.

use std::ops::Range;

/// How each JSON Web Token begins: `{"` in Base64.
const TOKEN_START: &str = "eyJ";

const MIN_TOKEN_LEN: usize = 12;

/// The length of the shortest credential in a header. After the same words may
/// stand ordinary ones, which have no digit.
const MIN_CREDENTIAL_LEN: usize = 6;

pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    tokens(text, &mut found);
    if text.contains("://") {
        addresses(text, &mut found);
    }
    let lower = text.to_ascii_lowercase();
    for scheme in ["bearer", "basic"] {
        for (at, _) in lower.match_indices(scheme) {
            found.extend(credential(text, at + scheme.len()));
        }
    }
    found
}

fn length(text: &str, is_part: impl Fn(u8) -> bool) -> usize {
    text.bytes().position(|byte| !is_part(byte)).unwrap_or(text.len())
}

fn tokens(text: &str, found: &mut Vec<Range<usize>>) {
    for (at, _) in text.match_indices(TOKEN_START) {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.=+/%".contains(&byte);
        let length = length(&text[at..], is_part);
        if length >= MIN_TOKEN_LEN {
            found.push(at..at + length);
        }
    }
}

/// The credential of a header, after the word for its scheme.
fn credential(text: &str, at: usize) -> Option<Range<usize>> {
    let rest = &text[at..];
    let encoded = if rest.starts_with("%20") { 3 } else { 0 };
    let start = encoded + length(&rest[encoded..], |byte| b" :=\"'\t+".contains(&byte));
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~+/=%".contains(&byte);
    let length = length(&rest[start..], is_part);
    let word = &rest[start..start + length];
    let is_mixed = word.bytes().any(|byte| byte.is_ascii_digit())
        || word.bytes().skip(1).any(|byte| byte.is_ascii_uppercase());
    (start > 0 && length >= MIN_CREDENTIAL_LEN && is_mixed).then(|| at + start..at + start + length)
}

/// The users and the queries of URLs.
fn addresses(text: &str, found: &mut Vec<Range<usize>>) {
    for (at, _) in text.match_indices("://") {
        let start = at + 3;
        let is_part = |byte: u8| byte > b' ' && !b"\"'<>\\`".contains(&byte);
        let url = &text[start..start + length(&text[start..], is_part)];
        let authority = length(url, |byte| !b"/?#".contains(&byte));
        if let Some(end) = url[..authority].rfind('@') {
            found.push(start..start + end);
        }
        if let Some(query) = url.find('?').filter(|query| query + 1 < url.len()) {
            found.push(start + query + 1..start + url.len());
        }
    }
}
