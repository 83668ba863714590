//! The log records of a run.

use sophos_export::{ExportReport, FailureKind, StreamOutcome};

use crate::plan::PlanReport;

/// What became of streams: one record for each that is in trouble or elsewhere,
/// and one for all.
pub(crate) fn log_run(report: &ExportReport) {
    for stream in &report.streams {
        let (tenant, dataset) = (&stream.tenant, stream.dataset);
        if stream.outcome == StreamOutcome::Failed {
            let kind = stream.error_kind.map_or("Unknown", FailureKind::as_str);
            let error = stream.error.as_deref().unwrap_or_default();
            tracing::error!(event = "stream_failed", tenant_id = tenant, %dataset, error_kind = kind, error, "stream export failed");
        }
        if let Some(moved) = &stream.moved {
            tracing::warn!(event = "tenant_moved", tenant_id = tenant, %dataset, from = moved.from, to = moved.to, "tenant moved to another data region");
        }
    }
    for error in &report.skipped_tenants {
        tracing::error!(event = "tenant_skipped", error, "skipped a tenant");
    }
    for error in &report.unusable_credentials {
        tracing::error!(event = "credential_skipped", error, "skipped a credential");
    }
    tracing::info!(
        event = "export_completed",
        tenants = report.tenants,
        rows = report.rows,
        objects = report.objects,
        bytes = report.bytes,
        calls = report.api_requests,
        failed = report.failed,
        unfinished = report.unfinished,
        "exported"
    );
}

/// What a plan came to: one record for each change, and one for all.
pub(crate) fn log_plan(report: &PlanReport) {
    for credential in &report.credentials {
        let (name, changes) = (&credential.name, &credential.changes);
        for tenant in &changes.added {
            tracing::info!(event = "tenant_added", credential = name, tenant_id = tenant, "tenant added");
        }
        for tenant in &changes.removed {
            tracing::warn!(event = "tenant_removed", credential = name, tenant_id = tenant, "tenant removed");
        }
        for moved in &changes.moved {
            let (from, to) = (&moved.from, &moved.to);
            tracing::info!(
                event = "tenant_moved",
                credential = name,
                tenant_id = moved.tenant,
                from,
                to,
                "tenant moved to another data region"
            );
        }
    }
    for error in &report.skipped_tenants {
        tracing::error!(event = "tenant_skipped", error, "skipped a tenant");
    }
    for error in &report.unusable_credentials {
        tracing::error!(event = "credential_skipped", error, "skipped a credential");
    }
    if let Some(why) = &report.deferred_reason {
        tracing::warn!(event = "plan_deferred", reason = why, "deferred the plan");
    }
    let (planned, tenants, waiting) = (report.planned, report.tenants, report.pending_messages);
    tracing::info!(
        event = "plan_completed",
        planned,
        tenants,
        pending_messages = waiting,
        credentials = report.credentials.len(),
        "planned"
    );
}
