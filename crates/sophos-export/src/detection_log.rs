//! The detections of a tenant on Sophos Central: a query run by the service, and the pages
//! of its result.

use sophos_api::{
    ApiClient, Error, Paged, PollOptions, TenantClient, Transport,
    operations::detections::queries::{GetDetectionsQuery, ListDetections, StartDetectionsQuery},
    poll_until_done,
};

use crate::{
    log_page::{LogPage, page_size_at, parse_offset, service_time, smaller_page},
    log_progress::LogRange,
};

/// Starts a query without a key; else requests the page of `<run id>/<offset>`. So the
/// next run continues with the query of a run that ended before its result.
pub(crate) async fn fetch<T: Transport>(
    client: &TenantClient<T>,
    range: LogRange,
    key: Option<&str>,
) -> Result<LogPage, Error> {
    let Some((run_id, offset)) = key.and_then(|key| key.split_once('/')) else {
        let mut query = StartDetectionsQuery::new();
        query.from = Some(service_time(range.from_ms).into());
        query.to = Some(service_time(range.to_ms).into());
        let run = client.send(&query).await?;
        let id = run.id.filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| Error::malformed("the service started a query without an id"))?;
        return Ok(LogPage { next_key: Some(format!("{id}/0")), ..LogPage::default() });
    };
    let offset = parse_offset(Some(offset));
    let mut result_count = None;
    if offset == 0 {
        let run = poll_until_done(client, GetDetectionsQuery::new(run_id), PollOptions::new()).await?;
        result_count = run.result_count;
        if result_count == Some(0) {
            return Ok(LogPage::default());
        }
    }
    let mut size = page_size_at(offset);
    let mut operation = ListDetections::new(run_id);
    let response = loop {
        operation.page_size = Some(size);
        operation.page = Some(offset / u64::from(size) + 1);
        match client.send(&operation).await {
            Ok(response) => break response,
            Err(error) => size = smaller_page(client.id().as_str(), &error, size).ok_or(error)?,
        }
    };
    let read = response.items.len() + response.malformed_items.len();
    let is_whole = result_count.is_some_and(|count| count <= read as i64);
    let next = operation.next_page(&response)?.filter(|_| !is_whole);
    let next_key = next.map(|_| format!("{run_id}/{}", offset + u64::from(size)));
    Ok(LogPage::new(&response.items, response.malformed_items, next_key))
}
