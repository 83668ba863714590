//! Pairs of keys and values, as Sophos's script for SIEMs writes them, and without its
//! defects.

use super::{
    FormatSpec,
    compressed_lines::{LineEncoder, count_lines, ignore_lines},
    gzip::{Gzip, decompress},
    siem_script::{Json, Mode, flatten, push_plain_key, python_strip, record_fields, rename, split_name},
};
use crate::encode::Row;

pub(super) static SPEC: FormatSpec = FormatSpec {
    name: "kv.gz",
    encoder: || Box::new(LineEncoder::<Gzip>::new(corrected_line)),
    scan: |body, _| count_lines(decompress(body)),
    read: None,
    line: Some(corrected_line),
};

/// The script breaks lines within rows.
pub(super) static COMPATIBLE_SPEC: FormatSpec = FormatSpec {
    name: "kv-compatible.gz",
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

fn to_line(row: &Row<'_>, mode: Mode) -> String {
    let mut fields = record_fields(row, mode);
    rename(&mut fields);
    split_name(&mut fields);
    if mode == Mode::Corrected {
        fields = flatten(fields, mode);
    }
    let mut line = match (fields.get("rt"), mode) {
        (Some(time), _) => mode.text(time),
        (None, Mode::Compatible) => String::new(),
        (None, Mode::Corrected) => "-".to_owned(),
    };
    if mode == Mode::Corrected {
        line = line.chars().map(|char| if char.is_control() || char == ' ' { '_' } else { char }).collect();
    }
    for (key, value) in fields.iter() {
        line.push(' ');
        push_pair(&mut line, key, value, mode);
    }
    match mode {
        Mode::Compatible => python_strip(&line).to_owned(),
        Mode::Corrected => line,
    }
}

/// Appends `key="value";`.
fn push_pair(line: &mut String, key: &str, value: &Json, mode: Mode) {
    let text = mode.text(value);
    if mode == Mode::Compatible {
        line.extend([key, "=\"", &text, "\";"]);
        return;
    }
    push_plain_key(line, key);
    line.push_str("=\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => line.extend(['\\', char]),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            char if char.is_control() => line.push(' '),
            char => line.push(char),
        }
    }
    line.push_str("\";");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dataset;

    fn line(record: &str, mode: Mode) -> String {
        to_line(
            &Row {
                id: "a",
                tenant: "t",
                dataset: Dataset::Alerts,
                source: "siem/v1/alerts",
                time: None,
                created_at: None,
                revision: 1,
                record,
            },
            mode,
        )
    }

    const RECORD: &str = r#"{"created_at":"2026-11-23T09:00:01Z","data":{"a":"x\"y","b":[1.50,null]},"description":"d\ne","type":"T"}"#;

    #[test]
    fn key_value_compatible_is_as_the_script_writes() {
        assert_eq!(
            line(RECORD, Mode::Compatible),
            "2026-11-23T09:00:01Z data=\"{'a': 'x\"y', 'b': [1.5, None]}\"; description=\"d\ne\"; type=\"T\"; \
             datastream=\"alert\"; rt=\"2026-11-23T09:00:01Z\"; name=\"d\ne\";"
        );
        assert_eq!(line("{}", Mode::Compatible), "datastream=\"alert\";");
    }

    #[test]
    fn key_value_corrected_escapes_values() {
        assert_eq!(
            line(RECORD, Mode::Corrected),
            "2026-11-23T09:00:01Z data_a=\"x\\\"y\"; data_b=\"[1.50,null]\"; description=\"d\\ne\"; type=\"T\"; \
             revision=\"1\"; datastream=\"alert\"; rt=\"2026-11-23T09:00:01Z\"; name=\"d\\ne\";"
        );
        assert_eq!(line("7", Mode::Corrected), "- record=\"7\"; revision=\"1\"; datastream=\"alert\";");
    }
}
