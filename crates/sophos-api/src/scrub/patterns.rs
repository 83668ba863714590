//! The patterns of secrets and tokens that are not known.

use std::ops::Range;

/// The prefix of each JSON Web Token: `{"` in Base64.
const JWT_PREFIX: &str = "eyJ";

const MIN_JWT_LEN: usize = 12;

/// The shortest credential in a header, in bytes. An ordinary word may follow the name
/// of the scheme too, but has no digit.
const MIN_CREDENTIAL_LEN: usize = 6;

pub(super) fn find_secrets(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    find_jwts(text, &mut found);
    if text.contains("://") {
        find_url_secrets(text, &mut found);
    }
    let lower = text.to_ascii_lowercase();
    for scheme in ["bearer", "basic"] {
        for (at, _) in lower.match_indices(scheme) {
            found.extend(find_credential(text, at + scheme.len()));
        }
    }
    found
}

fn prefix_len(text: &str, is_part: impl Fn(u8) -> bool) -> usize {
    text.bytes().position(|byte| !is_part(byte)).unwrap_or(text.len())
}

fn find_jwts(text: &str, found: &mut Vec<Range<usize>>) {
    for (at, _) in text.match_indices(JWT_PREFIX) {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.=+/%".contains(&byte);
        let length = prefix_len(&text[at..], is_part);
        if length >= MIN_JWT_LEN {
            found.push(at..at + length);
        }
    }
}

/// Finds the credential after the name of an authorization scheme.
fn find_credential(text: &str, at: usize) -> Option<Range<usize>> {
    let rest = &text[at..];
    let encoded = if rest.starts_with("%20") { 3 } else { 0 };
    let start = encoded + prefix_len(&rest[encoded..], |byte| b" :=\"'\t+".contains(&byte));
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~+/=%".contains(&byte);
    let length = prefix_len(&rest[start..], is_part);
    let word = &rest[start..start + length];
    let is_mixed = word.bytes().any(|byte| byte.is_ascii_digit())
        || word.bytes().skip(1).any(|byte| byte.is_ascii_uppercase());
    (start > 0 && length >= MIN_CREDENTIAL_LEN && is_mixed).then(|| at + start..at + start + length)
}

/// Finds the users and the queries of URLs.
fn find_url_secrets(text: &str, found: &mut Vec<Range<usize>>) {
    for (at, _) in text.match_indices("://") {
        let start = at + 3;
        let is_part = |byte: u8| byte > b' ' && !b"\"'<>\\`".contains(&byte);
        let url = &text[start..start + prefix_len(&text[start..], is_part)];
        let authority = prefix_len(url, |byte| !b"/?#".contains(&byte));
        if let Some(end) = url[..authority].rfind('@') {
            found.push(start..start + end);
        }
        if let Some(query) = url.find('?').filter(|query| query + 1 < url.len()) {
            found.push(start + query + 1..start + url.len());
        }
    }
}
