mod builder;
#[cfg(feature = "common")]
mod bulk;
#[cfg(feature = "endpoint")]
mod endpoint_lookup;
mod inner;
mod platform;
mod send;
mod tenant;
pub(crate) mod tenant_list;

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

#[cfg(feature = "catalog")]
use serde::de::DeserializeOwned;

#[cfg(feature = "catalog")]
use crate::catalog::DescribedRequest;
use crate::{
    credentials::CredentialSource,
    error::{Error, ErrorKind},
    hosts::BaseUrl,
    models::{IdType, Tenant, raw::WithRaw, tenant_id::TenantId},
    operation::Operation,
    operations::{
        organization::tenants::{GetOrganizationTenant, ListOrganizationTenants},
        partner::tenants::{GetPartnerTenant, ListPartnerTenants},
    },
    paging::{Items, MalformedItem, Paged, Pages},
    send::{RequestCounters, RequestStats},
    session::{Identity, RequestContext},
    transport::Transport,
};

pub use builder::ClientBuilder;
#[cfg(feature = "common")]
pub use bulk::{act_on_alerts, send_all};
#[cfg(feature = "endpoint")]
pub use endpoint_lookup::{find_endpoint, find_endpoints};
pub(crate) use inner::ClientInner;
pub(crate) use platform::PlatformCache;
pub use platform::{MAX_PLATFORM_AGE, Platform};
pub use tenant::TenantClient;
pub use tenant_list::TenantList;
use tenant_list::{MAX_TENANT_PAGE_SIZE, own_tenant, unknown_id_type};

/// A sender of operations: a [`Client`] for the ones of a partner or organization, a
/// [`TenantClient`] for the ones of a tenant.
///
/// ```
/// use sophos_api::{ApiClient, Error, TenantClient, Transport, operations::common::alerts::ListAlerts};
///
/// async fn print_alerts<T: Transport>(tenant: TenantClient<T>) -> Result<(), Error> {
///     let mut pages = tenant.pages(ListAlerts::new().page_size(100));
///     while let Some(page) = pages.next().await {
///         for alert in page?.items {
///             println!("{}", alert.json());
///         }
///     }
///     Ok(())
/// }
/// ```
pub trait ApiClient: Clone + Send + Sync + 'static {
    /// The transport, with its clock and timers.
    type Transport: Transport;

    /// The client of the credential.
    fn as_client(&self) -> &Client<Self::Transport>;

    /// A handle whose operations end at `deadline`, in the time of [`Transport::now`],
    /// or at the handle's own deadline if that is earlier.
    #[must_use]
    fn with_earlier_deadline(&self, deadline: Duration) -> Self;

    /// Sends one operation and parses its response.
    ///
    /// # Errors
    /// See [`ErrorKind`].
    fn send<O: Operation>(&self, operation: &O) -> impl Future<Output = Result<O::Response, Error>> + Send;

    /// Reads a listing page by page.
    fn pages<O: Paged>(&self, operation: O) -> Pages<Self, O> {
        Pages::new(self.clone(), operation)
    }

    /// Reads a listing item by item, one page ahead.
    fn items<O: Paged>(&self, operation: O) -> Items<Self, O> {
        Items::new(self.clone(), operation)
    }

    /// Sends an operation that is chosen at run time, and returns its JSON, such as a
    /// [`serde_json::Value`]. An empty body is `null`.
    ///
    /// # Errors
    /// See [`ErrorKind`].
    #[cfg(feature = "catalog")]
    fn send_described<R: DeserializeOwned + Send>(
        &self,
        request: &DescribedRequest,
    ) -> impl Future<Output = Result<R, Error>> + Send;
}

/// The client of one credential: its session, its rate limit and its hosts.
///
/// A clone is another handle of the same session. One client serves any number of
/// concurrent callers, and all tenants of its credential.
///
/// ```
/// use std::time::Duration;
///
/// use sophos_api::{Client, Credentials, Error, RetryPolicy, Transport};
///
/// async fn list_tenants<T: Transport>(transport: T, credentials: Credentials) -> Result<(), Error> {
///     let client = Client::builder(transport, credentials)
///         .retry_policy(RetryPolicy::new().max_backoff(Duration::from_secs(5)))
///         .build();
///     for tenant in client.list_tenants().await?.tenants {
///         println!("{} {:?}", tenant.id, tenant.name);
///     }
///     Ok(())
/// }
/// ```
pub struct Client<T> {
    pub(crate) inner: Arc<ClientInner<T>>,
    pub(crate) deadline: Option<Duration>,
}

impl<T: Transport> Client<T> {
    /// Starts a client of this credential: [`Credentials`](crate::Credentials), an
    /// [`Auth`](crate::Auth), or a source that the client reads for each token.
    pub fn builder(transport: T, credential: impl CredentialSource + 'static) -> ClientBuilder<T> {
        ClientBuilder::new(transport, Arc::new(credential))
    }

    /// A handle of the same session whose operations end at `deadline`, in the time
    /// of [`Transport::now`].
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use sophos_api::{Client, Error, TenantList, Transport};
    ///
    /// async fn list_within_30_s<T: Transport>(client: &Client<T>) -> Result<TenantList, Error> {
    ///     let deadline = client.transport().now() + Duration::from_secs(30);
    ///     client.with_deadline(deadline).list_tenants().await
    /// }
    /// ```
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        self.with_optional_deadline(Some(deadline))
    }

    /// A handle of the same session, with the deadline if it is `Some`.
    #[must_use]
    pub fn with_optional_deadline(&self, deadline: Option<Duration>) -> Self {
        Self { inner: Arc::clone(&self.inner), deadline: deadline.or(self.deadline) }
    }

    /// The owner of the credential. The client requests it once.
    ///
    /// # Errors
    /// See [`ErrorKind`].
    pub async fn identity(&self) -> Result<Identity, Error> {
        self.context(None).identity().await
    }

    /// Lists all tenants of the credential. A tenant's own credential has one; else
    /// the client requests `GET /partner/v1/tenants` or `/organization/v1/tenants`.
    ///
    /// # Errors
    /// See [`ErrorKind`].
    pub async fn list_tenants(&self) -> Result<TenantList, Error> {
        let identity = self.identity().await?;
        match identity.id_type {
            IdType::Tenant => Ok(TenantList { tenants: vec![own_tenant(&identity)], errors: Vec::new() }),
            IdType::Partner => self.list_in_fitting_pages(ListPartnerTenants::with_page_size).await,
            IdType::Organization => self.list_in_fitting_pages(ListOrganizationTenants::with_page_size).await,
            other => Err(unknown_id_type(&other)),
        }
    }

    /// Restarts the listing with half the page size if a page is too large: page
    /// numbers depend on the size.
    async fn list_in_fitting_pages<O: Paged<Item = Tenant>>(
        &self,
        operation: impl Fn(u32) -> O,
    ) -> Result<TenantList, Error> {
        let mut page_size = MAX_TENANT_PAGE_SIZE;
        loop {
            match self.collect_tenants(operation(page_size)).await {
                Err(error) if error.kind() == ErrorKind::TooLarge && page_size > 1 => page_size /= 2,
                result => return result,
            }
        }
    }

    async fn collect_tenants<O: Paged<Item = Tenant>>(&self, operation: O) -> Result<TenantList, Error> {
        let mut list = TenantList { tenants: Vec::new(), errors: Vec::new() };
        let mut pages = self.pages(operation);
        while let Some(page) = pages.next().await {
            let page = page?;
            let malformed = O::malformed_items(&page).iter().map(MalformedItem::error);
            list.errors.extend(malformed.map(|error| error.with_operation(O::ROUTE.to_string())));
            for tenant in O::items(page) {
                match tenant.parse().and_then(|tenant| self.validate_record(tenant)) {
                    Ok(tenant) => list.tenants.push(tenant.into_inner()),
                    Err(error) => list.errors.push(error.with_operation(O::ROUTE.to_string())),
                }
            }
        }
        Ok(list)
    }

    /// A handle for the tenant of this id. With a partner's or organization's
    /// credential, the client requests the tenant's record.
    ///
    /// # Errors
    /// See [`ErrorKind`]; [`ErrorKind::WrongCredentialType`] for another tenant than
    /// the one of a tenant's credential.
    pub async fn tenant(&self, id: impl Into<TenantId>) -> Result<TenantClient<T>, Error> {
        let record = self.fetch_tenant(&id.into()).await?;
        self.for_tenant(&record)
    }

    /// Gets the record of the tenant of this id. With a tenant's own credential it
    /// holds the id and the host alone.
    ///
    /// # Errors
    /// As for [`tenant`](Self::tenant).
    pub async fn fetch_tenant(&self, id: &TenantId) -> Result<WithRaw<Tenant>, Error> {
        let identity = self.identity().await?;
        let record = match identity.id_type {
            IdType::Tenant => WithRaw::from_value(own_tenant(&identity))?,
            IdType::Partner => self.send(&GetPartnerTenant::new(id.as_str())).await?,
            IdType::Organization => self.send(&GetOrganizationTenant::new(id.as_str())).await?,
            other => return Err(unknown_id_type(&other)),
        };
        if record.id != *id {
            let message = format!("the credential is for tenant {}, not for {id}", record.id);
            return Err(Error::wrong_credential_type(message).scrubbed(&self.inner.sender.scrubber));
        }
        self.validate_record(record)
    }

    /// A handle for the tenant of this record. It sends nothing.
    ///
    /// # Errors
    /// [`ErrorKind::UntrustedHost`] or [`ErrorKind::Malformed`] when the record has no
    /// permitted host.
    pub fn for_tenant(&self, record: &Tenant) -> Result<TenantClient<T>, Error> {
        let describe = |error: Error| {
            let error = error.with_operation("tenant record").with_tenant_id(Some(record.id.as_str()));
            error.scrubbed(&self.inner.sender.scrubber)
        };
        let hosts = &self.inner.sender.hosts;
        let base = hosts.tenant_base_url(record.api_host.as_deref(), record.data_region.as_deref());
        let base = base.map_err(describe)?;
        self.check_tenant_id(&record.id).map_err(describe)?;
        if !self.inner.sender.scrubber.is_clean(base.host()) {
            let error = Error::new(ErrorKind::UntrustedHost);
            return Err(describe(error.with_message("the name of the host holds a secret or a token")));
        }
        Ok(TenantClient::new(self.clone(), record.id.clone(), base))
    }

    /// A handle of the account of a partner's or organization's credential, for the
    /// operations that cover the account itself: the audit log. It counts its requests as
    /// a tenant's handle does. `None` for a tenant's credential.
    ///
    /// # Errors
    /// See [`ErrorKind`].
    pub async fn own_account(&self) -> Result<Option<TenantClient<T>>, Error> {
        let identity = self.identity().await?;
        let has_account = matches!(identity.id_type, IdType::Partner | IdType::Organization);
        let account = || TenantClient::own_account(self.clone(), identity.id.into(), identity.global);
        Ok(has_account.then(account))
    }

    /// Replaces secrets and tokens by `[redacted]`: the ones that this client uses or
    /// used lately, and anything that looks like a token.
    ///
    /// Apply it to texts of the service that are stored or displayed outside its
    /// records. The client's own errors hold none.
    pub fn scrub<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.inner.sender.scrubber.scrub(text)
    }

    fn validate_record(&self, record: WithRaw<Tenant>) -> Result<WithRaw<Tenant>, Error> {
        self.check_tenant_id(&record.id)?;
        Ok(record)
    }

    /// Rejects an id that repeats a secret: it becomes part of file names and logs.
    fn check_tenant_id(&self, id: &TenantId) -> Result<(), Error> {
        if self.inner.sender.scrubber.is_clean(id.as_str()) {
            return Ok(());
        }
        Err(Error::malformed("the tenant's id holds a secret or a token"))
    }

    /// The counters of all requests with this credential.
    pub fn stats(&self) -> RequestStats {
        self.inner.sender.counters.snapshot()
    }

    /// The service's time since the Unix epoch, from the `Date` of its last response;
    /// `None` before the first.
    pub fn service_time(&self) -> Option<Duration> {
        self.inner.sender.service_time()
    }

    /// The transport.
    pub fn transport(&self) -> &T {
        &self.inner.sender.transport
    }

    /// The owner of the credential, if it was requested before.
    pub(crate) fn known_identity(&self) -> Option<Identity> {
        self.inner.session.known_identity()
    }

    pub(crate) fn inner(&self) -> &ClientInner<T> {
        &self.inner
    }

    /// The GraphQL host of Sophos Fusion.
    pub(crate) fn fusion_host(&self) -> Result<BaseUrl, Error> {
        let host = self.inner.sender.hosts.fusion().cloned();
        host.ok_or_else(|| {
            Error::invalid("no host of Sophos Fusion is configured; set one beside the others")
        })
    }

    pub(crate) fn context<'a>(&'a self, tenant: Option<&'a RequestCounters>) -> RequestContext<'a, T> {
        self.inner.context(self.deadline, tenant)
    }
}

impl<T> Clone for Client<T> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), deadline: self.deadline }
    }
}

impl<T> fmt::Debug for Client<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("credential", &self.inner.session.source()).finish_non_exhaustive()
    }
}
