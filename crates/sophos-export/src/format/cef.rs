//! The Common Event Format, as Sophos's script for SIEMs writes it, and without its
//! defects.

use super::{
    FormatSpec,
    compressed_lines::{LineEncoder, count_lines, ignore_lines},
    gzip::{Gzip, decompress},
    siem_script::{
        Fields, Json, Mode, flatten, push_plain_key, python_strip, record_fields, rename, split_name,
    },
};
use crate::encode::Row;

pub(super) static SPEC: FormatSpec = FormatSpec {
    name: "cef.gz",
    encoder: || Box::new(LineEncoder::<Gzip>::new(corrected_line)),
    scan: |body, _| count_lines(decompress(body)),
    read: None,
    line: Some(corrected_line),
};

/// The script breaks lines within rows.
pub(super) static COMPATIBLE_SPEC: FormatSpec = FormatSpec {
    name: "cef-compatible.gz",
    encoder: || Box::new(LineEncoder::<Gzip>::new(compatible_line)),
    scan: |body, _| ignore_lines(decompress(body)),
    read: None,
    line: Some(compatible_line),
};

fn corrected_line(row: &Row<'_>) -> String {
    to_line(row, Mode::Corrected)
}

fn compatible_line(row: &Row<'_>) -> String {
    to_line(row, Mode::Compatible)
}

/// The text of a missing member of the header.
const MISSING: &str = "NA";

fn to_line(row: &Row<'_>, mode: Mode) -> String {
    let mut fields = record_fields(row, mode);
    split_name(&mut fields);
    let mut fields = flatten(fields, mode);
    let mut line = "CEF:0|sophos|sophos central|1.0|".to_owned();
    let (kind, name) = (take_text(&mut fields, "type", mode), take_text(&mut fields, "name", mode));
    for text in [&kind, &name] {
        push_header(&mut line, text, mode);
        line.push('|');
    }
    line.push_str(&severity(fields.remove("severity").as_ref(), mode).to_string());
    line.push('|');
    rename(&mut fields);
    for (index, (key, value)) in fields.iter().enumerate() {
        if index > 0 {
            line.push(' ');
        }
        push_extension(&mut line, key, value, mode);
    }
    match mode {
        Mode::Compatible => python_strip(&line).to_owned(),
        Mode::Corrected => line,
    }
}

/// Removes a member of the header and returns its text.
fn take_text(fields: &mut Fields, name: &str, mode: Mode) -> String {
    fields.remove(name).map_or_else(|| MISSING.to_owned(), |value| mode.text(&value))
}

fn severity(severity: Option<&Json>, mode: Mode) -> u8 {
    match severity {
        Some(Json::Text(text)) => match text.as_str() {
            "low" => 1,
            "medium" => 5,
            "high" => 8,
            "very_high" => 10,
            "critical" if mode == Mode::Corrected => 10,
            _ => 0,
        },
        // Of detections.
        Some(Json::Number(number)) if mode == Mode::Corrected => {
            number.parse::<u8>().map_or(0, |number| number.min(10))
        }
        _ => 0,
    }
}

/// Appends a text of the header, which has no line breaks.
fn push_header(line: &mut String, text: &str, mode: Mode) {
    for char in text.chars() {
        match char {
            '|' | '\\' => line.extend(['\\', char]),
            char if mode == Mode::Corrected && char.is_control() => line.push(' '),
            char => line.push(char),
        }
    }
}

fn push_extension(line: &mut String, key: &str, value: &Json, mode: Mode) {
    if mode == Mode::Compatible {
        line.push_str(key);
    } else {
        push_plain_key(line, key);
    }
    line.push('=');
    let text = mode.text(value);
    if mode == Mode::Compatible && !matches!(value, Json::Text(_)) {
        return line.push_str(&text);
    }
    for char in text.chars() {
        match char {
            '=' | '\\' => line.extend(['\\', char]),
            '\n' if mode == Mode::Corrected => line.push_str("\\n"),
            '\r' if mode == Mode::Corrected => line.push_str("\\r"),
            char if mode == Mode::Corrected && char.is_control() => line.push(' '),
            char => line.push(char),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Dataset;

    fn line(record: &str, mode: Mode) -> String {
        to_line(&row(record), mode)
    }

    fn row(record: &str) -> Row<'_> {
        Row {
            id: "a",
            tenant: "t",
            dataset: Dataset::Events,
            source: "siem/v1/events",
            time: "2026-11-23T09:00:00Z".parse().ok(),
            created_at: "2026-11-23T09:00:01Z".parse().ok(),
            revision: 0,
            record,
        }
    }

    #[test]
    fn cef_compatible_is_as_the_script_writes() {
        let record = r#"{"severity":"critical","type":"Event::Endpoint::Threat::Detected","name":"'a|b' at 'c=\\d'",
            "source_info":{"ip":"10.0.0.1","x":null},"origin":null,"list":[true,"=\n"],"location":"Ann's PC","note":"a=b\nc"}"#;
        assert_eq!(
            line(record, Mode::Compatible),
            "CEF:0|sophos|sophos central|1.0|Event::Endpoint::Threat::Detected|a\\|b|0|source_info_ip=10.0.0.1 \
             source_info_x=None list=[True, '=\\n'] note=a\\=b\nc datastream=event \
             detection_identity_name=a|b filePath=c\\=\\\\d dhost=ann-s-pc"
        );
    }

    #[test]
    fn cef_corrected_escapes_and_keeps_critical() {
        let record = r#"{"severity":"critical","type":"T\nU","name":"n","a b":{"c":null,"d":[true,"=\n"]},"note":"a=b\r\nc\u0000"}"#;
        assert_eq!(
            line(record, Mode::Corrected),
            "CEF:0|sophos|sophos central|1.0|T U|n|10|a_b_d=[true,\"\\=\\\\n\"] note=a\\=b\\r\\nc  \
             datastream=event end=2026-11-23T09:00:00.000Z rt=2026-11-23T09:00:01.000Z"
        );
    }

    #[test]
    fn cef_is_written_without_expected_members() {
        for record in ["{}", "[1]", "null", r#"{"type":7,"name":{},"severity":[]}"#] {
            for mode in [Mode::Corrected, Mode::Compatible] {
                let line = line(record, mode);
                assert!(line.starts_with("CEF:0|sophos|sophos central|1.0|"), "{line}");
            }
        }
    }

    proptest! {
        /// Each row is one line, whatever the record has.
        #[test]
        fn cef_corrected_row_is_one_line(text in any::<String>(), key in any::<String>()) {
            let record = serde_json::json!({ key.as_str(): text, "type": text, "name": { "x": [text] } }).to_string();
            prop_assert!(!line(&record, Mode::Corrected).contains(['\n', '\r']));
        }
    }
}
