//! What is logged and counted of a request.

use lambda_support::metrics;
use sophos_isolation::webhook::{RequestLog, Response};

/// Writes the records and the metrics of one request.
pub(crate) fn record_request(namespace: &str, response: &Response, notice: &RequestLog, request_id: &str) {
    let source = notice.source.as_deref().unwrap_or("unknown");
    let status = response.status;
    for id in &notice.created {
        tracing::info!(decision = %id, source, "a decision begins");
    }
    for id in &notice.duplicates {
        tracing::info!(decision = %id, source, "the event was sent before");
    }
    if notice.used_previous_key {
        tracing::warn!(source, "the sender still uses the previous value of its secret");
    }
    if let (Some(body_sha256), Some(problem)) = (&notice.body_sha256, notice.problem()) {
        let record = notice.record_path.as_deref().unwrap_or_default();
        let event = "unreadable_alert";
        tracing::warn!(event, source, body_sha256, record, problem, "failed to read an authentic alert");
    }
    for remark in notice.notes() {
        tracing::warn!(event = "webhook_remark", source, remark, "remark");
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
            tracing::error!(event = "not_recorded", source, status, problem, "not recorded");
        }
        Some(problem) => tracing::warn!(event = "turned_away", source, status, problem, "turned away"),
        None => {}
    }
    let one_if = |it_is| if it_is { 1.0 } else { 0.0 };
    let values = [
        ("BegunDecisions", "Count", notice.created.len() as f64),
        ("RepeatedEvents", "Count", notice.duplicates.len() as f64),
        ("TurnedAway", "Count", one_if(status >= 400 && !failed)),
        ("NotRecorded", "Count", one_if(failed)),
    ];
    let dimensions = [("Source", source)];
    metrics::write([metrics::emf_record(namespace, request_id, metrics::now_ms(), &dimensions, &values)]);
}
