//! The cases of a tenant on Sophos Central. The service has no filter by the time of the
//! last change, so each read lists all of them.

use sophos_api::{ApiClient, Error, Paged, TenantClient, Transport, operations::cases::case::ListCases};

use crate::log_page::{LogPage, page_size_at, parse_offset, smaller_page};

/// Requests the page of cases from the offset in the key.
pub(crate) async fn fetch<T: Transport>(
    client: &TenantClient<T>,
    key: Option<&str>,
) -> Result<LogPage, Error> {
    let offset = parse_offset(key);
    let mut size = page_size_at(offset);
    let mut operation = ListCases::new();
    let response = loop {
        operation.page_size = Some(size);
        operation.page = Some(offset / u64::from(size) + 1);
        match client.send(&operation).await {
            Ok(response) => break response,
            Err(error) => size = smaller_page(client.id().as_str(), &error, size).ok_or(error)?,
        }
    };
    let next_key = operation.next_page(&response)?.map(|_| (offset + u64::from(size)).to_string());
    Ok(LogPage::new(&response.items, response.malformed_items, next_key))
}
