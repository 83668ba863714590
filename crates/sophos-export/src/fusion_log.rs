//! The detections and cases of a tenant on Sophos Fusion, by GraphQL.

use sophos_api::{
    ApiClient, Error, Paged, TenantClient, Transport,
    fusion::{
        cases::{CasesPagination, ListCases},
        detections::{DetectionMetadata, EpochTime, SearchDetections},
    },
};

use crate::{
    content_digest::ContentHash,
    log_key::nested_record_key,
    log_page::{LogPage, page_size_at, parse_offset, service_time, smaller_page},
    log_progress::LogRange,
    record_key::RecordKey,
};

const HOUR_MS: i64 = 60 * 60 * 1_000;

/// Requests the detections from the offset in the key.
///
/// A query has a start relative to now, in whole hours, so a page may have detections from
/// before the range. New detections come first, so those at an offset only move on.
pub(crate) async fn fetch_detections<T: Transport>(
    client: &TenantClient<T>,
    range: LogRange,
    key: Option<&str>,
) -> Result<LogPage, Error> {
    let transport = client.client().transport();
    let now = client.client().service_time().unwrap_or_else(|| transport.now());
    let hours = (now.as_millis() as i64 - range.from_ms).max(0) / HOUR_MS + 1;
    let offset = parse_offset(key);
    let mut size = page_size_at(0);
    let mut operation = SearchDetections::new(format!("from alert EARLIEST=-{hours}h"));
    operation.offset =
        u32::try_from(offset).map_err(|_| Error::malformed("an offset of more than 32 bits"))?;
    let mut response = loop {
        operation.limit = size;
        match client.send(&operation).await {
            Ok(response) => break response,
            Err(error) => size = smaller_page(client.id().as_str(), &error, size).ok_or(error)?,
        }
    };
    let mut page = LogPage::default();
    loop {
        let list = LogPage::new(&response.alerts.list, Vec::new(), None);
        page.records.extend(list.records);
        match operation.next_page(&response)? {
            // The service may keep the rest of a large page as parts of the same result.
            Some(next) if next.search_id.is_some() => operation = next,
            Some(_) => {
                page.next_key = Some((offset + page.records.len() as u64).to_string());
                return Ok(page);
            }
            None => return Ok(page),
        }
        response = client.send(&operation).await?;
    }
}

/// The key of a detection, whose times are in its metadata.
pub(crate) fn detection_key(json: &str, hash: ContentHash) -> RecordKey<'_> {
    nested_record_key(json, "metadata", hash, |metadata| {
        let metadata: DetectionMetadata = serde_json::from_str(metadata).unwrap_or_default();
        let instant = |time: Option<EpochTime>| time.and_then(EpochTime::instant);
        let created_at = instant(metadata.created_at);
        (instant(metadata.began_at).or(created_at), created_at)
    })
}

/// Requests the cases that changed since the start of the range, the earliest change
/// first. A case that changes meanwhile moves to the end.
pub(crate) async fn fetch_cases<T: Transport>(
    client: &TenantClient<T>,
    range: LogRange,
    key: Option<&str>,
) -> Result<LogPage, Error> {
    let query = format!("updatedAt >= '{}' | sort updatedAt asc", service_time(range.from_ms));
    let mut size = page_size_at(0);
    let mut operation = ListCases::new().query(query);
    let response = loop {
        operation.pagination = CasesPagination::forward(size);
        if let Some(key) = key {
            operation.pagination = operation.pagination.cursor(key);
        }
        match client.send(&operation).await {
            Ok(response) => break response,
            Err(error) => size = smaller_page(client.id().as_str(), &error, size).ok_or(error)?,
        }
    };
    let next_key = operation.next_page(&response)?.and_then(|_| response.page_info.end_cursor.clone());
    Ok(LogPage::new(&response.cases, Vec::new(), next_key))
}
