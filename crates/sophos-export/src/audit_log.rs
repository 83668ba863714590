//! The audit log, of a tenant or of the account of a partner or organization.

use sophos_api::{
    ApiClient, Error, Paged, TenantClient, Transport, operations::audit::audit_events::ListAuditEvents,
};

use crate::{
    log_page::{LogPage, page_size_at, service_time, smaller_page},
    log_progress::LogRange,
};

/// Requests a page of the events in a range.
pub(crate) async fn fetch<T: Transport>(
    client: &TenantClient<T>,
    range: LogRange,
    key: Option<&str>,
) -> Result<LogPage, Error> {
    let mut size = page_size_at(0);
    let mut operation = ListAuditEvents::new(service_time(range.from_ms));
    operation.end_date = Some(service_time(range.to_ms).into());
    operation.page_from_key = key.map(str::to_owned);
    let response = loop {
        operation.page_size = Some(size);
        match client.send(&operation).await {
            Ok(response) => break response,
            Err(error) => size = smaller_page(client.id().as_str(), &error, size).ok_or(error)?,
        }
    };
    let next_key = operation.next_page(&response)?.and_then(|next| next.page_from_key);
    Ok(LogPage::new(&response.items, response.malformed_items, next_key))
}
