//! What the host records of what came in.

use sophos_isolation::{
    DecisionId,
    signal::clean,
    webhook::{RequestLog, Response},
};

use crate::bindings::sophos::central::audit_log;

/// Has an answer recorded.
pub(super) fn record(answer: &Response, notice: &RequestLog, failures: &[String]) {
    let ids = |ids: &[DecisionId]| ids.iter().map(|id| id.as_str().to_owned()).collect();
    audit_log::append(&audit_log::AuditRecord {
        status: answer.status,
        source: notice.source.clone(),
        problem: notice.problem(),
        created: ids(&notice.created),
        duplicates: ids(&notice.duplicates),
        used_previous_key: notice.used_previous_key,
        failures: failures.iter().map(|failure| clean(failure)).collect(),
    });
}

/// Has an answer recorded that was given without looking into the request.
pub(super) fn record_problem(answer: &Response, problem: impl Into<String>) {
    let mut notice = RequestLog::default();
    notice.problem = Some(problem.into());
    record(answer, &notice, &[]);
}
