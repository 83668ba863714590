//! The fields of Sophos's script for SIEMs, Sophos-Central-SIEM-Integration 2.1.0: their
//! names, their order, and the parts of a name.

mod host_name;
mod json_value;
mod name_parts;
mod python_text;

use jiff::Timestamp;

use host_name::to_valid_host_name;
pub(super) use json_value::{Fields, Json};
use python_text::python_str;
pub(super) use python_text::python_strip;

use crate::{
    dataset::Dataset,
    encode::{Row, to_rfc3339_millis},
};

/// The renamed members of a record.
const RENAMED: [(&str, &str); 7] = [
    ("device_event_class_id", "type"),
    ("source", "suser"),
    ("when", "end"),
    ("user_id", "duid"),
    ("created_at", "rt"),
    ("full_file_path", "filePath"),
    ("location", "dhost"),
];

/// The manner of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// As the script writes, byte for byte.
    Compatible,
    /// Without the script's defects: each row is one line, `critical` is the greatest
    /// severity, lists and objects are JSON, and a missing member is no failure.
    Corrected,
}

impl Mode {
    /// The text of a value.
    pub(super) fn text(self, value: &Json) -> String {
        match (self, value) {
            (_, Json::Text(text)) => text.clone(),
            (Self::Compatible, value) => python_str(value),
            (Self::Corrected, value) => value.to_json(),
        }
    }
}

/// The members of a record, without nulls, with the script's own member.
pub(super) fn record_fields(row: &Row<'_>, mode: Mode) -> Fields {
    let mut fields = match Json::parse(row.record) {
        Json::Object(fields) => fields,
        _ => {
            let mut fields = Fields::default();
            fields.set("record", Json::Text(row.record.to_owned()));
            fields
        }
    };
    if mode == Mode::Corrected {
        let mut add = |name: &str, time: Option<Timestamp>| {
            if let Some(time) = time
                && fields.get(name).is_none_or(|value| *value == Json::Null)
            {
                fields.set(name, Json::Text(to_rfc3339_millis(time)));
            }
        };
        // The Common API has other names.
        add("when", row.time);
        add("created_at", row.created_at);
        if row.revision > 0 {
            fields.set("revision", Json::Number(row.revision.to_string()));
        }
    }
    let stream = match row.dataset {
        Dataset::Events => "event",
        Dataset::Alerts => "alert",
        other => other.name(),
    };
    fields.set("datastream", Json::Text(stream.to_owned()));
    fields.retain(|value| *value != Json::Null);
    fields
}

/// Renames members as the script does.
pub(super) fn rename(fields: &mut Fields) {
    for key in fields.keys() {
        let Some((_, new)) = RENAMED.iter().find(|(old, _)| *old == key) else { continue };
        let Some(mut value) = fields.remove(&key) else { continue };
        if let ("dhost", Json::Text(host)) = (*new, &mut value) {
            *host = to_valid_host_name(host);
        }
        fields.set(new, value);
    }
}

/// Splits the name of some events, and takes the name of an alert from its description.
pub(super) fn split_name(fields: &mut Fields) {
    if let Some(description) = fields.get("description") {
        let description = description.clone();
        fields.set("name", description);
    }
    let (Some(Json::Text(kind)), Some(Json::Text(name))) = (fields.get("type"), fields.get("name")) else {
        return;
    };
    let Some(parts) = name_parts::split(kind, name) else { return };
    let threat = parts.iter().find(|(name, _)| *name == "detection_identity_name");
    if let Some((_, threat)) = threat {
        fields.set("name", Json::Text(threat.clone()));
    }
    for (name, part) in parts {
        fields.set(name, Json::Text(part));
    }
}

/// Replaces nested objects by their members, with the names joined by `_`. An empty object
/// disappears. With [`Mode::Corrected`] nulls disappear as well.
pub(super) fn flatten(fields: Fields, mode: Mode) -> Fields {
    fn add(flat: &mut Fields, prefix: &str, fields: Fields, mode: Mode) {
        for (name, value) in fields.into_entries() {
            let name = format!("{prefix}{name}");
            match value {
                Json::Object(inner) => add(flat, &format!("{name}_"), inner, mode),
                Json::Null if mode == Mode::Corrected => {}
                value => flat.set(&name, value),
            }
        }
    }
    let mut flat = Fields::default();
    add(&mut flat, "", fields, mode);
    flat
}

/// Appends a key, with other characters than letters, digits and `_` replaced by `_`.
pub(super) fn push_plain_key(line: &mut String, key: &str) {
    line.extend(key.chars().map(|char| if char.is_ascii_alphanumeric() { char } else { '_' }));
}
