//! Everything in one invocation, for estates that this is enough for.

use std::{collections::HashSet, time::Duration};

use lambda_support::InvocationError;
use sophos_api::TenantId;
use sophos_export::{ExportReport, ExportScope};

use crate::{
    config::Config,
    credential_pool::{CredentialPool, ExportCredentials},
};

/// Exports with each credential in turn, the nearest to its tenants first. One
/// that fails harms no other.
///
/// # Errors
/// When every credential fails.
pub(crate) async fn run(
    fleet: &CredentialPool,
    config: &Config,
    mut scope: ExportScope,
    stop_at: Duration,
) -> Result<ExportReport, InvocationError> {
    let ExportCredentials { mut usable, excluded: others } = fleet.list_credentials(stop_at).await?;
    if let Some(tenant) = &scope.tenant {
        usable.retain(|one| one.own_tenant().is_none_or(|own| own == *tenant));
    }
    let own: Vec<_> = usable.iter().filter_map(|one| Some((one.own_tenant()?, one.name.clone()))).collect();
    let mut served = HashSet::new();
    let mut report = ExportReport::default();
    let mut failures = Vec::new();
    report.unusable_credentials.extend(others.invalid.iter().map(ToString::to_string));
    let mut ran = false;
    for one in &usable {
        // A tenant with a credential of its own is served by no other.
        let of_others = own.iter().filter(|(_, name)| *name != one.name).map(|(tenant, _)| tenant);
        scope.excluded = served.iter().chain(of_others).cloned().collect();
        match fleet.exporter(config, &one.name).run(&scope, Some(stop_at)).await {
            Ok(part) => {
                ran = true;
                served.extend(part.streams.iter().map(|stream| TenantId::from(stream.tenant.as_str())));
                report.merge(part);
                if scope.tenant.is_some() {
                    break;
                }
            }
            Err(error) => failures.push(format!("{}: {error}", one.name)),
        }
    }
    if !ran {
        return Err(others.failure(failures.first()));
    }
    report.unusable_credentials.extend(failures);
    Ok(report)
}
