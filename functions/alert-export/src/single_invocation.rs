//! The export of all tenants in one invocation, without a queue.

use std::{collections::HashSet, time::Duration};

use lambda_support::InvocationError;
use sophos_api::{TenantId, Transport};
use sophos_export::{ExportReport, ExportScope};

use crate::{
    config::Config,
    credential_pool::{CredentialPool, ExportCredentials},
};

/// Exports with each credential in turn, the most specific first. The failure of one does
/// not affect excluded.
///
/// # Errors
/// When every credential fails.
pub(crate) async fn run(
    pool: &CredentialPool,
    config: &Config,
    mut scope: ExportScope,
    stop_at: Duration,
) -> Result<ExportReport, InvocationError> {
    let ExportCredentials { mut usable, excluded } = pool.list_credentials(stop_at).await?;
    if let Some(tenant) = &scope.tenant {
        usable.retain(|credential| credential.own_tenant().is_none_or(|own| own == *tenant));
    }
    let own_tenants: Vec<_> = usable
        .iter()
        .filter_map(|credential| Some((credential.own_tenant()?, credential.name.clone())))
        .collect();
    let mut exported = HashSet::new();
    let mut report = ExportReport::default();
    let mut failures = Vec::new();
    report.unusable_credentials.extend(excluded.invalid.iter().map(ToString::to_string));
    let mut ran = false;
    for credential in &usable {
        let name = &credential.name;
        // Only its own credential serves a tenant that has one.
        let of_others = own_tenants.iter().filter(|(_, owner)| owner != name).map(|(tenant, _)| tenant);
        scope.excluded = exported.iter().chain(of_others).cloned().collect();
        match pool.exporter(config, name).run(&scope, Some(stop_at)).await {
            Ok(part) => {
                ran = true;
                exported.extend(part.streams.iter().map(|stream| TenantId::from(stream.tenant.as_str())));
                report.merge(part);
                if scope.tenant.is_some() {
                    break;
                }
            }
            Err(error) => failures.push(format!("{name}: {error}")),
        }
    }
    // The ledger needs no credential, so it is exported even if all of them fail.
    if let Some(ledger) = pool.ledger().filter(|_| includes_ledger(&scope)) {
        report.add(ledger.run(|| pool.transport().now(), Some(stop_at)).await);
    }
    if !ran {
        return Err(excluded.failure(failures.first()));
    }
    report.unusable_credentials.extend(failures);
    Ok(report)
}

/// Whether a run exports the ledger of isolation: it has the decisions of all tenants.
fn includes_ledger(scope: &ExportScope) -> bool {
    scope.tenant.is_none() && scope.datasets.iter().any(|dataset| !dataset.is_per_tenant())
}
