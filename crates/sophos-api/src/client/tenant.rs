use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

#[cfg(feature = "catalog")]
use serde::de::DeserializeOwned;

#[cfg(feature = "catalog")]
use crate::catalog::DescribedRequest;
use crate::{
    BoxFuture,
    client::{ApiClient, Client, Platform},
    error::{Error, ErrorKind},
    fusion::{GraphqlOperation, PartialData, parse_partial},
    hosts::BaseUrl,
    models::{IdType, tenant_id::TenantId},
    operation::{ApiHost, Operation, RequestTarget, Route, ScopeHeader},
    send::{Exchange, RequestCounters, RequestStats, TypedExchange, exchange_of},
    transport::Transport,
};

/// A client for one tenant: it adds the tenant's id and the host of its data region
/// to each operation.
///
/// ```
/// use sophos_api::{ApiClient, Client, Error, Transport, operations::endpoint::endpoints::GetEndpoint};
///
/// async fn hostname<T: Transport>(client: Client<T>, tenant: &str, id: &str) -> Result<Option<String>, Error> {
///     let tenant = client.tenant(tenant).await?;
///     let endpoint = tenant.send(&GetEndpoint::new(id)).await?;
///     Ok(endpoint.into_inner().hostname)
/// }
/// ```
pub struct TenantClient<T> {
    client: Client<T>,
    id: TenantId,
    base: BaseUrl,
    counters: Arc<RequestCounters>,
    /// Whether the id is the one of the credential's own partner or organization.
    is_own_account: bool,
    /// Whether operations may return objects from before the tenant's move.
    reads_before_move: bool,
}

type PlatformCheck<'a> = BoxFuture<'a, Result<(), Error>>;

impl<T: Transport> TenantClient<T> {
    pub(crate) fn new(client: Client<T>, id: TenantId, base: BaseUrl) -> Self {
        let counters = Arc::default();
        Self { client, id, base, counters, is_own_account: false, reads_before_move: false }
    }

    /// A handle of the account of a partner's or organization's credential.
    pub(crate) fn own_account(client: Client<T>, id: TenantId, base: BaseUrl) -> Self {
        Self { is_own_account: true, ..Self::new(client, id, base) }
    }

    /// The tenant's id.
    pub fn id(&self) -> &TenantId {
        &self.id
    }

    /// The host of the tenant's data region.
    pub fn base_url(&self) -> &BaseUrl {
        &self.base
    }

    /// Replaces secrets and tokens by `[redacted]`; see [`Client::scrub`].
    pub fn scrub<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.client.scrub(text)
    }

    /// The client of the credential.
    pub fn client(&self) -> &Client<T> {
        &self.client
    }

    /// A handle of the same tenant with its own request counters.
    #[must_use]
    pub fn with_separate_stats(&self) -> Self {
        Self { counters: Arc::default(), ..self.clone() }
    }

    /// A handle of the same tenant with another handle of its credential's client,
    /// such as one with a deadline.
    #[must_use]
    pub fn with_client(&self, client: &Client<T>) -> Self {
        Self { client: client.clone(), ..self.clone() }
    }

    /// A handle of the same tenant that sends operations of `cases/v1` and
    /// `detections/v1` even if the tenant has moved to Sophos Fusion. They return its
    /// objects from before the move.
    #[must_use]
    pub fn reading_before_move(&self) -> Self {
        Self { reads_before_move: true, ..self.clone() }
    }

    /// Rejects another tenant than the one of a tenant's credential, once that is known.
    fn check_owner(&self) -> Result<(), Error> {
        let Some(identity) = self.client.known_identity() else { return Ok(()) };
        if identity.id_type != IdType::Tenant || identity.id.eq_ignore_ascii_case(self.id.as_str()) {
            return Ok(());
        }
        Err(Error::wrong_credential_type(format!(
            "the credential is tenant {}'s; use a credential of tenant {}, its partner or its organization",
            identity.id, self.id
        )))
    }

    /// The platform of the tenant. The client requests it at most every
    /// [`MAX_PLATFORM_AGE`](crate::MAX_PLATFORM_AGE).
    ///
    /// ```
    /// use sophos_api::{
    ///     ApiClient, Error, Platform, TenantClient, Transport, fusion, operations::cases::case,
    /// };
    ///
    /// async fn first_cases<T: Transport>(tenant: &TenantClient<T>) -> Result<usize, Error> {
    ///     Ok(match tenant.platform().await? {
    ///         Platform::Fusion => tenant.send(&fusion::cases::ListCases::new()).await?.cases.len(),
    ///         _ => tenant.send(&case::ListCases::new()).await?.items.len(),
    ///     })
    /// }
    /// ```
    ///
    /// # Errors
    /// See [`ErrorKind`](crate::ErrorKind); [`Invalid`](crate::ErrorKind::Invalid)
    /// without a host of Sophos Fusion.
    pub async fn platform(&self) -> Result<Platform, Error> {
        let target = RequestTarget::with_id(self.client.fusion_host()?, self.id.as_str());
        let platforms = &self.client.inner().platforms;
        platforms.get(&self.id, &self.client.context(Some(&self.counters)), &target).await
    }

    /// Sends a GraphQL operation, and returns the data even if the service failed to
    /// read a part of it. [`send`](ApiClient::send) fails then.
    ///
    /// # Errors
    /// As [`send`](ApiClient::send), for a response with errors and without data.
    pub async fn send_partial<O: GraphqlOperation>(
        &self,
        operation: &O,
    ) -> Result<PartialData<O::Response>, Error> {
        let context = self.client.context(Some(&self.counters));
        let target = RequestTarget::with_id(self.client.fusion_host()?, self.id.as_str());
        let route = const { &O::ROUTE };
        let mut exchange = TypedExchange::new(route, operation, O::to_request, parse_partial::<O>);
        context.execute(&mut exchange, &target).await?;
        let mut partial = exchange.into_response()?;
        let annotate = |error| context.annotate(error, route, &target);
        partial.errors = partial.errors.into_iter().map(annotate).collect();
        Ok(partial)
    }

    /// Fails for an operation that would return objects from before the tenant's move.
    async fn check_platform(&self, route: &Route, replacement: &'static str) -> Result<(), Error> {
        let client = self.client.inner();
        if !client.refuse_moved_tenants || self.reads_before_move || client.sender.hosts.fusion().is_none() {
            return Ok(());
        }
        let remedy = "the test whether the tenant has moved to Sophos Fusion failed";
        match self.platform().await.map_err(|error| error.with_remedy(remedy))? {
            Platform::Central => Ok(()),
            Platform::Fusion => Err(Error::new(ErrorKind::TenantMoved)
                .with_replacement(replacement)
                .with_operation(route.to_string())
                .with_tenant_id(Some(self.id.as_str()))),
        }
    }

    /// The check of an operation that a move replaces. It is a trait object, so that a
    /// program without such an operation does not contain it.
    fn platform_check<'a>(&'a self, route: &'a Route, replacement: &'static str) -> PlatformCheck<'a> {
        Box::pin(self.check_platform(route, replacement))
    }

    /// Sends an operation after the check of the tenant's platform.
    async fn execute(
        &self,
        exchange: &mut dyn Exchange,
        check: Option<PlatformCheck<'_>>,
    ) -> Result<(), Error> {
        let target = self.target(exchange.route()).await?;
        if let Some(check) = check {
            check.await?;
        }
        self.client.context(Some(&self.counters)).execute(exchange, &target).await
    }

    /// The counters of this handle and its clones.
    pub fn stats(&self) -> RequestStats {
        self.counters.snapshot()
    }
}

impl<T: Transport> ApiClient for TenantClient<T> {
    type Transport = T;

    fn as_client(&self) -> &Client<T> {
        &self.client
    }

    fn with_earlier_deadline(&self, deadline: Duration) -> Self {
        self.with_client(&self.client.with_earlier_deadline(deadline))
    }

    async fn send<O: Operation>(&self, operation: &O) -> Result<O::Response, Error> {
        let mut exchange = exchange_of(operation);
        let route = const { &O::ROUTE };
        let check = route.fusion_replacement.map(|replacement| self.platform_check(route, replacement));
        self.execute(&mut exchange, check).await?;
        exchange.into_response()
    }

    #[cfg(feature = "catalog")]
    async fn send_described<R: DeserializeOwned + Send>(
        &self,
        request: &DescribedRequest,
    ) -> Result<R, Error> {
        let mut exchange = request.exchange();
        let route = request.route();
        let check = route.fusion_replacement.map(|replacement| self.platform_check(route, replacement));
        self.execute(&mut exchange, check).await?;
        exchange.into_response()
    }
}

impl<T: Transport> TenantClient<T> {
    /// The host and the tenant's id for an operation of a tenant.
    async fn target(&self, route: &Route) -> Result<RequestTarget, Error> {
        if self.is_own_account {
            return self.own_account_target(route);
        }
        if !route.scope.is_tenant() {
            return Err(Error::invalid("the operation is not a tenant's; send it through the Client")
                .with_operation(route.to_string()));
        }
        self.check_owner().map_err(|error| error.with_operation(route.to_string()))?;
        let base = match route.host {
            ApiHost::DataRegion => self.base.clone(),
            ApiHost::Fusion => self.client.fusion_host()?,
            ApiHost::Identity | ApiHost::Global => self.client.identity().await?.global,
        };
        Ok(RequestTarget::with_id(base, self.id.as_str()))
    }

    /// The host for an operation that covers the account without a header.
    fn own_account_target(&self, route: &Route) -> Result<RequestTarget, Error> {
        if route.scope == ScopeHeader::TenantOrOwner && route.host == ApiHost::Global {
            return Ok(RequestTarget::new(self.base.clone()));
        }
        Err(Error::invalid("the operation does not cover the account of a partner or organization")
            .with_operation(route.to_string()))
    }
}

impl<T> Clone for TenantClient<T> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            id: self.id.clone(),
            base: self.base.clone(),
            counters: Arc::clone(&self.counters),
            is_own_account: self.is_own_account,
            reads_before_move: self.reads_before_move,
        }
    }
}

impl<T> fmt::Debug for TenantClient<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantClient").field("id", &self.id).field("base", &self.base).finish_non_exhaustive()
    }
}
