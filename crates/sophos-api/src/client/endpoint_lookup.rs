//! Endpoints by their host name.

use crate::{
    WithRaw,
    client::ApiClient,
    error::{Error, ErrorKind},
    models::Endpoint,
    operation::Operation,
    operations::endpoint::endpoints::ListEndpoints,
};

/// The most candidates in the text of an error.
const MAX_LISTED: usize = 5;

/// Finds the only endpoint with this host name, compared as a whole and without regard
/// to case.
///
/// ```
/// use sophos_api::{Error, TenantClient, Transport, find_endpoint};
///
/// async fn endpoint_id<T: Transport>(tenant: TenantClient<T>) -> Result<String, Error> {
///     Ok(find_endpoint(&tenant, "LAPTOP-4711").await?.into_inner().id)
/// }
/// ```
///
/// # Errors
/// [`ErrorKind::NotFound`] without such an endpoint. [`ErrorKind::Ambiguous`] for
/// several, with their ids: choose one by [`find_endpoints`]. See [`ErrorKind`] for
/// failures of the listing.
pub async fn find_endpoint<C: ApiClient>(tenant: &C, hostname: &str) -> Result<WithRaw<Endpoint>, Error> {
    let mut found = find_endpoints(tenant, hostname).await?;
    let count = found.len();
    match (found.pop(), count) {
        (Some(endpoint), 1) => Ok(endpoint),
        (None, _) => {
            let message = format!("no endpoint has the host name \"{hostname}\"");
            Err(describe(tenant, Error::new(ErrorKind::NotFound).with_message(message)))
        }
        (Some(last), _) => {
            found.push(last);
            let listed: Vec<_> = found.iter().take(MAX_LISTED).map(|endpoint| endpoint.id.as_str()).collect();
            let more = if count > MAX_LISTED { ", …" } else { "" };
            let message =
                format!("{count} endpoints have the host name \"{hostname}\": {}{more}", listed.join(", "));
            Err(describe(tenant, Error::new(ErrorKind::Ambiguous).with_message(message)))
        }
    }
}

/// Finds all endpoints with this host name, compared as a whole and without regard to
/// case. A machine that was installed again has several.
///
/// ```
/// use sophos_api::{Error, TenantClient, Timestamp, Transport, find_endpoints};
///
/// /// The id of the endpoint that was seen last.
/// async fn latest<T: Transport>(tenant: &TenantClient<T>) -> Result<Option<String>, Error> {
///     let endpoints = find_endpoints(tenant, "LAPTOP-4711").await?;
///     let seen = endpoints.into_iter().max_by_key(|endpoint| {
///         endpoint.last_seen_at.as_ref().and_then(Timestamp::instant)
///     });
///     Ok(seen.map(|endpoint| endpoint.into_inner().id))
/// }
/// ```
///
/// # Errors
/// [`ErrorKind::Invalid`] for an empty host name. See [`ErrorKind`] for failures of the
/// listing; an unreadable record is a failure too, since it may be the endpoint.
pub async fn find_endpoints<C: ApiClient>(
    tenant: &C,
    hostname: &str,
) -> Result<Vec<WithRaw<Endpoint>>, Error> {
    let name = hostname.trim();
    if name.is_empty() {
        return Err(Error::invalid("invalid host name \"\": expected a text that is not empty"));
    }
    let wanted = name.to_lowercase();
    let mut found = Vec::new();
    let mut pages = tenant.pages(ListEndpoints::new().hostname_contains(name).page_size(500));
    while let Some(page) = pages.next().await {
        for endpoint in page?.items {
            let endpoint = endpoint.parse().map_err(|error| describe(tenant, error))?;
            if endpoint.hostname.as_ref().is_some_and(|hostname| hostname.to_lowercase() == wanted) {
                found.push(endpoint);
            }
        }
    }
    Ok(found)
}

fn describe<C: ApiClient>(tenant: &C, error: Error) -> Error {
    error.with_operation(ListEndpoints::ROUTE.to_string()).scrubbed(tenant.as_client().scrubber())
}
