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
    credential_source::CredentialSource,
    error::{Error, ErrorKind},
    hosts::Hosts,
    operation::{Operation, RequestTarget, Route},
    operations::token::RequestToken,
    rate_limit::{RateLimit, RateLimiter},
    retry::{Jitter, RetryPolicy, parse_date, parse_retry_after},
    scrub::Scrubber,
    session::{IssuedToken, Session},
    shared_rate_limiter::SharedRateLimiter,
    stats::RequestCounters,
    sync::lock,
    transport::Transport,
};

/// What all handles of a client have in common.
pub(crate) struct ClientInner<T> {
    pub(crate) transport: T,
    pub(crate) source: Arc<dyn CredentialSource>,
    pub(crate) hosts: Hosts,
    rate_limiter: RateLimiter,
    shared_rate_limiter: Option<Arc<dyn SharedRateLimiter>>,
    retry_policy: RetryPolicy,
    jitter: Jitter,
    pub(crate) session: Session,
    pub(crate) counters: RequestCounters,
    /// Knows the credentials and tokens that are in use.
    pub(crate) scrubber: Scrubber,
    /// The service's time, and ours when it said so.
    service_clock: Mutex<Option<(Duration, Duration)>>,
}

impl<T: Transport> ClientInner<T> {
    pub(crate) fn new(
        transport: T,
        source: Arc<dyn CredentialSource>,
        hosts: Hosts,
        budget: RateLimit,
        shared_budget: Option<Arc<dyn SharedRateLimiter>>,
        retry: RetryPolicy,
    ) -> Self {
        Self {
            transport,
            source,
            hosts,
            rate_limiter: RateLimiter::new(budget),
            shared_rate_limiter: shared_budget,
            retry_policy: retry,
            jitter: Jitter::default(),
            session: Session::default(),
            counters: RequestCounters::default(),
            scrubber: Scrubber::default(),
            service_clock: Mutex::new(None),
        }
    }

    pub(crate) fn service_time(&self) -> Option<Duration> {
        let (service, ours) = (*lock(&self.service_clock))?;
        Some(service + self.transport.now().saturating_sub(ours))
    }

    fn record_service_time(&self, response: &http::Response<Bytes>) {
        if let Some(service) = parse_date(response.headers()) {
            let now = self.transport.now();
            *lock(&self.service_clock) = Some((service, now));
        }
    }
}

/// One caller's view: the shared parts, its deadline, and whose calls it makes.
pub(crate) struct RequestContext<'a, T> {
    client: &'a ClientInner<T>,
    deadline: Option<Duration>,
    tenant_counters: Option<&'a RequestCounters>,
}

impl<'a, T: Transport> RequestContext<'a, T> {
    pub(crate) fn new(
        shared: &'a ClientInner<T>,
        deadline: Option<Duration>,
        tenant: Option<&'a RequestCounters>,
    ) -> Self {
        Self { client: shared, deadline, tenant_counters: tenant }
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

    /// Sends an operation of the API, with a token and inside the budget.
    pub(crate) async fn send<O: Operation>(
        &self,
        operation: &O,
        target: &RequestTarget,
    ) -> Result<O::Response, Error> {
        self.execute(operation, target, &SessionToken).await
    }

    /// Sends an operation with this very token, within the budget.
    pub(crate) async fn send_with_token<O: Operation>(
        &self,
        operation: &O,
        target: &RequestTarget,
        token: &IssuedToken,
    ) -> Result<O::Response, Error> {
        self.execute(operation, target, &ProvidedToken(token)).await
    }

    /// Asks the identity service for a token.
    pub(crate) async fn request_token(
        &self,
        operation: &RequestToken<'_>,
    ) -> Result<<RequestToken<'static> as Operation>::Response, Error> {
        let target = RequestTarget::new(self.client.hosts.identity().clone());
        self.execute(operation, &target, &SecretInBody).await
    }

    async fn execute<O: Operation, A: Authorizer<T>>(
        &self,
        operation: &O,
        target: &RequestTarget,
        authority: &A,
    ) -> Result<O::Response, Error> {
        let describe = |error: Error| self.annotate(error, &O::ROUTE, target);
        let bare = operation.to_request(target).map_err(describe)?;
        let mut answer = None;
        let read = &mut |response: &http::Response<Bytes>| {
            answer = Some(O::parse_response(response)?);
            Ok(())
        };
        self.send_with_retry(bare, &O::ROUTE, target, authority, read).await?;
        answer.ok_or_else(|| describe(Error::new(ErrorKind::Malformed)))
    }

    fn annotate(&self, error: Error, route: &Route, target: &RequestTarget) -> Error {
        let error = error.with_operation(route.to_string());
        // First of all: what is shown of an error is cut.
        error.with_tenant_id(self.tenant_counters.and(target.id.as_deref())).scrubbed(self.scrubber())
    }

    /// Sends a request until its answer can be read, or there is no use in
    /// repeating it. Knows no operation, so that it is compiled once.
    async fn send_with_retry<A: Authorizer<T>>(
        &self,
        bare: http::Request<Vec<u8>>,
        route: &Route,
        target: &RequestTarget,
        authority: &A,
        read: ResponseParser<'_>,
    ) -> Result<(), Error> {
        let describe = |error: Error| self.annotate(error, route, target);
        let mut renewed = false;
        let mut attempt = 1;
        loop {
            let token = authority.authorize(self).await.map_err(describe)?;
            let mut request = bare.clone();
            if let Some(header) = token.as_ref().and_then(|token| token.header.clone()) {
                request.headers_mut().insert(header::AUTHORIZATION, header);
            }
            let outcome = match self.send_once::<A>(request).await {
                Ok(response) => read(&response).map_err(|error| {
                    error.with_retry_after(parse_retry_after(response.headers(), self.now()))
                }),
                Err(error) => Err(error),
            };
            let error = match outcome {
                Ok(()) => return Ok(()),
                Err(error) => describe(error),
            };
            if let Some(token) = token.filter(|_| A::CAN_RENEW && error.status() == Some(401) && !renewed) {
                renewed = true;
                self.client.session.invalidate_token(&token);
                continue;
            }
            let asked = error.retry_after();
            let random = self.client.retry_policy.backoff(attempt, &self.client.jitter, self.now());
            let throttled = error.kind() == ErrorKind::Throttled;
            if throttled {
                self.count(|counters| &counters.throttled, 1);
                // The limit is the credential's: everybody steps back, and not
                // only who was refused.
                let pause = asked.unwrap_or(random).min(self.client.retry_policy.max_retry_after);
                self.client.rate_limiter.pause_until(self.now() + pause);
            }
            let patient = asked.is_none_or(|asked| asked <= self.client.retry_policy.max_retry_after);
            if attempt >= self.client.retry_policy.max_attempts
                || !patient
                || !self.client.retry_policy.should_retry(&error, route.idempotent)
            {
                return Err(error);
            }
            self.wait(asked.unwrap_or(random)).await.map_err(|_| {
                let wait = asked.filter(|_| throttled);
                describe(Error::new(ErrorKind::DeadlineExceeded).with_retry_after(wait))
                    .with_message(format!("after {attempt} attempts, the last: {error}"))
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

    /// Waits for this request's turn in the credential's budget: in the client's
    /// own first, since a turn in the shared one is good for some seconds only.
    async fn acquire_permit(&self) -> Result<(), Error> {
        let budget = &self.client.rate_limiter;
        let wait = budget.reserve_permit(self.now(), self.deadline).map_err(rate_limit_error)?;
        self.wait_for_permit(wait).await.inspect_err(|_| budget.return_permit())
    }

    async fn wait_for_permit(&self, mut wait: Duration) -> Result<(), Error> {
        loop {
            while !wait.is_zero() {
                self.wait(wait).await.map_err(|_| rate_limit_error(wait))?;
                // While this caller waited, the service may have held everybody back.
                wait = self.client.rate_limiter.remaining_pause(self.now());
            }
            let Some(shared) = &self.client.shared_rate_limiter else { return Ok(()) };
            let waited = shared.acquire_permit(self.deadline).await.map_err(rate_limit_error)?;
            self.count(|counters| &counters.wait_time_ms, waited.as_millis() as u64);
            // And meanwhile as well. After that the turn may be none any more.
            wait = self.client.rate_limiter.remaining_pause(self.now());
            if wait.is_zero() {
                return Ok(());
            }
        }
    }

    /// Comes when the deadline does; without one, never.
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

    fn count(&self, which: impl Fn(&RequestCounters) -> &AtomicU64, more: u64) {
        which(&self.client.counters).fetch_add(more, Ordering::Relaxed);
        if let Some(tenant) = self.tenant_counters {
            which(tenant).fetch_add(more, Ordering::Relaxed);
        }
    }
}

fn rate_limit_error(wait: Duration) -> Error {
    Error::new(ErrorKind::DeadlineExceeded)
        .with_retry_after(Some(wait))
        .with_message("the rate budget of the credential is spent until then")
}

/// Reads an answer and puts it where its caller wants it.
type ResponseParser<'r> = &'r mut (dyn FnMut(&http::Response<Bytes>) -> Result<(), Error> + Send);

/// What a request is let in by. Several cases, so that the loop of a request
/// that needs a token does not contain itself.
trait Authorizer<T: Transport>: Sync {
    /// Whether another token can be had when one is refused.
    const CAN_RENEW: bool = false;

    fn authorize(
        &self,
        context: &RequestContext<'_, T>,
    ) -> impl Future<Output = Result<Option<IssuedToken>, Error>> + Send;

    /// Where its requests are counted.
    fn counter(counters: &RequestCounters) -> &AtomicU64;
}

/// A token, within the budget.
struct SessionToken;

impl<T: Transport> Authorizer<T> for SessionToken {
    const CAN_RENEW: bool = true;

    async fn authorize(&self, context: &RequestContext<'_, T>) -> Result<Option<IssuedToken>, Error> {
        context.acquire_permit().await?;
        // Most requests find a token: what obtains one is not a part of each of them.
        Box::pin(context.client.session.token(context)).await.map(Some)
    }

    fn counter(counters: &RequestCounters) -> &AtomicU64 {
        &counters.api_requests
    }
}

/// A token that is not the session's yet, within the budget.
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

/// The secret in the body, to the identity service.
struct SecretInBody;

impl<T: Transport> Authorizer<T> for SecretInBody {
    async fn authorize(&self, _: &RequestContext<'_, T>) -> Result<Option<IssuedToken>, Error> {
        Ok(None)
    }

    fn counter(counters: &RequestCounters) -> &AtomicU64 {
        &counters.token_requests
    }
}

/// `Bearer` and the token, marked so that no debug output shows it.
pub(crate) fn bearer_header(token: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    header.set_sensitive(true);
    Some(header)
}
