//! The mapping of stored rows to OCSF 1.3.0.

mod base;
mod detection_finding;
mod device;
mod device_inventory;
mod event_type;
mod evidence;
mod file_remediation;
mod isolation;
mod record;
mod remediation;

use jiff::Timestamp;
use serde_json::Value;

pub use event_type::{
    CleanUpRule, Disposition, EventRule, FindingActivity, FindingRule, RemedyActivity, RemedyStatus, classify,
};

use crate::{class::Class, stored_row::StoredRow};

/// The version of the mapping. A batch records it.
pub const MAPPING_VERSION: u32 = 1;

/// The settings of the mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingSettings {
    /// The classes to write. A clean-up of a class that is not among them becomes an
    /// update of a finding; other rows of such a class are left out.
    pub classes: Vec<Class>,
    /// The name of the product: `Sophos Central`.
    pub product_name: String,
}

impl Default for MappingSettings {
    fn default() -> Self {
        Self { classes: Class::DEFAULT.to_vec(), product_name: "Sophos Central".into() }
    }
}

/// A row of the lake.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct OcsfRow {
    /// The class.
    pub class: Class,
    /// The `time` in milliseconds since the Unix epoch.
    pub time_ms: i64,
    /// The attributes.
    pub value: Value,
}

/// The result of the mapping of one stored row.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Mapped {
    /// The rows of the lake: one, or one for each item of a clean-up.
    Rows(Vec<OcsfRow>),
    /// Telemetry, or a class that is not written: only the export has it.
    Telemetry,
    /// An event of a type that the mapping does not know: only the export has it.
    UnknownType(String),
    /// The record is not a JSON object: only the export has it.
    Invalid,
}

/// Maps a stored row. `committed_at` is the time of rows without a time.
pub fn map_row(row: &StoredRow<'_>, committed_at: Timestamp, settings: &MappingSettings) -> Mapped {
    let Ok(record @ Value::Object(_)) = serde_json::from_str::<Value>(&row.record) else {
        return Mapped::Invalid;
    };
    let source = base::Source { row, record: &record, committed_at, settings };
    let rows = match row.dataset.as_ref() {
        "alerts" => vec![detection_finding::map_alert(&source)],
        "endpoints" => vec![device_inventory::map_endpoint(&source)],
        "isolations" => vec![isolation::map_transition(&source)],
        "events" => {
            let event_type = record::text(&record, "type").unwrap_or_default();
            match classify(&event_type) {
                None => return Mapped::UnknownType(event_type.into_owned()),
                Some(EventRule::Telemetry) => return Mapped::Telemetry,
                Some(EventRule::Finding(finding)) => vec![detection_finding::map_event(&source, finding)],
                Some(EventRule::CleanUp(result)) => map_clean_up(&source, result),
                Some(EventRule::Isolation(activity)) => vec![remediation::map_isolation(&source, activity)],
            }
        }
        _ => return Mapped::Telemetry,
    };
    let rows: Vec<_> = rows.into_iter().filter(|row| settings.classes.contains(&row.class)).collect();
    if rows.is_empty() { Mapped::Telemetry } else { Mapped::Rows(rows) }
}

/// The rows of a clean-up: those of the classes that are written, else an update of the
/// finding.
fn map_clean_up(source: &base::Source<'_>, result: CleanUpRule) -> Vec<OcsfRow> {
    let mut rows = remediation::map_clean_up(source, result);
    rows.retain(|row| source.settings.classes.contains(&row.class));
    if rows.is_empty() {
        rows.push(detection_finding::map_event(source, result.finding()));
    }
    rows
}
