//! What the webhook tells, as lines of JSON in the names of the WIT.

use std::{fs::OpenOptions, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

use serde_json::{Value, json};

use super::bindings::sophos::central::{journal::Notice, outcomes::Outcome};

/// An entry of the journal.
pub fn audit_record(notice: &Notice) -> Value {
    json!({
        "status": notice.status,
        "source": notice.source,
        "problem": notice.problem,
        "begun": notice.begun,
        "known": notice.known,
        "previous-key": notice.previous_key,
        "failures": notice.failures,
    })
}

/// An outcome. A link by which a person approves may be in it.
pub fn outcome(outcome: &Outcome) -> Value {
    json!({
        "decision": outcome.decision,
        "sequence": outcome.sequence,
        "what": outcome.what,
        "at": outcome.at,
        "source": outcome.source,
        "approval-url": outcome.approval_url,
        "all": outcome.all,
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
