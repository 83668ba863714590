//! Sending of operations with an authorization, until the response can be parsed or a
//! retry is not permitted. This layer knows no session.

use std::{future::ready, sync::atomic::AtomicU64};

use http::{HeaderValue, header};

use crate::{
    BoxFuture,
    error::{Error, ErrorKind},
    models::IdType,
    operation::{ApiHost, RequestTarget, RequiredAccess, Route},
    send::{Exchange, RequestCounters, SendContext, retry_policy::parse_retry_after},
    transport::Transport,
};

/// The authorization of a request. It is a trait, so that the future of a request does
/// not contain the one of the token that it needs.
pub(crate) trait Authorizer<T: Transport>: Send {
    /// Authorizes the next attempt, and returns its `Authorization` header if it has one.
    fn authorize<'a>(
        &'a mut self,
        context: &'a SendContext<'_, T>,
    ) -> BoxFuture<'a, Result<Option<HeaderValue>, Error>>;

    /// Drops an authorization that the service rejected. Returns whether another attempt
    /// may have a different one.
    fn drop_rejected(&mut self) -> bool {
        false
    }

    /// The type of the credential, if it is known.
    fn credential_type(&self) -> Option<IdType>;

    /// The counter of its requests.
    fn counter(&self) -> fn(&RequestCounters) -> &AtomicU64;
}

/// A header that another attempt cannot change, within the rate limit.
pub(crate) struct FixedHeader {
    header: Option<HeaderValue>,
    credential_type: Option<IdType>,
}

impl FixedHeader {
    pub(crate) fn new(header: Option<HeaderValue>, credential_type: Option<IdType>) -> Self {
        Self { header, credential_type }
    }
}

impl<T: Transport> Authorizer<T> for FixedHeader {
    fn authorize<'a>(
        &'a mut self,
        context: &'a SendContext<'_, T>,
    ) -> BoxFuture<'a, Result<Option<HeaderValue>, Error>> {
        Box::pin(async {
            context.acquire_permit().await?;
            Ok(self.header.clone())
        })
    }

    fn credential_type(&self) -> Option<IdType> {
        self.credential_type.clone()
    }

    fn counter(&self) -> fn(&RequestCounters) -> &AtomicU64 {
        |counters| &counters.api_requests
    }
}

/// The secret in the body of a token request, which the rate limit does not cover.
pub(crate) struct SecretInBody;

impl<T: Transport> Authorizer<T> for SecretInBody {
    fn authorize<'a>(
        &'a mut self,
        _: &'a SendContext<'_, T>,
    ) -> BoxFuture<'a, Result<Option<HeaderValue>, Error>> {
        Box::pin(ready(Ok(None)))
    }

    fn credential_type(&self) -> Option<IdType> {
        None
    }

    fn counter(&self) -> fn(&RequestCounters) -> &AtomicU64 {
        |counters| &counters.token_requests
    }
}

impl<T: Transport> SendContext<'_, T> {
    /// Sends an operation until its response can be parsed, or a retry is not permitted.
    ///
    /// The future is boxed, so that the ones of all operations hold a pointer to it.
    pub(crate) fn execute<'a>(
        &'a self,
        exchange: &'a mut dyn Exchange,
        target: &'a RequestTarget,
        authorizer: &'a mut dyn Authorizer<T>,
    ) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.send_with_retry(exchange, target, authorizer))
    }

    async fn send_with_retry(
        &self,
        exchange: &mut dyn Exchange,
        target: &RequestTarget,
        authorizer: &mut dyn Authorizer<T>,
    ) -> Result<(), Error> {
        let route = exchange.route();
        let describe = |error: Error, authorizer: &dyn Authorizer<T>| {
            self.annotate(error, route, target, authorizer.credential_type())
        };
        let unauthorized = exchange.to_request(target).map_err(|error| describe(error, authorizer))?;
        let policy = &self.sender.retry_policy;
        let mut attempt = 1;
        loop {
            let header = authorizer.authorize(self).await.map_err(|error| describe(error, authorizer))?;
            let mut request = unauthorized.clone();
            if let Some(header) = header {
                request.headers_mut().insert(header::AUTHORIZATION, header);
            }
            let result = match self.send_once(request, authorizer.counter()).await {
                Ok(response) => exchange.receive(&response).map_err(|error| {
                    error.with_retry_after(parse_retry_after(response.headers(), self.now()))
                }),
                Err(error) => Err(error),
            };
            let error = match result {
                Ok(()) => return Ok(()),
                Err(error) => describe(error, authorizer),
            };
            if error.status() == Some(401) && authorizer.drop_rejected() {
                continue;
            }
            let retry_after = error.retry_after();
            let backoff = policy.backoff(attempt, &self.sender.jitter, self.now());
            let throttled = error.kind() == ErrorKind::Throttled;
            if throttled {
                self.count(|counters| &counters.throttled, 1);
                // The limit is the credential's: all its callers pause.
                let pause = retry_after.unwrap_or(backoff).min(policy.max_retry_after);
                self.sender.rate_limiter.pause_until(self.now() + pause);
            }
            let is_short = retry_after.is_none_or(|wait| wait <= policy.max_retry_after);
            if attempt >= policy.max_attempts || !is_short || !policy.should_retry(&error, route.idempotent) {
                return Err(error);
            }
            self.wait(retry_after.unwrap_or(backoff)).await.map_err(|_| {
                let wait = retry_after.filter(|_| throttled);
                describe(Error::new(ErrorKind::DeadlineExceeded).with_retry_after(wait), authorizer)
                    .with_message(format!("after {attempt} attempts, the last error: {error}"))
            })?;
            self.count(|counters| &counters.retries, 1);
            attempt += 1;
        }
    }

    /// Adds the operation, the tenant and the access that it takes to an error, and
    /// removes secrets from it.
    pub(crate) fn annotate(
        &self,
        error: Error,
        route: &Route,
        target: &RequestTarget,
        credential: Option<IdType>,
    ) -> Error {
        let error = explain_access(error, route, credential).with_operation(route.to_string());
        // Scrubbed before the displayed texts are cut.
        error.with_tenant_id(self.tenant_counters.and(target.id.as_deref())).scrubbed(self.scrubber())
    }
}

/// Adds the access that the operation takes to an error for lack of it. A path without an
/// id cannot name a missing object, so its 404 is one as well.
fn explain_access(error: Error, route: &Route, credential: Option<IdType>) -> Error {
    match error.status() {
        Some(403) => {}
        Some(404) if !route.path.contains(':') => {}
        _ => return error,
    }
    if route.host == ApiHost::Identity {
        return error;
    }
    error.with_access(RequiredAccess::new(route).with_credential(credential))
}
