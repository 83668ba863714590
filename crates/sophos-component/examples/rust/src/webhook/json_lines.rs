//! Audit records and outcomes as lines of JSON, with the names of the WIT.

use std::{
    fs::OpenOptions,
    io::{Error, Result, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use serde_json::{Value, json};

use super::bindings::sophos::central::{audit_log::AuditRecord, outcomes::Outcome};

/// Returns an audit record as JSON.
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

/// Returns an outcome as JSON. It may contain an approval link.
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

/// Appends a line to a file in one write. The file is readable by its owner only.
///
/// # Errors
/// If the write fails.
pub fn append_line(file: &Path, line: &Value) -> Result<()> {
    let open = OpenOptions::new().create(true).append(true).mode(0o600).open(file);
    open.and_then(|mut open| open.write_all(format!("{line}\n").as_bytes()))
        .map_err(|error| Error::new(error.kind(), format!("writing {} failed: {error}", file.display())))
}
