//! The request that isolates or releases endpoints, and its result.

use sophos_api::{
    ApiClient, ErrorKind, TenantClient, Transport,
    operations::endpoint::isolation::{GetIsolation, UpdateIsolations},
};

use crate::decision::{IsolationOrigin, comment_tag::has_tag};

/// An endpoint, and the comment tag of its isolation.
pub(super) struct IsolationRequest {
    pub(super) endpoint: String,
    pub(super) comment_tag: String,
}

/// The result of a request for one endpoint.
pub(super) enum RequestResult {
    /// Sophos Central accepted the request, or the state shows that it was applied.
    Applied(IsolationOrigin),
    /// The endpoint has the requested state, with this comment of another origin.
    External(String),
    /// The request was not applied.
    Failed(sophos_api::Error),
}

/// Requests one state for several endpoints. The response counts for the ids in
/// it; for all others the state at Sophos Central is read.
pub(super) async fn apply<T: Transport>(
    tenant: &TenantClient<T>,
    requests: &[IsolationRequest],
    enabled: bool,
    comment: &str,
) -> Vec<RequestResult> {
    let mut ids: Vec<String> = requests.iter().map(|request| request.endpoint.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    let is_batch = ids.len() > 1;
    let update = UpdateIsolations::new(ids, enabled).comment(comment);
    let (accepted, failure) = match tenant.send(&update).await {
        Ok(response) => {
            let items = response.into_inner().items.unwrap_or_default();
            let accepts = |state: Option<bool>| state.is_none_or(|state| state == enabled);
            let accepted = items
                .into_iter()
                .filter(|item| accepts(item.isolation.as_ref().and_then(|isolation| isolation.enabled)));
            (accepted.map(|item| item.id.to_ascii_lowercase()).collect::<Vec<_>>(), None)
        }
        Err(error) => (Vec::new(), Some(error)),
    };
    let mut all = Vec::with_capacity(requests.len());
    for request in requests {
        if accepted.contains(&request.endpoint) {
            all.push(RequestResult::Applied(IsolationOrigin::Requested));
            continue;
        }
        // One refused endpoint must not fail the others of a batch.
        let retry_alone = is_batch && failure.as_ref().is_none_or(is_endpoint_error);
        all.push(if retry_alone {
            apply_one(tenant, request, enabled, comment).await
        } else {
            confirm_by_state(tenant, request, enabled, failure.clone()).await
        });
    }
    all
}

/// Requests the state of one endpoint.
async fn apply_one<T: Transport>(
    tenant: &TenantClient<T>,
    request: &IsolationRequest,
    enabled: bool,
    comment: &str,
) -> RequestResult {
    let update = UpdateIsolations::new([request.endpoint.as_str()], enabled).comment(comment);
    match tenant.send(&update).await {
        Ok(response) => {
            let items = response.into_inner().items.unwrap_or_default();
            if items.iter().any(|item| item.id.eq_ignore_ascii_case(&request.endpoint)) {
                RequestResult::Applied(IsolationOrigin::Requested)
            } else {
                confirm_by_state(tenant, request, enabled, None).await
            }
        }
        Err(error) => confirm_by_state(tenant, request, enabled, Some(error)).await,
    }
}

/// Reads the state after a request whose response does not show the result.
async fn confirm_by_state<T: Transport>(
    tenant: &TenantClient<T>,
    request: &IsolationRequest,
    enabled: bool,
    failure: Option<sophos_api::Error>,
) -> RequestResult {
    // A throttled request was not applied; reading the state would be throttled too.
    if let Some(error) = failure.as_ref().filter(|error| error.kind() == ErrorKind::Throttled) {
        return RequestResult::Failed(error.clone());
    }
    match tenant.send(&GetIsolation::new(request.endpoint.as_str())).await {
        Ok(state) if state.enabled == Some(enabled) => {
            let comment = state.comment.as_deref().unwrap_or_default();
            if !enabled || has_tag(comment, &request.comment_tag) {
                RequestResult::Applied(IsolationOrigin::AlreadyApplied)
            } else {
                RequestResult::External(tenant.scrub(comment).into_owned())
            }
        }
        Ok(_) => RequestResult::Failed(failure.unwrap_or_else(|| {
            sophos_api::Error::invalid(
                "isolation request failed: the response omits the endpoint, whose state is unchanged",
            )
        })),
        Err(error) => {
            RequestResult::Failed(failure.filter(|failure| !is_endpoint_error(failure)).unwrap_or(error))
        }
    }
}

/// Whether a refusal concerns one endpoint, so that requests for the others alone
/// may succeed.
fn is_endpoint_error(error: &sophos_api::Error) -> bool {
    matches!(error.kind(), ErrorKind::Conflict | ErrorKind::Invalid | ErrorKind::NotFound)
}
