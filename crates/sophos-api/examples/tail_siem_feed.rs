//! Follows the SIEM feed of a tenant.
//!
//! ```sh
//! SOPHOS_CLIENT_ID=… SOPHOS_CLIENT_SECRET=… cargo run --example tail_siem_feed
//! ```

mod common;

use std::{collections::HashSet, error::Error, time::Duration};

use sophos_api::{
    ApiClient, TenantClient, Transport,
    operations::siem::{MAX_PAGE_SIZE, events::ListSiemEvents},
};

/// Reads the feed to its end, `rounds` times, and returns the number of events.
pub(crate) async fn run<T: Transport>(
    tenant: &TenantClient<T>,
    poll_interval: Duration,
    rounds: usize,
) -> Result<usize, sophos_api::Error> {
    let mut operation = ListSiemEvents::new().limit(MAX_PAGE_SIZE);
    // The feed may send an event again.
    let mut ids = HashSet::new();
    for _ in 0..rounds {
        loop {
            let page = tenant.send(&operation).await?;
            for event in page.items.into_iter().filter_map(|item| item.parse().ok()) {
                if ids.insert(event.id.clone()) {
                    println!("{} {}", event.id, event.r#type.as_deref().unwrap_or_default());
                }
            }
            // The last page has a cursor too: it is valid for 24 hours.
            operation.cursor = page.next_cursor.or(operation.cursor);
            if !page.has_more {
                break;
            }
        }
        tenant.client().transport().sleep(poll_interval).await;
    }
    Ok(ids.len())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let client = common::client_from_env()?;
    let tenants = client.list_tenants().await?.tenants;
    let tenant = client.for_tenant(tenants.first().ok_or("the credential has no tenant")?)?;
    run(&tenant, Duration::from_secs(60), usize::MAX).await?;
    Ok(())
}
