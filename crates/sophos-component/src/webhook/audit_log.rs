//! The imported `audit-log`.

use sophos_isolation::{
    DecisionId,
    signal::clean,
    webhook::{RequestLog, Response},
};

use crate::bindings::sophos::central::audit_log;

/// Appends the record of a request.
pub(super) fn record(response: &Response, log: &RequestLog, failures: &[String]) {
    let ids = |ids: &[DecisionId]| ids.iter().map(|id| id.as_str().to_owned()).collect();
    audit_log::append(&audit_log::AuditRecord {
        status: response.status,
        source: log.source.clone(),
        problem: log.problem(),
        created: ids(&log.created),
        duplicates: ids(&log.duplicates),
        used_previous_key: log.used_previous_key,
        failures: failures.iter().map(|failure| clean(failure)).collect(),
    });
}

/// Appends the record of a request that failed before the webhook handled it.
pub(super) fn record_problem(response: &Response, problem: impl Into<String>) {
    let mut log = RequestLog::default();
    log.problem = Some(problem.into());
    record(response, &log, &[]);
}
