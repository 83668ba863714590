//! A row as one line of JSON, identical to serde's output for the same members.

use jiff::Timestamp;

use crate::{
    encode::{Row, to_rfc3339_millis},
    swar,
};

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
    if write_without_controls(line, text).is_none() {
        line.truncate(start);
        text.iter().for_each(|byte| write_byte(line, *byte));
    }
    line.push(b'"');
}

/// Appends a text with a backslash before each quote and backslash. `None` if it has a
/// control character; the text is appended then as well.
///
/// Processes eight bytes at a time. A record has a quote every few bytes, and copying
/// each run between them takes twice as long.
fn write_without_controls(line: &mut Vec<u8>, text: &[u8]) -> Option<()> {
    let start = line.len();
    line.resize(start + 2 * text.len() + MAX_ESCAPED_WORD_LEN, 0);
    let to = &mut line[start..];
    let (words, rest) = text.as_chunks::<{ swar::WORD_LEN }>();
    // Filled with spaces, which are cut off again.
    let mut last = [b' '; swar::WORD_LEN];
    last[..rest.len()].copy_from_slice(rest);
    let (mut at, mut controls) = (0, 0);
    for word in words.iter().chain([&last]) {
        let word = u64::from_le_bytes(*word);
        controls |= swar::bytes_below(word, b' ');
        at += write_word(to[at..].first_chunk_mut()?, word);
    }
    line.truncate(start + at - (swar::WORD_LEN - rest.len()));
    (controls == 0).then_some(())
}

/// The room for a word in which each byte is escaped, and for the word that the last one
/// overwrites.
const MAX_ESCAPED_WORD_LEN: usize = 3 * swar::WORD_LEN;

/// Writes the bytes of a word with the backslashes, and returns their number.
#[inline]
fn write_word(to: &mut [u8; MAX_ESCAPED_WORD_LEN], word: u64) -> usize {
    to[..swar::WORD_LEN].copy_from_slice(&word.to_le_bytes());
    let mut escaped = swar::all_bytes_equal(word, b'"') | swar::all_bytes_equal(word, b'\\');
    let mut backslashes = 0;
    while escaped != 0 {
        // Moves the byte and those after it by one. The mask is of no effect but for the
        // compiler, which omits the checks of bounds.
        let index = swar::first_byte(escaped);
        let at = (backslashes + index) & (2 * swar::WORD_LEN - 1);
        to[at] = b'\\';
        to[at + 1..at + 1 + swar::WORD_LEN].copy_from_slice(&(word >> (8 * index)).to_le_bytes());
        escaped &= escaped - 1;
        backslashes += 1;
    }
    swar::WORD_LEN + backslashes
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
