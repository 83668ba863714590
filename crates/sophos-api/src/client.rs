use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use crate::{
    credential_source::CredentialSource,
    error::{Error, ErrorKind},
    hosts::{BaseUrl, Hosts},
    identity::Identity,
    models::{IdType, Tenant},
    operation::{ApiHost, Operation, RequestTarget, ScopeHeader},
    operations::{
        organization::{GetOrganizationTenant, ListOrganizationTenants},
        partner::{GetPartnerTenant, ListPartnerTenants},
    },
    page_body::MalformedItem,
    paging::{Items, Paged, Pages},
    rate_limit::RateLimit,
    request::{ClientInner, RequestContext},
    retry::RetryPolicy,
    shared_rate_limiter::SharedRateLimiter,
    stats::{RequestCounters, RequestStats},
    tenant_id::TenantId,
    tenant_list::{MAX_TENANT_PAGE_SIZE, TenantList, own_tenant, unknown_id_type},
    transport::Transport,
    with_raw::WithRaw,
};

/// What operations are sent through: a [`Client`] for those of a partner or
/// organization, a [`TenantClient`] for those of a tenant.
pub trait ApiClient: Send + Sync + Sized {
    /// Sends one operation and reads its answer.
    ///
    /// # Errors
    /// See [`ErrorKind`].
    fn send<O: Operation>(&self, operation: &O) -> impl Future<Output = Result<O::Response, Error>> + Send;

    /// Reads a listing page by page.
    fn pages<O: Paged>(&self, operation: O) -> Pages<'_, Self, O> {
        Pages::new(self, operation)
    }

    /// Reads a listing item by item, the next page being fetched meanwhile.
    fn items<O: Paged + 'static>(&self, operation: O) -> Items<'_, O> {
        Items::new(self, operation)
    }
}

/// A credential at work: its session, its rate budget, its hosts.
///
/// Cloning it makes another handle of the same session. One client serves any
/// number of concurrent callers, and all tenants of its credential.
pub struct Client<T> {
    inner: Arc<ClientInner<T>>,
    deadline: Option<Duration>,
}

/// Settings of a [`Client`] that is about to be made.
#[derive(Debug)]
pub struct ClientBuilder<T> {
    transport: T,
    source: Arc<dyn CredentialSource>,
    hosts: Hosts,
    rate_limit: RateLimit,
    shared_rate_limiter: Option<Arc<dyn SharedRateLimiter>>,
    retry_policy: RetryPolicy,
}

impl<T: Transport> ClientBuilder<T> {
    /// Where the service is. Without it: Sophos Central.
    #[must_use]
    pub fn hosts(mut self, hosts: Hosts) -> Self {
        self.hosts = hosts;
        self
    }

    /// How much the credential may ask. Without it:
    /// [`RateLimit::documented`].
    #[must_use]
    pub fn rate_limit(mut self, budget: RateLimit) -> Self {
        self.rate_limit = budget;
        self
    }

    /// A budget that other processes spend as well. Without it: none.
    #[must_use]
    pub fn shared_rate_limiter(mut self, budget: Arc<dyn SharedRateLimiter>) -> Self {
        self.shared_rate_limiter = Some(budget);
        self
    }

    /// When a failed request is sent again.
    #[must_use]
    pub fn retry_policy(mut self, retry: RetryPolicy) -> Self {
        self.retry_policy = retry;
        self
    }

    /// The client. Nothing is sent yet.
    pub fn build(self) -> Client<T> {
        Client {
            inner: Arc::new(ClientInner::new(
                self.transport,
                self.source,
                self.hosts,
                self.rate_limit,
                self.shared_rate_limiter,
                self.retry_policy,
            )),
            deadline: None,
        }
    }
}

impl<T: Transport> Client<T> {
    /// Settings for a client of this credential:
    /// [`Credentials`](crate::Credentials), an [`Auth`](crate::Auth),
    /// or a source from which it is read whenever a token is needed.
    pub fn builder(transport: T, credential: impl CredentialSource + 'static) -> ClientBuilder<T> {
        ClientBuilder {
            transport,
            source: Arc::new(credential),
            hosts: Hosts::default(),
            rate_limit: RateLimit::default(),
            shared_rate_limiter: None,
            retry_policy: RetryPolicy::default(),
        }
    }

    /// The same session, none of whose waits goes past `at`, in the time of
    /// [`Transport::now`].
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        self.with_optional_deadline(Some(deadline))
    }

    /// The same session, with a deadline if `at` is one, else as it is.
    #[must_use]
    pub fn with_optional_deadline(&self, deadline: Option<Duration>) -> Self {
        Self { inner: Arc::clone(&self.inner), deadline: deadline.or(self.deadline) }
    }

    /// Who the credential belongs to. Asked for once.
    ///
    /// # Errors
    /// See [`ErrorKind`].
    pub async fn identity(&self) -> Result<Identity, Error> {
        self.inner.session.identity(&self.context(None)).await
    }

    /// All tenants that the credential reaches: one for a tenant's own, else
    /// the partner's or organization's list (`GET /partner/v1/tenants`,
    /// `GET /organization/v1/tenants`).
    ///
    /// # Errors
    /// See [`ErrorKind`].
    pub async fn list_tenants(&self) -> Result<TenantList, Error> {
        let identity = self.identity().await?;
        match identity.id_type {
            IdType::Tenant => Ok(TenantList { tenants: vec![own_tenant(&identity)], errors: Vec::new() }),
            IdType::Partner => self.fitting_tenants(ListPartnerTenants::with_page_size).await,
            IdType::Organization => self.fitting_tenants(ListOrganizationTenants::with_page_size).await,
            other => Err(unknown_id_type(&other)),
        }
    }

    /// Lists from the first page again, in pages of half the size, when one is
    /// too large: the number of a page means another place in smaller ones.
    async fn fitting_tenants<O: Paged<Item = Tenant>>(
        &self,
        operation: impl Fn(u32) -> O,
    ) -> Result<TenantList, Error> {
        let mut page_size = MAX_TENANT_PAGE_SIZE;
        loop {
            match self.collect_tenants(operation(page_size)).await {
                Err(error) if error.kind() == ErrorKind::TooLarge && page_size > 1 => page_size /= 2,
                listed => return listed,
            }
        }
    }

    async fn collect_tenants<O: Paged<Item = Tenant>>(&self, operation: O) -> Result<TenantList, Error> {
        let mut list = TenantList { tenants: Vec::new(), errors: Vec::new() };
        let mut pages = self.pages(operation);
        while let Some(page) = pages.next().await {
            let page = page?;
            let unreadable = O::malformed_items(&page).iter().map(MalformedItem::error);
            list.errors.extend(unreadable.map(|error| error.with_operation(O::ROUTE.to_string())));
            for tenant in O::items(page) {
                match tenant.parse().and_then(|tenant| self.validate_record(tenant)) {
                    Ok(tenant) => list.tenants.push(tenant.into_inner()),
                    Err(error) => list.errors.push(error.with_operation(O::ROUTE.to_string())),
                }
            }
        }
        Ok(list)
    }

    /// A handle for a tenant of which only the id is known. A partner's or
    /// organization's credential asks the service for its record.
    ///
    /// # Errors
    /// See [`ErrorKind`]; [`ErrorKind::WrongCredentialType`] when a tenant's
    /// credential is asked for another tenant.
    pub async fn tenant(&self, id: impl Into<TenantId>) -> Result<TenantClient<T>, Error> {
        let record = self.fetch_tenant(&id.into()).await?;
        self.for_tenant(&record)
    }

    /// The record of a tenant of which only the id is known. That of a tenant's
    /// own credential says no more than the id and the host.
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
            let message = format!("the credential leads to tenant {}, not to {id}", record.id);
            return Err(Error::wrong_credential_type(message).scrubbed(&self.inner.scrubber));
        }
        self.validate_record(record)
    }

    /// A handle for a tenant whose record was listed. Asks nothing.
    ///
    /// # Errors
    /// [`ErrorKind::UntrustedHost`] or [`ErrorKind::Malformed`] when the record
    /// leads to no host that may be used.
    pub fn for_tenant(&self, record: &Tenant) -> Result<TenantClient<T>, Error> {
        let describe = |error: Error| {
            let error = error.with_operation("tenant record").with_tenant(Some(record.id.as_str()));
            error.scrubbed(&self.inner.scrubber)
        };
        let hosts = &self.inner.hosts;
        let base = hosts.tenant_base_url(record.api_host.as_deref(), record.data_region.as_deref());
        let base = base.map_err(describe)?;
        self.check_tenant_id(&record.id).map_err(describe)?;
        if !self.inner.scrubber.is_clean(base.host()) {
            let error = Error::new(ErrorKind::UntrustedHost);
            return Err(describe(error.with_message("its name holds a secret or a token")));
        }
        Ok(TenantClient { client: self.clone(), id: record.id.clone(), base, counters: Arc::default() })
    }

    /// The text without the secrets and tokens that this client uses or has used
    /// lately, and without what looks like a token; `[redacted]` is in their place.
    ///
    /// For texts of the service that are kept or shown apart from its records. The
    /// client's own errors hold none.
    pub fn scrub<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.inner.scrubber.scrub(text)
    }

    fn validate_record(&self, record: WithRaw<Tenant>) -> Result<WithRaw<Tenant>, Error> {
        self.check_tenant_id(&record.id)?;
        Ok(record)
    }

    /// Refuses an id that repeats a secret: names of files and logs are made of it.
    fn check_tenant_id(&self, id: &TenantId) -> Result<(), Error> {
        if self.inner.scrubber.is_clean(id.as_str()) {
            return Ok(());
        }
        Err(Error::malformed("the tenant's id holds a secret or a token"))
    }

    /// What this credential has asked so far.
    pub fn stats(&self) -> RequestStats {
        self.inner.counters.snapshot()
    }

    /// The service's own time since the Unix epoch, by the `Date` of its last
    /// answer; `None` before the first.
    pub fn service_time(&self) -> Option<Duration> {
        self.inner.service_time()
    }

    /// The transport.
    pub fn transport(&self) -> &T {
        &self.inner.transport
    }

    fn context<'a>(&'a self, tenant: Option<&'a RequestCounters>) -> RequestContext<'a, T> {
        RequestContext::new(&self.inner, self.deadline, tenant)
    }
}

impl<T: Transport> ApiClient for Client<T> {
    async fn send<O: Operation>(&self, operation: &O) -> Result<O::Response, Error> {
        let refuse =
            |kind, why: &str| Err(Error::new(kind).with_operation(O::ROUTE.to_string()).with_message(why));
        if O::ROUTE.host == ApiHost::Identity {
            return refuse(ErrorKind::Invalid, "the session asks the identity service by itself");
        }
        let needed = match O::ROUTE.scope {
            ScopeHeader::None => None,
            ScopeHeader::Partner => Some(IdType::Partner),
            ScopeHeader::Organization => Some(IdType::Organization),
            ScopeHeader::Tenant => {
                return refuse(ErrorKind::Invalid, "send it through the tenant's own handle");
            }
        };
        let identity = self.identity().await?;
        let id = match needed {
            None => None,
            Some(needed) if needed == identity.id_type => Some(identity.id),
            Some(needed) => {
                let why =
                    format!("it needs a credential of a {needed}, and this one is of a {}", identity.id_type);
                return refuse(ErrorKind::WrongCredentialType, &why);
            }
        };
        self.context(None).send(operation, &RequestTarget { base: identity.global, id }).await
    }
}

impl<T> Clone for Client<T> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), deadline: self.deadline }
    }
}

impl<T> fmt::Debug for Client<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("credential", &self.inner.source).finish_non_exhaustive()
    }
}

/// One tenant, through the client of a credential that reaches it: adds the
/// tenant's id and the host of its data region.
pub struct TenantClient<T> {
    client: Client<T>,
    id: TenantId,
    base: BaseUrl,
    counters: Arc<RequestCounters>,
}

impl<T: Transport> TenantClient<T> {
    /// The tenant.
    pub fn id(&self) -> &TenantId {
        &self.id
    }

    /// The host of the tenant's data region.
    pub fn base_url(&self) -> &BaseUrl {
        &self.base
    }

    /// The text without the secrets and tokens of the client; see
    /// [`Client::scrub`].
    pub fn scrub<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.client.scrub(text)
    }

    /// The client of the credential.
    pub fn client(&self) -> &Client<T> {
        &self.client
    }

    /// Another handle of the same tenant, which counts what is asked through it
    /// by itself.
    #[must_use]
    pub fn with_separate_stats(&self) -> Self {
        Self { counters: Arc::default(), ..self.clone() }
    }

    /// The same tenant through another handle of its credential's client, such
    /// as one with a deadline.
    #[must_use]
    pub fn with_client(&self, client: &Client<T>) -> Self {
        Self { client: client.clone(), ..self.clone() }
    }

    /// What has been asked for this tenant through this handle and its clones.
    pub fn stats(&self) -> RequestStats {
        self.counters.snapshot()
    }
}

impl<T: Transport> ApiClient for TenantClient<T> {
    async fn send<O: Operation>(&self, operation: &O) -> Result<O::Response, Error> {
        if O::ROUTE.scope != ScopeHeader::Tenant {
            return Err(Error::invalid("it is no operation of a tenant; send it through the client")
                .with_operation(O::ROUTE.to_string()));
        }
        let base = match O::ROUTE.host {
            ApiHost::DataRegion => self.base.clone(),
            ApiHost::Identity | ApiHost::Global => self.client.identity().await?.global,
        };
        let target = RequestTarget::with_id(base, self.id.as_str());
        self.client.context(Some(&self.counters)).send(operation, &target).await
    }
}

impl<T> Clone for TenantClient<T> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            id: self.id.clone(),
            base: self.base.clone(),
            counters: Arc::clone(&self.counters),
        }
    }
}

impl<T> fmt::Debug for TenantClient<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantClient").field("id", &self.id).field("base", &self.base).finish_non_exhaustive()
    }
}
