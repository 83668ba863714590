//! The removal of secrets and tokens from untrusted texts.
//!
//! The service, or a gateway, may repeat a request in its response, and its texts become
//! part of errors, logs and records.

mod encodings;
mod patterns;

use std::{
    borrow::Cow,
    collections::{HashSet, VecDeque},
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    ops::Range,
    sync::Mutex,
};

use secrecy::{ExposeSecret, SecretString};

use crate::sync::lock;
use encodings::{EncodedSecret, encodings_of, normalize};

/// The text in place of a secret.
pub(crate) const REDACTED: &str = "[redacted]";

/// The shortest secret that is removed, in bytes. A shorter one would match parts of
/// ordinary words; the ones of Sophos Central have about 100.
const MIN_SECRET_LEN: usize = 6;

/// The length of a part of a secret that is removed anywhere, in bytes.
const PART_LEN: usize = 12;

/// The shortest prefix of a secret that is removed at the end of a text, where it may
/// be truncated, in bytes.
const MIN_TRUNCATED_LEN: usize = 8;

/// The most stored secrets and tokens: the current ones and several previous ones.
const MAX_SECRETS: usize = 8;

/// The secrets and tokens of one client, and their removal from texts.
///
/// It removes
/// - each known secret or token of at least [`MIN_SECRET_LEN`] bytes, in either case:
///   plain, percent-encoded, escaped for JSON or HTML, in hexadecimal, and in Base64,
///   also as a part of a longer value such as a `Basic` header;
/// - each part of them of [`PART_LEN`] bytes, and at the end of a text each prefix of
///   [`MIN_TRUNCATED_LEN`] bytes;
/// - anything that looks like a JSON Web Token, follows `Bearer` or `Basic`, or is the
///   user or the query of a URL.
#[derive(Default)]
pub(crate) struct Scrubber(Mutex<VecDeque<KnownSecret>>);

struct KnownSecret {
    plain: SecretString,
    encodings: Vec<EncodedSecret>,
    /// The hashes of all parts of its encodings.
    part_hashes: HashSet<u64>,
}

impl KnownSecret {
    fn new(secret: &str) -> Self {
        let encodings = encodings_of(secret);
        let part_hashes =
            encodings.iter().flat_map(|encoding| encoding.windows(PART_LEN)).map(hash).collect();
        Self { plain: secret.into(), encodings, part_hashes }
    }

    /// Finds its short encodings, and truncated ones, in a normalized text.
    fn find(&self, text: &[u8], found: &mut Vec<Range<usize>>) {
        // A truncated text may end with an ellipsis.
        let cut = text.len() - text.iter().rev().take_while(|byte| **byte == b'.').count();
        let cut = text[..cut].strip_suffix("…".as_bytes()).map_or(cut, <[u8]>::len);
        for encoding in &self.encodings {
            if encoding.len() < PART_LEN {
                found.extend(occurrences(text, encoding));
            }
            for length in MIN_TRUNCATED_LEN..PART_LEN.min(encoding.len()) {
                if text[..cut].ends_with(&encoding[..length]) {
                    found.push(cut - length..cut);
                }
            }
        }
    }
}

/// A hash of a part of a text.
fn hash(part: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    part.hash(&mut hasher);
    hasher.finish()
}

impl Scrubber {
    /// Adds a secret or token to the ones that are removed.
    pub(crate) fn add_secret(&self, secret: &str) {
        if secret.len() < MIN_SECRET_LEN {
            return;
        }
        let mut known = lock(&self.0);
        let at = known.iter().position(|known| known.plain.expose_secret() == secret);
        let this = at.and_then(|at| known.remove(at));
        let this = this.unwrap_or_else(|| KnownSecret::new(secret));
        known.push_back(this);
        if known.len() > MAX_SECRETS {
            known.pop_front();
        }
    }

    /// Removes secrets and tokens from a text.
    pub(crate) fn scrub<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut found = patterns::find_secrets(text);
        let known = lock(&self.0);
        let text_bytes = normalize(text);
        for (at, part) in text_bytes.windows(PART_LEN).enumerate() {
            let hash = hash(part);
            if known.iter().any(|known| known.part_hashes.contains(&hash)) {
                found.push(at..at + PART_LEN);
            }
        }
        known.iter().for_each(|known| known.find(&text_bytes, &mut found));
        redact_ranges(text, found)
    }

    /// Whether a text holds no secret and no token.
    pub(crate) fn is_clean(&self, text: &str) -> bool {
        matches!(self.scrub(text), Cow::Borrowed(_))
    }
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scrubber")
    }
}

/// Removes anything that looks like a token from a text, where no secret is known.
pub(crate) fn redact_tokens(text: &str) -> Cow<'_, str> {
    redact_ranges(text, patterns::find_secrets(text))
}

fn occurrences<'a>(text: &'a [u8], pattern: &'a [u8]) -> impl Iterator<Item = Range<usize>> + 'a {
    let places = text.windows(pattern.len()).enumerate().filter(move |(_, part)| *part == pattern);
    places.map(move |(at, _)| at..at + pattern.len())
}

/// Replaces these ranges of a text. It merges ranges that nearly touch: only an escape
/// or a line break is between them.
fn redact_ranges(text: &str, mut found: Vec<Range<usize>>) -> Cow<'_, str> {
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    found.sort_unstable_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in found {
        match merged.last_mut() {
            Some(last) if range.start < last.end + MIN_TRUNCATED_LEN => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    let mut scrubbed = String::with_capacity(text.len());
    let mut from = 0;
    for range in merged {
        scrubbed.push_str(&text[from..text.floor_char_boundary(range.start).max(from)]);
        scrubbed.push_str(REDACTED);
        from = text.ceil_char_boundary(range.end);
    }
    scrubbed.push_str(&text[from..]);
    Cow::Owned(scrubbed)
}

#[cfg(test)]
mod tests;
