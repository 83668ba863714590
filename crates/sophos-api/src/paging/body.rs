//! Parsing the body of a page: as a whole, and if that fails item by item.
//!
//! One byte that is not JSON makes the whole body invalid. The boundaries of the items
//! are found nevertheless, so that only the item with that byte is lost.

use std::ops::Range;

use bytes::Bytes;
use bytestring::ByteString;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::{
    error::{Error, ErrorKind},
    operation::parse_body,
};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// An item of a page that is not JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MalformedItem {
    /// The bytes as the service sent them.
    pub bytes: Bytes,
    /// The reason, without any of the bytes.
    pub reason: String,
}

impl MalformedItem {
    pub(crate) fn error(&self) -> Error {
        Error::malformed(format!("an item of {} bytes is unreadable: {}", self.bytes.len(), self.reason))
    }
}

/// A page with a list of the items that are not JSON.
pub(crate) trait LenientPage: DeserializeOwned {
    /// Parses the body, whose memory the items may share.
    fn from_body(body: ByteString) -> serde_json::Result<Self> {
        serde_json::from_str(&body)
    }

    fn set_malformed_items(&mut self, malformed_items: Vec<MalformedItem>);
}

/// Parses a page. It rejects a list: serde would accept an empty one as a page without
/// items, which looks like the end of a listing.
pub(crate) fn parse_page<P>(
    response: &http::Response<Bytes>,
    parse: impl FnOnce(ByteString) -> serde_json::Result<P>,
) -> Result<P, Error> {
    let first = response.body().iter().find(|byte| !byte.is_ascii_whitespace());
    if response.status().is_success() && first == Some(&b'[') {
        return Err(
            Error::malformed("the page is a list, not an object").with_status(response.status().as_u16())
        );
    }
    parse_body(response, parse)
}

/// Parses a page, and sets aside the items that are not JSON.
pub(crate) fn parse_page_lenient<P: LenientPage>(response: &http::Response<Bytes>) -> Result<P, Error> {
    let error = match parse_page(response, P::from_body) {
        Err(error) if error.kind() == ErrorKind::Malformed && response.status().is_success() => error,
        other => return other,
    };
    let Some((body, malformed_items)) = split_malformed_items(response.body()) else { return Err(error) };
    let mut salvaged = http::Response::new(Bytes::from(body));
    *salvaged.status_mut() = response.status();
    // If the rest is not a page either, the first error tells more.
    let mut page = parse_page(&salvaged, P::from_body).map_err(|_| error)?;
    page.set_malformed_items(malformed_items);
    Ok(page)
}

/// Splits the body into the rest and the items that are not JSON. `None` if the page
/// is incomplete: a retry may return all of it.
fn split_malformed_items(body: &Bytes) -> Option<(Vec<u8>, Vec<MalformedItem>)> {
    let start = if body.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let (list, items) = find_items(body, start)?;
    let mut readable = body[start..list.start].to_vec();
    readable.push(b'[');
    let mut malformed_items = Vec::new();
    let mut first = true;
    for item in items {
        match check_json(&body[item.clone()]) {
            Ok(()) => {
                if !std::mem::take(&mut first) {
                    readable.push(b',');
                }
                readable.extend_from_slice(&body[item]);
            }
            Err(reason) => malformed_items.push(MalformedItem { bytes: body.slice(item), reason }),
        }
    }
    readable.push(b']');
    readable.extend_from_slice(&body[list.end..]);
    Some((readable, malformed_items))
}

/// Checks that the bytes are JSON. Serde's own message may quote them.
fn check_json(item: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(item)
        .map_err(|error| format!("invalid UTF-8 at byte {}", error.valid_up_to()))?;
    serde_json::from_str::<&RawValue>(text).map(|_| ()).map_err(|error| {
        format!(
            "invalid JSON: {:?} error at line {} column {}",
            error.classify(),
            error.line(),
            error.column()
        )
    })
}

/// The range of the list of items in a page, with its brackets, and of each item.
fn find_items(body: &[u8], start: usize) -> Option<(Range<usize>, Vec<Range<usize>>)> {
    let mut found = None;
    let mut at = expect_byte(body, start, b'{')?;
    loop {
        at = skip_whitespace(body, at);
        let key = at;
        at = string_end(body, at)?;
        let is_items = &body[key..at] == b"\"items\"";
        at = skip_whitespace(body, expect_byte(body, at, b':')?);
        if is_items && body.get(at) == Some(&b'[') {
            let (end, items) = scan_list(body, at)?;
            found = Some((at..end, items));
            at = end;
        } else {
            at = value_end(body, at)?;
        }
        at = skip_whitespace(body, at);
        match body.get(at)? {
            b',' => at += 1,
            b'}' if skip_whitespace(body, at + 1) == body.len() => return found,
            _ => return None,
        }
    }
}

/// The end of a list, and its items.
fn scan_list(body: &[u8], start: usize) -> Option<(usize, Vec<Range<usize>>)> {
    let mut items = Vec::new();
    let mut at = skip_whitespace(body, start + 1);
    if body.get(at) == Some(&b']') {
        return Some((at + 1, items));
    }
    loop {
        at = skip_whitespace(body, at);
        let end = value_end(body, at)?;
        let trimmed = body[at..end].trim_ascii_end().len();
        items.push(at..at + trimmed);
        match body.get(end)? {
            b',' => at = end + 1,
            b']' => return Some((end + 1, items)),
            _ => return None,
        }
    }
}

/// The end of any value: the next comma or closing bracket. It ignores brackets in
/// strings.
fn value_end(body: &[u8], start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = start;
    loop {
        match body.get(at)? {
            b'"' => {
                at = string_end(body, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b',' | b'}' | b']' if depth == 0 => return Some(at),
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        at += 1;
    }
}

/// The end of the string that starts here.
fn string_end(body: &[u8], start: usize) -> Option<usize> {
    let mut at = expect_byte(body, start, b'"')?;
    loop {
        match body.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

fn expect_byte(body: &[u8], at: usize, byte: u8) -> Option<usize> {
    let at = skip_whitespace(body, at);
    (body.get(at) == Some(&byte)).then_some(at + 1)
}

fn skip_whitespace(body: &[u8], at: usize) -> usize {
    let rest = body.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}
