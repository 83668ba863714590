//! Pages through the alerts of a tenant, and shows where to resume.
//!
//! ```sh
//! SOPHOS_CLIENT_ID=… SOPHOS_CLIENT_SECRET=… cargo run --example page_alerts
//! ```

mod common;

use std::error::Error;

use sophos_api::{ApiClient, Client, Transport, operations::common::alerts::ListAlerts};

/// Counts the alerts of at most `max_pages` pages; the second value is the key of
/// the page after them.
pub(crate) async fn run<T: Transport>(
    client: &Client<T>,
    max_pages: usize,
) -> Result<(usize, Option<String>), Box<dyn Error>> {
    let tenants = client.list_tenants().await?.tenants;
    let tenant = client.for_tenant(tenants.first().ok_or("the credential has no tenant")?)?;
    let mut pages = tenant.pages(ListAlerts::new().page_size(20));
    let mut count = 0;
    for _ in 0..max_pages {
        let Some(page) = pages.next().await else { break };
        for item in page?.items {
            // An item that is not as documented does not affect the others.
            match item.parse() {
                Ok(alert) => println!("{} {}", alert.id, alert.description.as_deref().unwrap_or_default()),
                Err(error) => eprintln!("{error}"),
            }
            count += 1;
        }
    }
    Ok((count, pages.position().and_then(|next| next.page_from_key.clone())))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (count, next) = run(&common::client_from_env()?, 3).await?;
    println!("{count} alerts; the next page is {}", next.as_deref().unwrap_or("none"));
    Ok(())
}
