//! The log records and metrics of a request.

use lambda_support::metrics;
use sophos_isolation::webhook::{RequestLog, Response};

/// Writes the log records and the metrics of a request.
pub(crate) fn record_request(namespace: &str, response: &Response, log: &RequestLog, request_id: &str) {
    let source = log.source.as_deref().unwrap_or("unknown");
    let status = response.status;
    for id in &log.created {
        tracing::info!(event = "decision_created", decision_id = %id, source, "created a decision");
    }
    for id in &log.duplicates {
        tracing::info!(event = "duplicate_event", decision_id = %id, source, "duplicate event");
    }
    if log.used_previous_key {
        tracing::warn!(
            event = "previous_secret_used",
            source,
            "the sender still uses the previous version of its secret"
        );
    }
    if let (Some(body_sha256), Some(problem)) = (&log.body_sha256, log.problem()) {
        let record = log.record_path.as_deref().unwrap_or_default();
        let event = "malformed_alert";
        tracing::warn!(event, source, body_sha256, record, problem, "failed to parse an authentic alert");
    }
    for note in log.notes() {
        tracing::warn!(event = "webhook_note", source, note, "note for the operator");
    }
    let is_server_error = log.is_server_error(response);
    match log.problem() {
        // The response to the sender does not reveal it.
        Some(problem) if log.error_kind == Some("SecretUnreadable") => {
            let secret_name = log.secret_name.as_deref().unwrap_or_default();
            tracing::error!(
                event = "secret_unreadable",
                source,
                secret_name,
                status,
                problem,
                "failed to read a secret; requests that need it are rejected"
            );
        }
        Some(problem) if is_server_error => {
            tracing::error!(event = "request_failed", source, status, problem, "failed to record the alert");
        }
        Some(problem) => {
            tracing::warn!(event = "request_rejected", source, status, problem, "rejected the request")
        }
        None => {}
    }
    let count = |condition| if condition { 1.0 } else { 0.0 };
    let values = [
        ("DecisionsCreated", "Count", log.created.len() as f64),
        ("DuplicateEvents", "Count", log.duplicates.len() as f64),
        ("RejectedRequests", "Count", count(status >= 400 && !is_server_error)),
        ("ServerErrors", "Count", count(is_server_error)),
    ];
    let dimensions = [("Source", source)];
    metrics::write([metrics::emf_record(namespace, request_id, metrics::now_ms(), &dimensions, &values)]);
}
