//! Lists the endpoints in bad health of every tenant.
//!
//! ```sh
//! SOPHOS_CLIENT_ID=… SOPHOS_CLIENT_SECRET=… cargo run --example list_endpoints
//! ```

mod common;

use std::error::Error;

use futures_util::TryStreamExt;
use sophos_api::{
    ApiClient, Client, Transport,
    models::{Endpoint, HealthStatus},
    operations::endpoint::endpoints::{ListEndpoints, MAX_PAGE_SIZE},
};

pub(crate) async fn run<T: Transport>(client: &Client<T>) -> Result<Vec<Endpoint>, sophos_api::Error> {
    let mut found = Vec::new();
    for tenant in client.list_tenants().await?.tenants {
        let unhealthy = ListEndpoints::new()
            .health_status([HealthStatus::Bad, HealthStatus::Suspicious])
            .page_size(MAX_PAGE_SIZE);
        // The next page is on its way while this one is processed.
        let mut endpoints = client.for_tenant(&tenant)?.items(unhealthy);
        while let Some(endpoint) = endpoints.try_next().await? {
            println!("{} {}", tenant.id, endpoint.hostname.as_deref().unwrap_or("(no name)"));
            found.push(endpoint.into_inner());
        }
    }
    Ok(found)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let endpoints = run(&common::client_from_env()?).await?;
    println!("{} endpoints need attention", endpoints.len());
    Ok(())
}
