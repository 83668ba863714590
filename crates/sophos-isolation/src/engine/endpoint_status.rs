//! What endpoints report of their isolation, and in which words it is told.

use std::collections::HashMap;

use sophos_api::{
    ApiClient, TenantClient, Transport,
    models::{Endpoint, EndpointView, IsolationStatus},
    operations::{endpoints::ListEndpoints, isolation::MAX_IDS},
};

/// What an endpoint reports of the isolation that an administrator asked for.
pub(super) fn is_isolated(endpoint: &Endpoint) -> Option<bool> {
    let isolation = endpoint.isolation.as_ref()?;
    let reported = match isolation.status.as_ref()? {
        IsolationStatus::Isolated => true,
        IsolationStatus::NotIsolated => false,
        _ => return None,
    };
    // One that isolates itself for its bad health is not isolated by us.
    Some(reported && isolation.admin_isolated != Some(false))
}

pub(super) fn describe_released(endpoint: Option<&Endpoint>) -> String {
    let itself = endpoint.and_then(|endpoint| endpoint.isolation.as_ref()?.self_isolated) == Some(true);
    if itself {
        "the endpoint reports that it is released, and isolates itself because of its bad health".to_owned()
    } else {
        "the endpoint reports that it is not isolated".to_owned()
    }
}

pub(super) fn describe_pending(endpoint: Option<&Endpoint>, releasing: bool) -> String {
    let what = if releasing { "release" } else { "isolation" };
    let seen = endpoint.and_then(|endpoint| endpoint.last_seen_at.as_ref());
    // Kept in the ledger: a time, and nothing else that the service says in its place.
    let seen = seen.filter(|seen| seen.instant().is_some());
    let seen = seen.map(|seen| format!(", last seen {seen}")).unwrap_or_default();
    match endpoint.and_then(|endpoint| endpoint.online) {
        Some(true) => format!("the endpoint is online{seen}, and has not reported its {what}"),
        Some(false) => format!("the endpoint is offline{seen}; its {what} takes effect when it is back"),
        None => format!("the endpoint has not reported its {what}{seen}"),
    }
}

pub(super) async fn fetch_endpoints<T: Transport>(
    tenant: &TenantClient<T>,
    ids: Vec<String>,
) -> Result<HashMap<String, Endpoint>, sophos_api::Error> {
    let question = ListEndpoints::new().ids(ids).view(EndpointView::Full).page_size(MAX_IDS as u32);
    let mut found = HashMap::new();
    let mut pages = tenant.pages(question);
    while let Some(page) = pages.next().await {
        for endpoint in page?.items.into_iter().filter_map(|item| item.parse().ok()) {
            found.insert(endpoint.id.to_ascii_lowercase(), endpoint.into_inner());
        }
    }
    Ok(found)
}
