//! A row as one line of JSON, identical to serde's output for the same members.

use fearless_simd::{Level, dispatch, prelude::*, u8x16};
use jiff::Timestamp;

use crate::encode::{Row, to_rfc3339_millis};

/// Appends the row and a line break.
pub(crate) fn write_row(line: &mut Vec<u8>, row: &Row<'_>) {
    line.extend_from_slice(br#"{"id":"#);
    write_text(line, row.id);
    line.extend_from_slice(br#","tenant":"#);
    write_text(line, row.tenant);
    line.extend_from_slice(br#","dataset":""#);
    line.extend_from_slice(row.dataset.name().as_bytes());
    line.extend_from_slice(br#"","source":"#);
    write_text(line, row.source);
    line.extend_from_slice(br#","time":"#);
    write_time(line, row.time);
    line.extend_from_slice(br#","created_at":"#);
    write_time(line, row.created_at);
    line.extend_from_slice(br#","revision":"#);
    match row.revision {
        0 => line.push(b'0'),
        revision => line.extend_from_slice(revision.to_string().as_bytes()),
    }
    // As a string: a columnar reader would fold the case of member names, drop nulls and
    // fail on repeated names.
    line.extend_from_slice(br#","record":"#);
    write_text(line, row.record);
    line.extend_from_slice(b"}\n");
}

/// Appends a string.
fn write_text(line: &mut Vec<u8>, text: &str) {
    let text = text.as_bytes();
    line.push(b'"');
    let start = line.len();
    line.resize(start + 2 * text.len() + VECTOR_LEN, 0);
    match dispatch!(Level::new(), simd => escape(simd, &mut line[start..], text)) {
        Some(written) => line.truncate(start + written),
        None => {
            line.truncate(start);
            text.iter().for_each(|byte| write_byte(line, *byte));
        }
    }
    line.push(b'"');
}

/// The number of bytes that are escaped at once. Each may become two.
const HALF_LEN: usize = 8;

/// The bytes of a vector.
const VECTOR_LEN: usize = 2 * HALF_LEN;

/// For each set of the bytes to be escaped, as bits, the source of each byte of output:
/// the index of a byte of input, or of a backslash after the input.
const SOURCES: [[u8; VECTOR_LEN]; 1 << HALF_LEN] = {
    let mut sources = [[HALF_LEN as u8; VECTOR_LEN]; 1 << HALF_LEN];
    let mut escaped = 0;
    while escaped < sources.len() {
        let (mut to, mut from) = (0, 0);
        while from < HALF_LEN {
            to += escaped >> from & 1;
            sources[escaped][to] = from as u8;
            (to, from) = (to + 1, from + 1);
        }
        escaped += 1;
    }
    sources
};

/// Writes a text with a backslash before each quote and backslash, and returns the
/// length. `None` if it has a control character.
///
/// A record has a quote every few bytes. Each eight bytes and their backslashes are
/// placed by one instruction, without a branch.
#[inline(always)]
fn escape<S: Simd>(simd: S, to: &mut [u8], text: &[u8]) -> Option<usize> {
    let [quote, backslash] = [b'"', b'\\'].map(|byte| u8x16::splat(simd, byte));
    let mut least = backslash;
    let mut at = 0;
    let (halves, rest) = text.as_chunks::<HALF_LEN>();
    // Filled with spaces, which are cut off again.
    let mut last = [b' '; HALF_LEN];
    last[..rest.len()].copy_from_slice(rest);
    for half in halves.iter().chain([&last]) {
        let mut bytes = [b'\\'; VECTOR_LEN];
        bytes[..HALF_LEN].copy_from_slice(half);
        let bytes = u8x16::simd_from(simd, bytes);
        least = least.min(bytes);
        let escaped = (bytes.simd_eq(quote) | bytes.simd_eq(backslash)).to_bitmask() as u8;
        let placed = bytes.swizzle_dyn(u8x16::simd_from(simd, SOURCES[usize::from(escaped)]));
        *to[at..].first_chunk_mut()? = <[u8; VECTOR_LEN]>::from(placed);
        at += HALF_LEN + escaped.count_ones() as usize;
    }
    let has_control = least.simd_lt(u8x16::splat(simd, b' ')).any_true();
    (!has_control).then_some(at - (HALF_LEN - rest.len()))
}

/// Appends one byte of a string.
fn write_byte(line: &mut Vec<u8>, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' | b'\\' => byte,
        8 => b'b',
        9 => b't',
        10 => b'n',
        12 => b'f',
        13 => b'r',
        0..=31 => {
            line.extend_from_slice(b"\\u00");
            return line.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
        _ => return line.push(byte),
    };
    line.extend([b'\\', short]);
}

fn write_time(line: &mut Vec<u8>, time: Option<Timestamp>) {
    let Some(time) = time else { return line.extend_from_slice(b"null") };
    line.push(b'"');
    match recent(time) {
        Some(text) => line.extend_from_slice(&text),
        None => line.extend_from_slice(to_rfc3339_millis(time).as_bytes()),
    }
    line.push(b'"');
}

/// The numbers below 100 as two digits each.
const DIGIT_PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

/// The output of [`to_rfc3339_millis`] for a time from 1970 to 9999, the common case.
fn recent(time: Timestamp) -> Option<[u8; 24]> {
    let millis = u64::try_from(time.as_millisecond()).ok()?;
    // A negative time of less than a millisecond is 0 as well.
    if time < Timestamp::UNIX_EPOCH {
        return None;
    }
    let (days, of_day) = (millis / 86_400_000, millis % 86_400_000);
    // Days from 0000-03-01, in eras of 400 years, by Howard Hinnant's algorithm.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    if year > 9_999 {
        return None;
    }
    let mut text = *b"0000-00-00T00:00:00.000Z";
    let mut put =
        |at: usize, number: u64| text[at..at + 2].copy_from_slice(&DIGIT_PAIRS[number as usize % 100]);
    put(0, year / 100);
    put(2, year % 100);
    put(5, month);
    put(8, day);
    put(11, of_day / 3_600_000);
    put(14, of_day / 60_000 % 60);
    put(17, of_day / 1_000 % 60);
    put(20, of_day % 1_000 / 10);
    text[22] = b'0' + (of_day % 10) as u8;
    Some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::Dataset;

    fn time() -> impl Strategy<Value = Option<Timestamp>> {
        prop::option::of(prop_oneof![
            -2_000_000_000_i128..300_000_000_000_000_000_000,
            1_500_000_000_000_000_000_i128..2_000_000_000_000_000_000,
        ])
        .prop_map(|ns| ns.and_then(|ns| Timestamp::from_nanosecond(ns).ok()))
    }

    proptest! {
        #[test]
        fn a_row_is_what_serde_writes(
            id in ".*",
            record in prop_oneof![".*", r#"[\\"a-zé\x00-\x20\x7f]*"#, "[ -~]*"],
            time in time(),
            created_at in time(),
            revision in any::<u32>(),
        ) {
            let row = Row {
                id: &id,
                tenant: "t",
                dataset: Dataset::Alerts,
                source: "siem/v1/alerts",
                time,
                created_at,
                revision,
                record: &record,
            };
            let mut line = b"before".to_vec();
            write_row(&mut line, &row);
            let text = |value| serde_json::to_string(&value).expect("JSON");
            let time = |time: Option<Timestamp>| text(json!(time.map(to_rfc3339_millis)));
            prop_assert_eq!(
                String::from_utf8(line).expect("UTF-8"),
                format!(
                    "before{{\"id\":{},\"tenant\":\"t\",\"dataset\":\"alerts\",\"source\":\"siem/v1/alerts\",\
                     \"time\":{},\"created_at\":{},\"revision\":{revision},\"record\":{}}}\n",
                    text(json!(id)), time(row.time), time(row.created_at), text(json!(record)),
                )
            );
        }
    }
}
