use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, header};

use crate::{
    access::RequiredAccess,
    credential_source::CredentialSource,
    error::Error,
    error_kind::ErrorKind,
    hosts::Hosts,
    operation::{ApiHost, Operation, RequestTarget, Route},
    operations::token::RequestToken,
    platform::PlatformCache,
    rate_limit::{RateLimit, RateLimiter},
    retry::{Jitter, RetryPolicy, parse_date, parse_retry_after},
    scrub::Scrubber,
    session::{IssuedToken, Session},
    shared_rate_limiter::SharedRateLimiter,
    stats::RequestCounters,
    sync::lock,
    transport::Transport,
};

/// The parts that all handles of a client share.
pub(crate) struct ClientInner<T> {
    pub(crate) transport: T,
    pub(crate) source: Arc<dyn CredentialSource>,
    pub(crate) hosts: Hosts,
    rate_limiter: RateLimiter,
    shared_rate_limiter: Option<Arc<dyn SharedRateLimiter>>,
    retry_policy: RetryPolicy,
    pub(crate) jitter: Jitter,
    pub(crate) session: Session,
    pub(crate) platforms: PlatformCache,
    pub(crate) refuse_moved_tenants: bool,
    pub(crate) counters: RequestCounters,
    /// The credentials and tokens in use.
    pub(crate) scrubber: Scrubber,
    /// The service's time of its last response, and the local time of that.
    service_clock: Mutex<Option<(Duration, Duration)>>,
}

impl<T: Transport> ClientInner<T> {
    pub(crate) fn new(
        transport: T,
        source: Arc<dyn CredentialSource>,
        hosts: Hosts,
        rate_limit: RateLimit,
        shared_rate_limiter: Option<Arc<dyn SharedRateLimiter>>,
        retry_policy: RetryPolicy,
        refuse_moved_tenants: bool,
    ) -> Self {
        Self {
            transport,
            source,
            hosts,
            rate_limiter: RateLimiter::new(rate_limit),
            shared_rate_limiter,
            retry_policy,
            jitter: Jitter::default(),
            session: Session::default(),
            platforms: PlatformCache::default(),
            refuse_moved_tenants,
            counters: RequestCounters::default(),
            scrubber: Scrubber::default(),
            service_clock: Mutex::new(None),
        }
    }

    pub(crate) fn service_time(&self) -> Option<Duration> {
        let (service, local) = (*lock(&self.service_clock))?;
        Some(service + self.transport.now().saturating_sub(local))
    }

    fn record_service_time(&self, response: &http::Response<Bytes>) {
        if let Some(service) = parse_date(response.headers()) {
            let now = self.transport.now();
            *lock(&self.service_clock) = Some((service, now));
        }
    }
}

/// The shared parts, the deadline and the counters of one caller.
pub(crate) struct RequestContext<'a, T> {
    client: &'a ClientInner<T>,
    deadline: Option<Duration>,
    tenant_counters: Option<&'a RequestCounters>,
}

impl<'a, T: Transport> RequestContext<'a, T> {
    pub(crate) fn new(
        client: &'a ClientInner<T>,
        deadline: Option<Duration>,
        tenant_counters: Option<&'a RequestCounters>,
    ) -> Self {
        Self { client, deadline, tenant_counters }
    }

    pub(crate) fn now(&self) -> Duration {
        self.client.transport.now()
    }

    pub(crate) fn hosts(&self) -> &Hosts {
        &self.client.hosts
    }

    pub(crate) fn scrubber(&self) -> &Scrubber {
        &self.client.scrubber
    }

    pub(crate) fn source(&self) -> &dyn CredentialSource {
        self.client.source.as_ref()
    }

    /// Sends an operation of the API with the session's token.
    pub(crate) async fn send<O: Operation>(
        &self,
        operation: &O,
        target: &RequestTarget,
    ) -> Result<O::Response, Error> {
        self.execute(operation, target, &SessionToken, O::parse_response).await
    }

    /// Sends an operation of the API, and parses its response by another function.
    pub(crate) async fn send_and_parse<O: Operation, R: Send>(
        &self,
        operation: &O,
        target: &RequestTarget,
        parse: fn(&http::Response<Bytes>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        self.execute(operation, target, &SessionToken, parse).await
    }

    /// Sends an operation of the API with this token.
    pub(crate) async fn send_with_token<O: Operation>(
        &self,
        operation: &O,
        target: &RequestTarget,
        token: &IssuedToken,
    ) -> Result<O::Response, Error> {
        self.execute(operation, target, &ProvidedToken(token), O::parse_response).await
    }

    /// Requests a token from the identity service.
    pub(crate) async fn request_token(
        &self,
        operation: &RequestToken<'_>,
    ) -> Result<<RequestToken<'static> as Operation>::Response, Error> {
        let target = RequestTarget::new(self.client.hosts.identity().clone());
        self.execute(operation, &target, &SecretInBody, RequestToken::parse_response).await
    }

    async fn execute<O: Operation, A: Authorizer<T>, R: Send>(
        &self,
        operation: &O,
        target: &RequestTarget,
        authorizer: &A,
        parse_response: fn(&http::Response<Bytes>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let request =
            operation.to_request(target).map_err(|error| self.annotate(error, &O::ROUTE, target))?;
        self.execute_request(request, &O::ROUTE, target, authorizer, parse_response).await
    }

    /// Sends an operation that is chosen at run time, with the session's token.
    #[cfg(feature = "catalog")]
    pub(crate) async fn send_described<R: serde::de::DeserializeOwned + Send>(
        &self,
        described: &crate::catalog::DescribedRequest,
        target: &RequestTarget,
    ) -> Result<R, Error> {
        let route = described.route();
        let request = described.to_request(target).map_err(|error| self.annotate(error, route, target))?;
        self.execute_request(request, route, target, &SessionToken, crate::operation::parse_json_or_null)
            .await
    }

    async fn execute_request<R: Send, A: Authorizer<T>>(
        &self,
        request: http::Request<Vec<u8>>,
        route: &Route,
        target: &RequestTarget,
        authorizer: &A,
        parse_response: fn(&http::Response<Bytes>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let mut parsed = None;
        let parse = &mut |response: &http::Response<Bytes>| {
            parsed = Some(parse_response(response)?);
            Ok(())
        };
        // Boxed: the futures of all operations hold a pointer in place of it.
        Box::pin(self.send_with_retry(request, route, target, authorizer, parse)).await?;
        parsed.ok_or_else(|| self.annotate(Error::new(ErrorKind::Malformed), route, target))
    }

    pub(crate) fn annotate(&self, error: Error, route: &Route, target: &RequestTarget) -> Error {
        let error = self.explain_access(error, route).with_operation(route.to_string());
        // Scrubbed before the displayed texts are cut.
        error.with_tenant_id(self.tenant_counters.and(target.id.as_deref())).scrubbed(self.scrubber())
    }

    /// Adds the access that the operation takes to an error for lack of it. A path
    /// without an id cannot name a missing object, so its 404 is one as well.
    fn explain_access(&self, error: Error, route: &Route) -> Error {
        match error.status() {
            Some(403) => {}
            Some(404) if !route.path.contains(':') => {}
            _ => return error,
        }
        if route.host == ApiHost::Identity {
            return error;
        }
        let credential = self.client.session.known_identity().map(|identity| identity.id_type);
        error.with_access(RequiredAccess::new(route).with_credential(credential))
    }

    /// Sends a request until its response can be parsed, or a retry is not permitted.
    /// It is not generic over the operation, so that it is compiled once.
    async fn send_with_retry<A: Authorizer<T>>(
        &self,
        unauthorized: http::Request<Vec<u8>>,
        route: &Route,
        target: &RequestTarget,
        authorizer: &A,
        parse: ResponseParser<'_>,
    ) -> Result<(), Error> {
        let describe = |error: Error| self.annotate(error, route, target);
        let mut renewed = false;
        let mut attempt = 1;
        loop {
            let token = authorizer.authorize(self).await.map_err(describe)?;
            let mut request = unauthorized.clone();
            if let Some(header) = token.as_ref().and_then(|token| token.header.clone()) {
                request.headers_mut().insert(header::AUTHORIZATION, header);
            }
            let result = match self.send_once::<A>(request).await {
                Ok(response) => parse(&response).map_err(|error| {
                    error.with_retry_after(parse_retry_after(response.headers(), self.now()))
                }),
                Err(error) => Err(error),
            };
            let error = match result {
                Ok(()) => return Ok(()),
                Err(error) => describe(error),
            };
            if let Some(token) = token.filter(|_| A::CAN_RENEW && error.status() == Some(401) && !renewed) {
                renewed = true;
                self.client.session.invalidate_token(&token);
                continue;
            }
            let retry_after = error.retry_after();
            let backoff = self.client.retry_policy.backoff(attempt, &self.client.jitter, self.now());
            let throttled = error.kind() == ErrorKind::Throttled;
            if throttled {
                self.count(|counters| &counters.throttled, 1);
                // The limit is the credential's: all its callers pause.
                let pause = retry_after.unwrap_or(backoff).min(self.client.retry_policy.max_retry_after);
                self.client.rate_limiter.pause_until(self.now() + pause);
            }
            let is_short = retry_after.is_none_or(|wait| wait <= self.client.retry_policy.max_retry_after);
            if attempt >= self.client.retry_policy.max_attempts
                || !is_short
                || !self.client.retry_policy.should_retry(&error, route.idempotent)
            {
                return Err(error);
            }
            self.wait(retry_after.unwrap_or(backoff)).await.map_err(|_| {
                let wait = retry_after.filter(|_| throttled);
                describe(Error::new(ErrorKind::DeadlineExceeded).with_retry_after(wait))
                    .with_message(format!("after {attempt} attempts, the last error: {error}"))
            })?;
            self.count(|counters| &counters.retries, 1);
            attempt += 1;
        }
    }

    async fn send_once<A: Authorizer<T>>(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Bytes>, Error> {
        let mut timeout = self.client.retry_policy.attempt_timeout;
        if let Some(deadline) = self.deadline {
            timeout = timeout.min(deadline.saturating_sub(self.now()));
            if timeout.is_zero() {
                return Err(Error::new(ErrorKind::DeadlineExceeded));
            }
        }
        self.count(A::counter, 1);
        let response = self
            .client
            .transport
            .send(request, timeout)
            .await
            .map_err(|error| Error::from_transport(&error))?;
        self.client.record_service_time(&response);
        Ok(response)
    }

    /// Waits for a permit of the client's rate limiter, then of the shared one, whose
    /// permits are valid for a few seconds.
    async fn acquire_permit(&self) -> Result<(), Error> {
        let rate_limiter = &self.client.rate_limiter;
        let wait = rate_limiter.reserve_permit(self.now(), self.deadline).map_err(rate_limit_error)?;
        self.wait_for_permit(wait).await.inspect_err(|_| rate_limiter.return_permit())
    }

    async fn wait_for_permit(&self, mut wait: Duration) -> Result<(), Error> {
        loop {
            while !wait.is_zero() {
                self.wait(wait).await.map_err(|_| rate_limit_error(wait))?;
                // The service may have throttled another caller meanwhile.
                wait = self.client.rate_limiter.remaining_pause(self.now());
            }
            let Some(shared) = &self.client.shared_rate_limiter else { return Ok(()) };
            let waited = shared.acquire_permit(self.deadline).await.map_err(rate_limit_error)?;
            self.count(|counters| &counters.wait_time_ms, waited.as_millis() as u64);
            // Likewise here. After such a pause the shared permit may be invalid.
            wait = self.client.rate_limiter.remaining_pause(self.now());
            if wait.is_zero() {
                return Ok(());
            }
        }
    }

    /// Completes at the deadline, or never without one.
    pub(crate) async fn deadline_reached(&self) {
        match self.deadline {
            Some(deadline) => self.client.transport.sleep(deadline.saturating_sub(self.now())).await,
            None => std::future::pending().await,
        }
    }

    async fn wait(&self, wait: Duration) -> Result<(), Error> {
        if wait.is_zero() {
            return Ok(());
        }
        if self.deadline.is_some_and(|deadline| self.now() + wait >= deadline) {
            return Err(Error::new(ErrorKind::DeadlineExceeded));
        }
        self.count(|counters| &counters.wait_time_ms, wait.as_millis() as u64);
        self.client.transport.sleep(wait).await;
        Ok(())
    }

    fn count(&self, counter: impl Fn(&RequestCounters) -> &AtomicU64, increment: u64) {
        counter(&self.client.counters).fetch_add(increment, Ordering::Relaxed);
        if let Some(tenant) = self.tenant_counters {
            counter(tenant).fetch_add(increment, Ordering::Relaxed);
        }
    }
}

fn rate_limit_error(wait: Duration) -> Error {
    Error::new(ErrorKind::DeadlineExceeded)
        .with_retry_after(Some(wait))
        .with_message("the rate limit of the credential is exhausted until then")
}

/// Parses a response, and stores the result for its caller.
type ResponseParser<'r> = &'r mut (dyn FnMut(&http::Response<Bytes>) -> Result<(), Error> + Send);

/// The authorization of a request. It is a trait, so that the future of a request does
/// not contain the one of the token that it needs.
trait Authorizer<T: Transport>: Sync {
    /// Whether there can be another token after a rejection.
    const CAN_RENEW: bool = false;

    fn authorize(
        &self,
        context: &RequestContext<'_, T>,
    ) -> impl Future<Output = Result<Option<IssuedToken>, Error>> + Send;

    /// The counter of its requests.
    fn counter(counters: &RequestCounters) -> &AtomicU64;
}

/// The session's token, within the rate limit.
struct SessionToken;

impl<T: Transport> Authorizer<T> for SessionToken {
    const CAN_RENEW: bool = true;

    async fn authorize(&self, context: &RequestContext<'_, T>) -> Result<Option<IssuedToken>, Error> {
        context.acquire_permit().await?;
        // Boxed: most requests find a cached token and do not need this future.
        Box::pin(context.client.session.token(context)).await.map(Some)
    }

    fn counter(counters: &RequestCounters) -> &AtomicU64 {
        &counters.api_requests
    }
}

/// A token that is not stored in the session yet, within the rate limit.
struct ProvidedToken<'t>(&'t IssuedToken);

impl<T: Transport> Authorizer<T> for ProvidedToken<'_> {
    async fn authorize(&self, context: &RequestContext<'_, T>) -> Result<Option<IssuedToken>, Error> {
        context.acquire_permit().await?;
        Ok(Some(self.0.clone()))
    }

    fn counter(counters: &RequestCounters) -> &AtomicU64 {
        &counters.api_requests
    }
}

/// The secret in the body of a token request.
struct SecretInBody;

impl<T: Transport> Authorizer<T> for SecretInBody {
    async fn authorize(&self, _: &RequestContext<'_, T>) -> Result<Option<IssuedToken>, Error> {
        Ok(None)
    }

    fn counter(counters: &RequestCounters) -> &AtomicU64 {
        &counters.token_requests
    }
}

/// The `Authorization` header of a token, hidden from debug output.
pub(crate) fn bearer_header(token: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    header.set_sensitive(true);
    Some(header)
}
