use std::sync::Arc;

use crate::{
    client::{Client, ClientInner, PlatformCache},
    credentials::CredentialSource,
    hosts::Hosts,
    send::{RateLimit, RetryPolicy, Sender, SharedRateLimiter},
    session::Session,
    transport::Transport,
};

/// The settings of a [`Client`].
///
/// ```
/// use std::time::Duration;
///
/// use sophos_api::{Client, Credentials, Error, Hosts, RetryPolicy, Transport};
///
/// fn build<T: Transport>(transport: T, credentials: Credentials) -> Result<Client<T>, Error> {
///     let simulator = Hosts::new("http://127.0.0.1:8080".parse()?, "http://127.0.0.1:8080".parse()?);
///     Ok(Client::builder(transport, credentials)
///         .hosts(simulator)
///         .rate_limit("10/s, 100/m+300".parse()?)
///         .retry_policy(RetryPolicy::new().attempt_timeout(Duration::from_secs(20)))
///         .build())
/// }
/// ```
#[derive(Debug)]
pub struct ClientBuilder<T> {
    transport: T,
    source: Arc<dyn CredentialSource>,
    hosts: Hosts,
    rate_limit: RateLimit,
    shared_rate_limiter: Option<Arc<dyn SharedRateLimiter>>,
    retry_policy: RetryPolicy,
    refuse_moved_tenants: bool,
}

impl<T: Transport> ClientBuilder<T> {
    pub(crate) fn new(transport: T, source: Arc<dyn CredentialSource>) -> Self {
        Self {
            transport,
            source,
            hosts: Hosts::default(),
            rate_limit: RateLimit::default(),
            shared_rate_limiter: None,
            retry_policy: RetryPolicy::default(),
            refuse_moved_tenants: true,
        }
    }

    /// Sets the hosts of the service. Default: Sophos Central.
    #[must_use]
    pub fn hosts(mut self, hosts: Hosts) -> Self {
        self.hosts = hosts;
        self
    }

    /// Sets the client-side rate limit. Default: [`RateLimit::documented`].
    #[must_use]
    pub fn rate_limit(mut self, rate_limit: RateLimit) -> Self {
        self.rate_limit = rate_limit;
        self
    }

    /// Sets a rate limit that several processes share. Default: none.
    #[must_use]
    pub fn shared_rate_limiter(mut self, rate_limiter: Arc<dyn SharedRateLimiter>) -> Self {
        self.shared_rate_limiter = Some(rate_limiter);
        self
    }

    /// Sets the conditions and the timing of retries.
    #[must_use]
    pub fn retry_policy(mut self, retry_policy: RetryPolicy) -> Self {
        self.retry_policy = retry_policy;
        self
    }

    /// Sets whether the client refuses operations of `cases/v1` and `detections/v1` for a
    /// tenant that has moved to Sophos Fusion: they would return objects from before the
    /// move. Default: `true`, at one request per tenant every
    /// [`MAX_PLATFORM_AGE`](crate::MAX_PLATFORM_AGE).
    ///
    /// With [`Hosts`] that have no Fusion host, the client refuses none.
    #[must_use]
    pub fn refuse_moved_tenants(mut self, refuse: bool) -> Self {
        self.refuse_moved_tenants = refuse;
        self
    }

    /// Builds the client. It sends nothing yet.
    pub fn build(self) -> Client<T> {
        Client {
            inner: Arc::new(ClientInner {
                sender: Sender::new(
                    self.transport,
                    self.hosts,
                    self.rate_limit,
                    self.shared_rate_limiter,
                    self.retry_policy,
                ),
                session: Session::new(self.source),
                platforms: PlatformCache::default(),
                refuse_moved_tenants: self.refuse_moved_tenants,
            }),
            deadline: None,
        }
    }
}
