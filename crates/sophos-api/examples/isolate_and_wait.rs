//! Isolates an endpoint, and waits until it reports the isolation.
//!
//! ```sh
//! SOPHOS_CLIENT_ID=… SOPHOS_CLIENT_SECRET=… \
//!     cargo run --example isolate_and_wait -- <tenant id> <endpoint id>
//! ```

mod common;

use std::{env, error::Error, time::Duration};

use sophos_api::{
    ApiClient, TenantClient, Transport,
    models::IsolationStatus,
    operations::{
        endpoint::endpoints::GetEndpoint,
        endpoint::isolation::{GetIsolation, UpdateIsolation},
    },
};

/// Returns whether the endpoint reported its isolation within `max_polls`.
pub(crate) async fn run<T: Transport>(
    tenant: &TenantClient<T>,
    endpoint_id: &str,
    poll_interval: Duration,
    max_polls: u32,
) -> Result<bool, sophos_api::Error> {
    let isolate = UpdateIsolation::new(endpoint_id, true).comment("suspicious process");
    match tenant.send(&isolate).await {
        // A change is in progress, or the endpoint is isolated already.
        Err(error) if error.is_conflict() || error.is_invalid() => {
            let requested = tenant.send(&GetIsolation::new(endpoint_id)).await?;
            if requested.enabled != Some(true) {
                return Err(error);
            }
        }
        result => drop(result?),
    }
    for _ in 0..max_polls {
        let endpoint = tenant.send(&GetEndpoint::full(endpoint_id)).await?;
        let reported = endpoint.isolation.as_ref().and_then(|isolation| isolation.status.as_ref());
        if reported == Some(&IsolationStatus::Isolated) {
            return Ok(true);
        }
        tenant.client().transport().sleep(poll_interval).await;
    }
    Ok(false)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let mut argument = |name| arguments.next().ok_or(format!("missing argument <{name}>"));
    let (tenant_id, endpoint_id) = (argument("tenant id")?, argument("endpoint id")?);
    let tenant = common::client_from_env()?.tenant(tenant_id).await?;
    let isolated = run(&tenant, &endpoint_id, Duration::from_secs(10), 30).await?;
    println!("{endpoint_id}: {}", if isolated { "isolated" } else { "pending" });
    Ok(())
}
