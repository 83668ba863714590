//! The exported `tenants`.

use serde_json::json;
use sophos_api::{
    ApiClient, Client, Error, MalformedItem, Paged, Raw, TenantClient, TenantId,
    models::{self, IdType},
    operations::{organization::tenants::ListOrganizationTenants, partner::tenants::ListPartnerTenants},
};

use crate::{
    Component,
    bindings::{
        exports::sophos::central::tenants::{self, Guest, GuestTenant, Page, Summary},
        sophos::central::types::{Failure, MalformedItem as WitMalformedItem},
    },
    cursor::CursorScope,
    page,
    session::run_call,
    transport::HostTransport,
};

/// The resource `tenant`, which other operations borrow.
#[expect(unreachable_pub, reason = "an associated type of the public `Component`")]
pub struct Tenant {
    client: TenantClient<HostTransport>,
    summary: Summary,
}

impl std::fmt::Debug for Tenant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tenant").field(&self.client).finish()
    }
}

impl Tenant {
    fn new(client: &Client<HostTransport>, record: models::Tenant, raw: String) -> Result<Self, Error> {
        let handle = client.for_tenant(&record)?;
        let summary = Summary {
            id: record.id.as_str().to_owned(),
            billing_type: record.billing_type.as_ref().map(ToString::to_string),
            name: record.name.or(record.show_as),
            data_region: record.data_region,
            data_geography: record.data_geography,
            status: record.status,
            raw,
        };
        Ok(Self { client: handle, summary })
    }

    /// Fetches the tenant with this id.
    async fn fetch(client: &Client<HostTransport>, id: &TenantId) -> Result<tenants::Tenant, Error> {
        let (record, raw) = client.fetch_tenant(id).await?.into_parts();
        Ok(tenants::Tenant::new(Self::new(client, record, raw.into_string())?))
    }

    /// The tenant's id.
    pub(crate) fn id(&self) -> &str {
        &self.summary.id
    }

    /// Returns the tenant's client for one call of the session.
    pub(crate) fn with_client(&self, client: &Client<HostTransport>) -> TenantClient<HostTransport> {
        self.client.with_client(client)
    }
}

impl GuestTenant for Tenant {
    fn id(&self) -> String {
        self.summary.id.clone()
    }

    fn summary(&self) -> Summary {
        self.summary.clone()
    }
}

impl Guest for Component {
    type Tenant = Tenant;

    fn list(after: Option<String>) -> Result<Page, Failure> {
        run_call(async |client| {
            let identity = client.identity().await?;
            let scope = CursorScope::new('t', &identity.id, &json!({}));
            let page_number = |cursor: &String| {
                let position = scope.position(cursor)?;
                position.parse().map_err(|_| Error::invalid("invalid cursor: expected a page number"))
            };
            let page = after.as_ref().map(page_number).transpose()?;
            let (items, invalid, next) = match identity.id_type {
                IdType::Organization => {
                    let mut list = ListOrganizationTenants::all();
                    list.page = page;
                    let (items, invalid, next) = fetch_page(client, list).await?;
                    (items, invalid, next.and_then(|next| next.page))
                }
                IdType::Tenant => {
                    let tenants = vec![Tenant::fetch(client, &identity.id.into()).await?];
                    return Ok(Page { tenants, malformed_items: Vec::new(), next: None });
                }
                // For other types the client returns `WrongCredentialType`.
                _ => {
                    let mut list = ListPartnerTenants::all();
                    list.page = page;
                    let (items, invalid, next) = fetch_page(client, list).await?;
                    (items, invalid, next.and_then(|next| next.page))
                }
            };
            let (mut tenants, mut malformed_items) =
                (Vec::with_capacity(items.len()), page::to_malformed_items(&invalid));
            for item in items {
                let tenant =
                    item.parse_as().and_then(|record| Tenant::new(client, record, item.json().to_owned()));
                match tenant {
                    Ok(tenant) => tenants.push(tenants::Tenant::new(tenant)),
                    Err(error) => {
                        let raw = item.into_json().into_string();
                        malformed_items.push(WitMalformedItem { raw, reason: error.to_string() });
                    }
                }
            }
            Ok(Page { tenants, malformed_items, next: next.map(|page| scope.cursor(&page.to_string())) })
        })
    }

    fn open(id: String) -> Result<tenants::Tenant, Failure> {
        run_call(async |client| Tenant::fetch(client, &id.into()).await)
    }

    fn own() -> Result<tenants::Tenant, Failure> {
        run_call(async |client| {
            let identity = client.identity().await?;
            if identity.id_type != IdType::Tenant {
                return Err(Error::wrong_credential_type(format!(
                    "the credential belongs to a {}, which has no tenant of its own; use tenants.list",
                    identity.id_type
                )));
            }
            Tenant::fetch(client, &identity.id.into()).await
        })
    }
}

type TenantPage<O> = (Vec<Raw<models::Tenant>>, Vec<MalformedItem>, Option<O>);

async fn fetch_page<O: Paged<Item = models::Tenant>>(
    client: &Client<HostTransport>,
    operation: O,
) -> Result<TenantPage<O>, Error> {
    let response = client.send(&operation).await?;
    let next = operation.next_page(&response)?;
    let invalid = O::malformed_items(&response).to_vec();
    Ok((O::items(response), invalid, next))
}
