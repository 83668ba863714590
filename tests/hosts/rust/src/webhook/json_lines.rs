//! What the webhook tells, as lines of JSON in the names of the WIT.

use std::{fs::OpenOptions, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

use serde_json::{Value, json};

use super::bindings::sophos::central::{audit_log::AuditRecord, outcomes::Outcome};

/// An entry of the audit log.
pub fn audit_record(record: &AuditRecord) -> Value {
    json!({
        "status": record.status,
        "source": record.source,
        "problem": record.problem,
        "created": record.created,
        "duplicates": record.duplicates,
        "used-previous-key": record.used_previous_key,
        "failures": record.failures,
    })
}

/// An outcome. A link by which a person approves may be in it.
pub fn outcome(outcome: &Outcome) -> Value {
    json!({
        "decision": outcome.decision,
        "sequence": outcome.sequence,
        "status": outcome.status,
        "occurred-at": outcome.occurred_at,
        "source": outcome.source,
        "approval-url": outcome.approval_url,
        "details": outcome.details,
    })
}

/// Adds a line to a file that only this user reads, in one piece.
///
/// # Errors
/// In words, when the file cannot be written.
pub fn append_line(file: &Path, line: &Value) -> Result<(), String> {
    let open = OpenOptions::new().create(true).append(true).mode(0o600).open(file);
    open.and_then(|mut open| open.write_all(format!("{line}\n").as_bytes()))
        .map_err(|error| format!("{} cannot be written: {error}", file.display()))
}
