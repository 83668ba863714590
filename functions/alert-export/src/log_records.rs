//! The log records of runs and plans.

use sophos_export::{ExportReport, FailureKind, StreamOutcome};

use crate::plan::PlanReport;

/// Logs a run: one record for each stream that failed or moved, and one for the run.
pub(crate) fn log_run(report: &ExportReport) {
    for stream in &report.streams {
        let (tenant_id, dataset) = (&stream.tenant, stream.dataset);
        if stream.outcome == StreamOutcome::Failed {
            let error_kind = stream.error_kind.map_or("Unknown", FailureKind::as_str);
            let error = stream.error.as_deref().unwrap_or_default();
            tracing::error!(event = "stream_failed", tenant_id, %dataset, error_kind, error, "stream export failed");
        }
        if let Some(moved) = &stream.moved {
            tracing::warn!(event = "tenant_moved", tenant_id, %dataset, from = moved.from, to = moved.to, "tenant moved to another data region");
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
        api_requests = report.api_requests,
        failed = report.failed,
        unfinished = report.unfinished,
        "export completed"
    );
}

/// Logs a plan: one record for each change of tenants, and one for the plan.
pub(crate) fn log_plan(report: &PlanReport) {
    for credential in &report.credentials {
        let (name, changes) = (&credential.name, &credential.changes);
        for tenant in &changes.added {
            tracing::info!(event = "tenant_added", secret_name = name, tenant_id = tenant, "tenant added");
        }
        for tenant in &changes.removed {
            tracing::warn!(
                event = "tenant_removed",
                secret_name = name,
                tenant_id = tenant,
                "tenant removed"
            );
        }
        for moved in &changes.moved {
            let (from, to) = (&moved.from, &moved.to);
            tracing::info!(
                event = "tenant_moved",
                secret_name = name,
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
    if let Some(reason) = &report.deferred_reason {
        tracing::warn!(event = "plan_deferred", reason, "deferred the plan");
    }
    tracing::info!(
        event = "plan_completed",
        planned = report.planned,
        tenants = report.tenants,
        pending_messages = report.pending_messages,
        credentials = report.credentials.len(),
        "plan completed"
    );
}
