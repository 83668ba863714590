use std::time::Duration;

use sophos_api::{
    ApiClient, Client, Error, ErrorKind, Hosts, Identity, Owner, Paged, RateLimit, TenantClient, Transport,
    models::{IdType, Tenant},
    operations::{
        common::alerts::ListAlerts, endpoint::endpoints::ListEndpoints,
        organization::tenants::ListOrganizationTenants, partner::tenants::ListPartnerTenants,
    },
};

use crate::{CredentialCheck, CredentialCheckError, Purpose, StoredCredential};

/// The maximum number of tenants that a test tries: some may not be managed by the
/// account.
const MAX_TENANTS_TRIED: usize = 5;

/// The test of a credential at Sophos Central.
///
/// It requests a token, compares the owner, and reads one alert (export) or one endpoint
/// (isolation) of a tenant. It changes nothing, so it cannot verify that the role is
/// sufficient for isolation.
#[derive(Debug, Clone)]
pub struct SophosCredentialCheck<T> {
    transport: T,
    hosts: Hosts,
    rate_limit: RateLimit,
    deadline: Duration,
}

impl<T: Transport + Clone> SophosCredentialCheck<T> {
    /// Creates a test over this transport. No wait lasts past `deadline`, in time since
    /// the Unix epoch.
    pub fn new(transport: T, hosts: Hosts, rate_limit: RateLimit, deadline: Duration) -> Self {
        Self { transport, hosts, rate_limit, deadline }
    }

    fn client(&self, stored: &StoredCredential) -> Client<T> {
        let client = Client::builder(self.transport.clone(), stored.credentials.clone());
        let client = client.hosts(self.hosts.clone()).rate_limit(self.rate_limit.clone());
        client.build().with_deadline(self.deadline)
    }

    /// The expected owner of the candidate; `None` if it is unknown.
    async fn expected_owner(
        &self,
        candidate: &StoredCredential,
        current: Option<&StoredCredential>,
    ) -> Result<Option<Owner>, CredentialCheckError> {
        if let Some(current) = current {
            match self.client(current).identity().await {
                Ok(identity) => return Ok(Some(owner_of(identity))),
                Err(error) if error.is_retryable() => {
                    return Err(CredentialCheckError::Transient(error.to_string()));
                }
                Err(error) => {
                    let client_id = current.credentials.client_id();
                    tracing::warn!(event = "current_owner_unknown", client_id, %error, "reading the owner of the current credential failed");
                }
            }
        }
        let named = current.and_then(|current| current.credentials.owner());
        Ok(named.or(candidate.credentials.owner()).cloned())
    }
}

impl<T: Transport + Clone> CredentialCheck for SophosCredentialCheck<T> {
    async fn check(
        &self,
        candidate: &StoredCredential,
        current: Option<&StoredCredential>,
        purposes: &[Purpose],
    ) -> Result<(), CredentialCheckError> {
        let client = self.client(candidate);
        let identity = client.identity().await.map_err(classify_error)?;
        let owner = owner_of(identity.clone());
        match self.expected_owner(candidate, current).await? {
            None => return Err(CredentialCheckError::OwnerUnknown(owner)),
            Some(expected) if expected != owner => {
                return Err(CredentialCheckError::Rejected(format!(
                    "its owner is {owner}, and the current one's is {expected}; stage a credential of {expected}"
                )));
            }
            Some(_) => {}
        }
        if candidate.role.is_none() && purposes.contains(&Purpose::Isolation) {
            let client_id = candidate.credentials.client_id();
            tracing::warn!(
                event = "role_unknown",
                client_id,
                "the new credential has no role: its permission to isolate is unknown"
            );
        }
        let tenants = active_tenants(&client, &identity).await.map_err(classify_error)?;
        if tenants.is_empty() {
            tracing::warn!(event = "no_active_tenant", %owner, "no active tenant; skipped the read test");
            return Ok(());
        }
        let mut last = None;
        for tenant in tenants.iter().take(MAX_TENANTS_TRIED) {
            let read = match client.for_tenant(tenant) {
                Ok(tenant) => read_sample(&tenant, purposes).await,
                Err(error) => Err(error),
            };
            match read {
                Ok(()) => return Ok(()),
                Err(error) if error.is_retryable() => return Err(classify_error(error)),
                Err(error) => last = Some(error),
            }
        }
        last.map_or(Ok(()), |error| Err(classify_error(error)))
    }
}

fn owner_of(identity: Identity) -> Owner {
    Owner::new(identity.id_type, identity.id)
}

/// Classifies an error: only errors about the credential itself are rejections.
fn classify_error(error: Error) -> CredentialCheckError {
    match error.kind() {
        ErrorKind::CredentialRejected
        | ErrorKind::Unauthorized
        | ErrorKind::Forbidden
        | ErrorKind::WrongCredentialType
        | ErrorKind::NotFound => CredentialCheckError::Rejected(error.to_string()),
        _ => CredentialCheckError::Transient(error.to_string()),
    }
}

/// The active tenants of the first page.
async fn active_tenants<T: Transport>(client: &Client<T>, identity: &Identity) -> Result<Vec<Tenant>, Error> {
    let tenants = match identity.id_type {
        IdType::Partner => first_page(client, ListPartnerTenants::all()).await?,
        IdType::Organization => first_page(client, ListOrganizationTenants::all()).await?,
        _ => client.list_tenants().await?.tenants,
    };
    let active = |tenant: &Tenant| {
        tenant
            .status
            .as_deref()
            .is_none_or(|status| status.is_empty() || status.eq_ignore_ascii_case("active"))
    };
    Ok(tenants.into_iter().filter(active).collect())
}

async fn first_page<T: Transport, O: Paged<Item = Tenant>>(
    client: &Client<T>,
    operation: O,
) -> Result<Vec<Tenant>, Error> {
    let page = O::items(client.send(&operation).await?);
    Ok(page.into_iter().filter_map(|tenant| Some(tenant.parse().ok()?.into_inner())).collect())
}

async fn read_sample<T: Transport>(tenant: &TenantClient<T>, purposes: &[Purpose]) -> Result<(), Error> {
    for purpose in purposes {
        match purpose {
            Purpose::Isolation => {
                tenant.send(&ListEndpoints::new().page_size(1)).await?;
            }
            _ => {
                tenant.send(&ListAlerts::new().page_size(1)).await?;
            }
        }
    }
    Ok(())
}
