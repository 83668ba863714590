//! The encodings in which a response may repeat a secret.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use secrecy::zeroize::Zeroizing;

use super::MIN_SECRET_LEN;
use crate::operation::request::UNRESERVED;

/// An encoding of a secret, normalized like the texts. Dropping it clears the memory.
pub(super) type EncodedSecret = Zeroizing<Vec<u8>>;

const BASE64_ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Normalizes a text for comparison: to lower case, to one line, and to one of the two
/// Base64 alphabets.
pub(super) fn normalize(text: &str) -> EncodedSecret {
    Zeroizing::new(text.bytes().map(normalize_byte).collect())
}

fn normalize_byte(byte: u8) -> u8 {
    match byte {
        b'+' => b'-',
        b'/' => b'_',
        byte if byte.is_ascii_control() => b' ',
        byte => byte.to_ascii_lowercase(),
    }
}

/// All encodings of a secret, without duplicates.
pub(super) fn encodings_of(secret: &str) -> Vec<EncodedSecret> {
    let bytes = secret.as_bytes();
    let once = Zeroizing::new(String::from_utf8_lossy(&encode_json(secret, false)).into_owned());
    let all = [
        Zeroizing::new(bytes.to_vec()),
        encode_percent(bytes, UNRESERVED),
        encode_percent(bytes, NON_ALPHANUMERIC),
        encode_json(secret, false),
        encode_json(secret, true),
        encode_json(&once, false),
        encode_html(secret),
        encode_hex(bytes),
        encode_base64(bytes, 0),
        encode_base64(bytes, 1),
        encode_base64(bytes, 2),
    ];
    let mut encodings: Vec<EncodedSecret> = Vec::new();
    for mut encoding in all {
        encoding.iter_mut().for_each(|byte| *byte = normalize_byte(*byte));
        if encoding.len() >= MIN_SECRET_LEN && !encodings.contains(&encoding) {
            encodings.push(encoding);
        }
    }
    encodings
}

/// A buffer for the longest encoding. It never grows, so no copy stays in memory.
fn buffer_for(secret: &[u8]) -> EncodedSecret {
    Zeroizing::new(Vec::with_capacity(secret.len() * 12))
}

fn encode_percent(secret: &[u8], encoded: &'static AsciiSet) -> EncodedSecret {
    let mut form = buffer_for(secret);
    percent_encode(secret, encoded).for_each(|part| form.extend_from_slice(part.as_bytes()));
    form
}

/// Encodes as a part of a JSON string. Some writers escape slashes as well.
fn encode_json(secret: &str, with_slashes: bool) -> EncodedSecret {
    let mut form = buffer_for(secret.as_bytes());
    for character in secret.chars() {
        match character {
            '/' if with_slashes => form.extend(b"\\/"),
            '"' | '\\' => form.extend([b'\\', character as u8]),
            '\n' => form.extend(b"\\n"),
            '\r' => form.extend(b"\\r"),
            '\t' => form.extend(b"\\t"),
            ' '..='~' => form.push(character as u8),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    form.extend(b"\\u");
                    form.extend([12, 8, 4, 0].map(|shift| hex_digit(*unit >> shift)));
                }
            }
        }
    }
    form
}

fn hex_digit(number: u16) -> u8 {
    b"0123456789abcdef"[usize::from(number & 15)]
}

fn encode_html(secret: &str) -> EncodedSecret {
    let mut form = buffer_for(secret.as_bytes());
    for byte in secret.bytes() {
        match byte {
            b'&' => form.extend(b"&amp;"),
            b'<' => form.extend(b"&lt;"),
            b'>' => form.extend(b"&gt;"),
            b'"' => form.extend(b"&quot;"),
            b'\'' => form.extend(b"&#39;"),
            byte => form.push(byte),
        }
    }
    form
}

fn encode_hex(secret: &[u8]) -> EncodedSecret {
    let mut form = buffer_for(secret);
    form.extend(
        secret.iter().flat_map(|byte| [hex_digit(u16::from(byte >> 4)), hex_digit(u16::from(*byte))]),
    );
    form
}

/// The Base64 digits that depend on the secret alone, if `offset` bytes precede it in a
/// group of three.
fn encode_base64(secret: &[u8], offset: usize) -> EncodedSecret {
    let mut form = buffer_for(secret);
    let bytes = || std::iter::repeat_n(&0, offset).chain(secret);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in bytes() {
        bits = (bits << 8 | u32::from(*byte)) & 0xffff;
        count += 8;
        while count >= 6 {
            count -= 6;
            form.push(BASE64_ALPHABET[(bits >> count & 63) as usize]);
        }
    }
    let ambiguous = (offset * 8).div_ceil(6).min(form.len());
    form.drain(..ambiguous);
    form
}
