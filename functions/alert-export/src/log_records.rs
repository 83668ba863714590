//! The log records of a run.

use sophos_export::{FailureKind, StreamOutcome, ExportReport};

use crate::plan::PlanReport;

/// What became of streams: one record for each that is in trouble or elsewhere,
/// and one for all.
pub(crate) fn log_run(report: &ExportReport) {
    for stream in &report.streams {
        let (tenant, dataset) = (&stream.tenant, stream.dataset);
        if stream.outcome == StreamOutcome::Failed {
            let kind = stream.error_kind.map_or("Unknown", FailureKind::as_str);
            let error = stream.error.as_deref().unwrap_or_default();
            tracing::error!(tenant, %dataset, kind, error, "a stream was not exported");
        }
        if let Some(moved) = &stream.moved {
            tracing::warn!(tenant, %dataset, from = moved.from, to = moved.to, "a tenant has moved");
        }
    }
    for error in &report.skipped_tenants {
        tracing::error!(error, "a tenant was left out");
    }
    for error in &report.unusable_credentials {
        tracing::error!(error, "a credential was left out");
    }
    tracing::info!(
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
            tracing::info!(credential = name, tenant, "a tenant is new");
        }
        for tenant in &changes.removed {
            tracing::warn!(credential = name, tenant, "a tenant is gone");
        }
        for moved in &changes.moved {
            let (from, to) = (&moved.from, &moved.to);
            tracing::info!(credential = name, tenant = moved.tenant, from, to, "a tenant has moved");
        }
    }
    for error in &report.skipped_tenants {
        tracing::error!(error, "a tenant was left out");
    }
    for error in &report.unusable_credentials {
        tracing::error!(error, "a credential was left out");
    }
    if let Some(why) = &report.deferred_reason {
        tracing::warn!(why, "the plan is put off");
    }
    let (planned, tenants, waiting) = (report.planned, report.tenants, report.pending_messages);
    tracing::info!(planned, tenants, waiting, credentials = report.credentials.len(), "planned");
}
