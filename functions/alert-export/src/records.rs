//! The log records of a run.

use sophos_export::{FailureKind, Outcome, Report};

use crate::plan::PlanReport;

/// What became of streams: one record for each that is in trouble or elsewhere,
/// and one for all.
pub(crate) fn exported(report: &Report) {
    for stream in &report.streams {
        let (tenant, dataset) = (&stream.tenant, stream.dataset);
        if stream.outcome == Outcome::Failed {
            let kind = stream.error_kind.map_or("Unknown", FailureKind::as_str);
            let error = stream.error.as_deref().unwrap_or_default();
            tracing::error!(tenant, %dataset, kind, error, "a stream was not exported");
        }
        if let Some(moved) = &stream.moved {
            tracing::warn!(tenant, %dataset, from = moved.from, to = moved.to, "a tenant has moved");
        }
    }
    for error in &report.unusable_tenants {
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
        calls = report.calls,
        failed = report.failed,
        unfinished = report.unfinished,
        "exported"
    );
}

/// What a plan came to: one record for each change, and one for all.
pub(crate) fn planned(report: &PlanReport) {
    for credential in &report.credentials {
        let (name, changes) = (&credential.name, &credential.changes);
        for tenant in &changes.new {
            tracing::info!(credential = name, tenant, "a tenant is new");
        }
        for tenant in &changes.gone {
            tracing::warn!(credential = name, tenant, "a tenant is gone");
        }
        for moved in &changes.moved {
            let (from, to) = (&moved.from, &moved.to);
            tracing::info!(credential = name, tenant = moved.tenant, from, to, "a tenant has moved");
        }
    }
    for error in &report.unusable_tenants {
        tracing::error!(error, "a tenant was left out");
    }
    for error in &report.unusable_credentials {
        tracing::error!(error, "a credential was left out");
    }
    if let Some(why) = &report.put_off {
        tracing::warn!(why, "the plan is put off");
    }
    let (planned, tenants, waiting) = (report.planned, report.tenants, report.waiting);
    tracing::info!(planned, tenants, waiting, credentials = report.credentials.len(), "planned");
}
