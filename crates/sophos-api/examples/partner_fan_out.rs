//! Counts the endpoints of all tenants of a partner, eight tenants at a time.
//!
//! ```sh
//! SOPHOS_CLIENT_ID=… SOPHOS_CLIENT_SECRET=… cargo run --example partner_fan_out
//! ```

mod common;

use std::{collections::BTreeMap, error::Error};

use futures_util::{StreamExt, stream};
use sophos_api::{
    ApiClient, Client, Transport, models::EndpointView, operations::endpoint::endpoints::ListEndpoints,
};

/// The number of endpoints by tenant id; `None` for a tenant that this account does
/// not manage.
pub(crate) async fn run<T: Transport>(
    client: &Client<T>,
) -> Result<BTreeMap<String, Option<u64>>, sophos_api::Error> {
    let tenants = client.list_tenants().await?;
    for error in &tenants.errors {
        eprintln!("{error}");
    }
    // All requests share one token and the rate limit of the credential.
    let mut counts = stream::iter(&tenants.tenants)
        .map(|tenant| async move { (tenant.id.to_string(), count(client, tenant).await) })
        .buffer_unordered(8);
    let mut by_tenant = BTreeMap::new();
    while let Some((id, count)) = counts.next().await {
        match count {
            Ok(count) => by_tenant.insert(id, Some(count)),
            Err(error) if error.is_forbidden() => by_tenant.insert(id, None),
            Err(error) => return Err(error),
        };
    }
    Ok(by_tenant)
}

async fn count<T: Transport>(
    client: &Client<T>,
    tenant: &sophos_api::models::Tenant,
) -> Result<u64, sophos_api::Error> {
    let one = ListEndpoints::new().view(EndpointView::Basic).page_size(1).page_total(true);
    let page = client.for_tenant(tenant)?.send(&one).await?;
    Ok(page.pages.items.unwrap_or_default())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    for (id, count) in run(&common::client_from_env()?).await? {
        println!("{id} {}", count.map_or("not managed".to_owned(), |count| count.to_string()));
    }
    Ok(())
}
