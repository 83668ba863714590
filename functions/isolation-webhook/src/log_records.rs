//! What is logged and counted of a request.

use lambda_support::metrics;
use sophos_isolation::webhook::{RequestLog, Response};

/// Writes the records and the metrics of one request.
pub(crate) fn record_request(namespace: &str, response: &Response, notice: &RequestLog, request_id: &str) {
    let source = notice.source.as_deref().unwrap_or("unknown");
    let status = response.status;
    for id in &notice.created {
        tracing::info!(event = "decision_created", decision_id = %id, source, "created a decision");
    }
    for id in &notice.duplicates {
        tracing::info!(event = "duplicate_event", decision_id = %id, source, "duplicate event");
    }
    if notice.used_previous_key {
        tracing::warn!(
            event = "previous_secret_used",
            source,
            "the sender still uses the previous version of its secret"
        );
    }
    if let (Some(body_sha256), Some(problem)) = (&notice.body_sha256, notice.problem()) {
        let record = notice.record_path.as_deref().unwrap_or_default();
        let event = "malformed_alert";
        tracing::warn!(event, source, body_sha256, record, problem, "failed to read an authentic alert");
    }
    for note in notice.notes() {
        tracing::warn!(event = "webhook_note", source, note, "note");
    }
    let failed = notice.is_server_error(response);
    match notice.problem() {
        // The sender is told nothing of it.
        Some(problem) if notice.error_kind == Some("SecretUnreadable") => {
            let (event, secret) = ("secret_unreadable", notice.secret_name.as_deref().unwrap_or_default());
            tracing::error!(
                event,
                source,
                secret,
                status,
                problem,
                "failed to read a secret; requests that need it are rejected"
            );
        }
        Some(problem) if failed => {
            tracing::error!(event = "request_failed", source, status, problem, "failed to record the alert");
        }
        Some(problem) => {
            tracing::warn!(event = "request_rejected", source, status, problem, "rejected the request")
        }
        None => {}
    }
    let one_if = |it_is| if it_is { 1.0 } else { 0.0 };
    let values = [
        ("DecisionsCreated", "Count", notice.created.len() as f64),
        ("DuplicateEvents", "Count", notice.duplicates.len() as f64),
        ("RejectedRequests", "Count", one_if(status >= 400 && !failed)),
        ("ServerErrors", "Count", one_if(failed)),
    ];
    let dimensions = [("Source", source)];
    metrics::write([metrics::emf_record(namespace, request_id, metrics::now_ms(), &dimensions, &values)]);
}
