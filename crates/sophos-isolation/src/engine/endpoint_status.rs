//! The isolation that endpoints report, and its description.

use std::collections::HashMap;

use sophos_api::{
    ApiClient, TenantClient, Transport,
    models::{Endpoint, EndpointView, IsolationStatus},
    operations::{endpoint::endpoints::ListEndpoints, endpoint::isolation::MAX_IDS},
};

/// Returns the isolation by an administrator that an endpoint reports; `None`
/// when it reports no known status.
pub(super) fn is_isolated(endpoint: &Endpoint) -> Option<bool> {
    let isolation = endpoint.isolation.as_ref()?;
    let reported = match isolation.status.as_ref()? {
        IsolationStatus::Isolated => true,
        IsolationStatus::NotIsolated => false,
        _ => return None,
    };
    // An endpoint that isolates itself because of bad health does not count.
    Some(reported && isolation.admin_isolated != Some(false))
}

/// Describes a release that an endpoint confirmed.
pub(super) fn describe_released(endpoint: Option<&Endpoint>) -> String {
    let self_isolated = endpoint.and_then(|endpoint| endpoint.isolation.as_ref()?.self_isolated);
    if self_isolated == Some(true) {
        "the endpoint reports its release, and isolates itself because of bad health".to_owned()
    } else {
        "the endpoint reports that it is not isolated".to_owned()
    }
}

/// Describes an isolation or a release that an endpoint has not confirmed.
pub(super) fn describe_pending(endpoint: Option<&Endpoint>, is_release: bool) -> String {
    let change = if is_release { "release" } else { "isolation" };
    let last_seen = endpoint.and_then(|endpoint| endpoint.last_seen_at.as_ref());
    // The ledger keeps this text, so it takes only a valid time.
    let last_seen = last_seen.filter(|time| time.instant().is_some());
    let last_seen = last_seen.map(|time| format!(", last seen {time}")).unwrap_or_default();
    match endpoint.and_then(|endpoint| endpoint.online) {
        Some(true) => format!("the endpoint is online{last_seen}, and has not reported its {change}"),
        Some(false) => {
            format!("the endpoint is offline{last_seen}; its {change} takes effect when it is back")
        }
        None => format!("the endpoint has not reported its {change}{last_seen}"),
    }
}

/// Fetches endpoints by their ids, keyed by the id in lower case.
pub(super) async fn fetch_endpoints<T: Transport>(
    tenant: &TenantClient<T>,
    ids: Vec<String>,
) -> Result<HashMap<String, Endpoint>, sophos_api::Error> {
    let query = ListEndpoints::new().ids(ids).view(EndpointView::Full).page_size(MAX_IDS as u32);
    let mut found = HashMap::new();
    let mut pages = tenant.pages(query);
    while let Some(page) = pages.next().await {
        for endpoint in page?.items.into_iter().filter_map(|item| item.parse().ok()) {
            found.insert(endpoint.id.to_ascii_lowercase(), endpoint.into_inner());
        }
    }
    Ok(found)
}
