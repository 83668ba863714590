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
    budget::{Budget, RateBudget},
    credential_source::CredentialSource,
    error::{Error, ErrorKind},
    hosts::Hosts,
    operation::{Operation, Route, Target},
    operations::token::RequestToken,
    retry::{Jitter, RetryPolicy, date, retry_after},
    scrub::Scrubber,
    session::{Session, Token},
    shared_budget::SharedBudget,
    stats::Counters,
    sync::lock,
    transport::Transport,
};

/// What all handles of a client have in common.
pub(crate) struct Shared<T> {
    pub(crate) transport: T,
    pub(crate) source: Arc<dyn CredentialSource>,
    pub(crate) hosts: Hosts,
    budget: Budget,
    shared_budget: Option<Arc<dyn SharedBudget>>,
    retry: RetryPolicy,
    jitter: Jitter,
    pub(crate) session: Session,
    pub(crate) counters: Counters,
    /// Knows the credentials and tokens that are in use.
    pub(crate) scrubber: Scrubber,
    /// The service's time, and ours when it said so.
    service_clock: Mutex<Option<(Duration, Duration)>>,
}

impl<T: Transport> Shared<T> {
    pub(crate) fn new(
        transport: T,
        source: Arc<dyn CredentialSource>,
        hosts: Hosts,
        budget: RateBudget,
        shared_budget: Option<Arc<dyn SharedBudget>>,
        retry: RetryPolicy,
    ) -> Self {
        Self {
            transport,
            source,
            hosts,
            budget: Budget::new(budget),
            shared_budget,
            retry,
            jitter: Jitter::default(),
            session: Session::default(),
            counters: Counters::default(),
            scrubber: Scrubber::default(),
            service_clock: Mutex::new(None),
        }
    }

    pub(crate) fn service_time(&self) -> Option<Duration> {
        let (service, ours) = (*lock(&self.service_clock))?;
        Some(service + self.transport.now().saturating_sub(ours))
    }

    fn note_time(&self, response: &http::Response<Bytes>) {
        if let Some(service) = date(response.headers()) {
            let now = self.transport.now();
            *lock(&self.service_clock) = Some((service, now));
        }
    }
}

/// One caller's view: the shared parts, its deadline, and whose calls it makes.
pub(crate) struct Context<'a, T> {
    shared: &'a Shared<T>,
    deadline: Option<Duration>,
    tenant: Option<&'a Counters>,
}

impl<'a, T: Transport> Context<'a, T> {
    pub(crate) fn new(
        shared: &'a Shared<T>,
        deadline: Option<Duration>,
        tenant: Option<&'a Counters>,
    ) -> Self {
        Self { shared, deadline, tenant }
    }

    pub(crate) fn now(&self) -> Duration {
        self.shared.transport.now()
    }

    pub(crate) fn hosts(&self) -> &Hosts {
        &self.shared.hosts
    }

    pub(crate) fn scrubber(&self) -> &Scrubber {
        &self.shared.scrubber
    }

    pub(crate) fn source(&self) -> &dyn CredentialSource {
        self.shared.source.as_ref()
    }

    /// Sends an operation of the API, with a token and inside the budget.
    pub(crate) async fn call<O: Operation>(
        &self,
        operation: &O,
        target: &Target,
    ) -> Result<O::Response, Error> {
        self.run(operation, target, &WithToken).await
    }

    /// Sends an operation with this very token, within the budget.
    pub(crate) async fn call_with<O: Operation>(
        &self,
        operation: &O,
        target: &Target,
        token: &Token,
    ) -> Result<O::Response, Error> {
        self.run(operation, target, &Given(token)).await
    }

    /// Asks the identity service for a token.
    pub(crate) async fn request_token(
        &self,
        operation: &RequestToken<'_>,
    ) -> Result<<RequestToken<'static> as Operation>::Response, Error> {
        let target = Target::host(self.shared.hosts.identity().clone());
        self.run(operation, &target, &WithSecret).await
    }

    async fn run<O: Operation, A: Authority<T>>(
        &self,
        operation: &O,
        target: &Target,
        authority: &A,
    ) -> Result<O::Response, Error> {
        let describe = |error: Error| self.describe(error, &O::ROUTE, target);
        let bare = operation.to_request(target).map_err(describe)?;
        let mut answer = None;
        let read = &mut |response: &http::Response<Bytes>| {
            answer = Some(O::read(response)?);
            Ok(())
        };
        self.repeat(bare, &O::ROUTE, target, authority, read).await?;
        answer.ok_or_else(|| describe(Error::new(ErrorKind::Malformed)))
    }

    fn describe(&self, error: Error, route: &Route, target: &Target) -> Error {
        let error = error.with_operation(route.to_string());
        // First of all: what is shown of an error is cut.
        error.with_tenant(self.tenant.and(target.id.as_deref())).scrubbed(self.scrubber())
    }

    /// Sends a request until its answer can be read, or there is no use in
    /// repeating it. Knows no operation, so that it is compiled once.
    async fn repeat<A: Authority<T>>(
        &self,
        bare: http::Request<Vec<u8>>,
        route: &Route,
        target: &Target,
        authority: &A,
        read: Reading<'_>,
    ) -> Result<(), Error> {
        let describe = |error: Error| self.describe(error, route, target);
        let mut renewed = false;
        let mut attempt = 1;
        loop {
            let token = authority.authorise(self).await.map_err(describe)?;
            let mut request = bare.clone();
            if let Some(header) = token.as_ref().and_then(|token| token.header.clone()) {
                request.headers_mut().insert(header::AUTHORIZATION, header);
            }
            let outcome = match self.exchange::<A>(request).await {
                Ok(response) => read(&response)
                    .map_err(|error| error.with_retry_after(retry_after(response.headers(), self.now()))),
                Err(error) => Err(error),
            };
            let error = match outcome {
                Ok(()) => return Ok(()),
                Err(error) => describe(error),
            };
            if let Some(token) = token.filter(|_| A::RENEWS && error.status() == Some(401) && !renewed) {
                renewed = true;
                self.shared.session.refused(&token);
                continue;
            }
            let asked = error.retry_after();
            let random = self.shared.retry.wait(attempt, &self.shared.jitter, self.now());
            let throttled = error.kind() == ErrorKind::Throttled;
            if throttled {
                self.count(|counters| &counters.throttled, 1);
                // The limit is the credential's: everybody steps back, and not
                // only who was refused.
                let pause = asked.unwrap_or(random).min(self.shared.retry.longest_retry_after);
                self.shared.budget.pause(self.now() + pause);
            }
            let patient = asked.is_none_or(|asked| asked <= self.shared.retry.longest_retry_after);
            if attempt >= self.shared.retry.attempts
                || !patient
                || !self.shared.retry.allows(&error, route.repeatable)
            {
                return Err(error);
            }
            self.wait(asked.unwrap_or(random)).await.map_err(|_| {
                let wait = asked.filter(|_| throttled);
                describe(Error::new(ErrorKind::Deadline).with_retry_after(wait))
                    .with_message(format!("after {attempt} attempts, the last: {error}"))
            })?;
            self.count(|counters| &counters.retries, 1);
            attempt += 1;
        }
    }

    async fn exchange<A: Authority<T>>(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Bytes>, Error> {
        let mut timeout = self.shared.retry.attempt_timeout;
        if let Some(deadline) = self.deadline {
            timeout = timeout.min(deadline.saturating_sub(self.now()));
            if timeout.is_zero() {
                return Err(Error::new(ErrorKind::Deadline));
            }
        }
        self.count(A::counter, 1);
        let response =
            self.shared.transport.send(request, timeout).await.map_err(|error| Error::transport(&error))?;
        self.shared.note_time(&response);
        Ok(response)
    }

    /// Waits for this request's turn in the credential's budget: in the client's
    /// own first, since a turn in the shared one is good for some seconds only.
    async fn turn(&self) -> Result<(), Error> {
        let budget = &self.shared.budget;
        let wait = budget.take(self.now(), self.deadline).map_err(spent)?;
        self.turn_after(wait).await.inspect_err(|_| budget.give_back())
    }

    async fn turn_after(&self, mut wait: Duration) -> Result<(), Error> {
        loop {
            while !wait.is_zero() {
                self.wait(wait).await.map_err(|_| spent(wait))?;
                // While this caller waited, the service may have held everybody back.
                wait = self.shared.budget.pause_left(self.now());
            }
            let Some(shared) = &self.shared.shared_budget else { return Ok(()) };
            let waited = shared.turn(self.deadline).await.map_err(spent)?;
            self.count(|counters| &counters.waited_ms, waited.as_millis() as u64);
            // And meanwhile as well. After that the turn may be none any more.
            wait = self.shared.budget.pause_left(self.now());
            if wait.is_zero() {
                return Ok(());
            }
        }
    }

    /// Comes when the deadline does; without one, never.
    pub(crate) async fn time_is_up(&self) {
        match self.deadline {
            Some(deadline) => self.shared.transport.sleep(deadline.saturating_sub(self.now())).await,
            None => std::future::pending().await,
        }
    }

    async fn wait(&self, wait: Duration) -> Result<(), Error> {
        if wait.is_zero() {
            return Ok(());
        }
        if self.deadline.is_some_and(|deadline| self.now() + wait >= deadline) {
            return Err(Error::new(ErrorKind::Deadline));
        }
        self.count(|counters| &counters.waited_ms, wait.as_millis() as u64);
        self.shared.transport.sleep(wait).await;
        Ok(())
    }

    fn count(&self, which: impl Fn(&Counters) -> &AtomicU64, more: u64) {
        which(&self.shared.counters).fetch_add(more, Ordering::Relaxed);
        if let Some(tenant) = self.tenant {
            which(tenant).fetch_add(more, Ordering::Relaxed);
        }
    }
}

fn spent(wait: Duration) -> Error {
    Error::new(ErrorKind::Deadline)
        .with_retry_after(Some(wait))
        .with_message("the rate budget of the credential is spent until then")
}

/// Reads an answer and puts it where its caller wants it.
type Reading<'r> = &'r mut (dyn FnMut(&http::Response<Bytes>) -> Result<(), Error> + Send);

/// What a request is let in by. Several cases, so that the loop of a request
/// that needs a token does not contain itself.
trait Authority<T: Transport>: Sync {
    /// Whether another token can be had when one is refused.
    const RENEWS: bool = false;

    fn authorise(
        &self,
        context: &Context<'_, T>,
    ) -> impl Future<Output = Result<Option<Token>, Error>> + Send;

    /// Where its requests are counted.
    fn counter(counters: &Counters) -> &AtomicU64;
}

/// A token, within the budget.
struct WithToken;

impl<T: Transport> Authority<T> for WithToken {
    const RENEWS: bool = true;

    async fn authorise(&self, context: &Context<'_, T>) -> Result<Option<Token>, Error> {
        context.turn().await?;
        // Most requests find a token: what obtains one is not a part of each of them.
        Box::pin(context.shared.session.token(context)).await.map(Some)
    }

    fn counter(counters: &Counters) -> &AtomicU64 {
        &counters.calls
    }
}

/// A token that is not the session's yet, within the budget.
struct Given<'t>(&'t Token);

impl<T: Transport> Authority<T> for Given<'_> {
    async fn authorise(&self, context: &Context<'_, T>) -> Result<Option<Token>, Error> {
        context.turn().await?;
        Ok(Some(self.0.clone()))
    }

    fn counter(counters: &Counters) -> &AtomicU64 {
        &counters.calls
    }
}

/// The secret in the body, to the identity service.
struct WithSecret;

impl<T: Transport> Authority<T> for WithSecret {
    async fn authorise(&self, _: &Context<'_, T>) -> Result<Option<Token>, Error> {
        Ok(None)
    }

    fn counter(counters: &Counters) -> &AtomicU64 {
        &counters.token_requests
    }
}

/// `Bearer` and the token, marked so that no debug output shows it.
pub(crate) fn bearer(token: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::try_from(format!("Bearer {token}")).ok()?;
    header.set_sensitive(true);
    Some(header)
}
