//! Sending of operations with an authorization, until the response can be parsed or a
//! retry is not permitted. This layer knows no session.

use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use http::{HeaderValue, header};

use crate::{
    access::RequiredAccess,
    error::Error,
    error_kind::ErrorKind,
    models::IdType,
    operation::{ApiHost, Operation, RequestTarget, Route},
    retry::parse_retry_after,
    sender::SendContext,
    stats::RequestCounters,
    transport::Transport,
};

/// The authorization of a request. It is a trait, so that the future of a request does
/// not contain the one of the token that it needs.
pub(crate) trait Authorizer<T: Transport>: Send {
    /// Authorizes the next attempt, and returns its `Authorization` header if it has one.
    fn authorize(
        &mut self,
        context: &SendContext<'_, T>,
    ) -> impl Future<Output = Result<Option<HeaderValue>, Error>> + Send;

    /// Drops an authorization that the service rejected. Returns whether another attempt
    /// may have a different one.
    fn drop_rejected(&mut self) -> bool {
        false
    }

    /// The type of the credential, if it is known.
    fn credential_type(&self) -> Option<IdType>;

    /// The counter of its requests.
    fn counter(counters: &RequestCounters) -> &AtomicU64;
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
    async fn authorize(&mut self, context: &SendContext<'_, T>) -> Result<Option<HeaderValue>, Error> {
        context.acquire_permit().await?;
        Ok(self.header.clone())
    }

    fn credential_type(&self) -> Option<IdType> {
        self.credential_type.clone()
    }

    fn counter(counters: &RequestCounters) -> &AtomicU64 {
        &counters.api_requests
    }
}

/// The secret in the body of a token request, which the rate limit does not cover.
pub(crate) struct SecretInBody;

impl<T: Transport> Authorizer<T> for SecretInBody {
    async fn authorize(&mut self, _: &SendContext<'_, T>) -> Result<Option<HeaderValue>, Error> {
        Ok(None)
    }

    fn credential_type(&self) -> Option<IdType> {
        None
    }

    fn counter(counters: &RequestCounters) -> &AtomicU64 {
        &counters.token_requests
    }
}

/// Parses a response, and stores the result for its caller.
type ResponseParser<'r> = &'r mut (dyn FnMut(&http::Response<Bytes>) -> Result<(), Error> + Send);

impl<T: Transport> SendContext<'_, T> {
    /// Sends an operation, and parses its response.
    pub(crate) async fn execute<O: Operation, A: Authorizer<T>, R: Send>(
        &self,
        operation: &O,
        target: &RequestTarget,
        authorizer: A,
        parse_response: fn(&http::Response<Bytes>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let request = operation
            .to_request(target)
            .map_err(|error| self.annotate(error, &O::ROUTE, target, authorizer.credential_type()))?;
        self.execute_request(request, &O::ROUTE, target, authorizer, parse_response).await
    }

    /// Sends the request of an operation, and parses its response.
    pub(crate) async fn execute_request<R: Send, A: Authorizer<T>>(
        &self,
        request: http::Request<Vec<u8>>,
        route: &Route,
        target: &RequestTarget,
        mut authorizer: A,
        parse_response: fn(&http::Response<Bytes>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let mut parsed = None;
        let parse = &mut |response: &http::Response<Bytes>| {
            parsed = Some(parse_response(response)?);
            Ok(())
        };
        // Boxed: the futures of all operations hold a pointer in place of it.
        Box::pin(self.send_with_retry(request, route, target, &mut authorizer, parse)).await?;
        let malformed = || Error::new(ErrorKind::Malformed);
        parsed.ok_or_else(|| self.annotate(malformed(), route, target, authorizer.credential_type()))
    }

    /// Sends a request until its response can be parsed, or a retry is not permitted.
    /// It is not generic over the operation, so that it is compiled once.
    async fn send_with_retry<A: Authorizer<T>>(
        &self,
        unauthorized: http::Request<Vec<u8>>,
        route: &Route,
        target: &RequestTarget,
        authorizer: &mut A,
        parse: ResponseParser<'_>,
    ) -> Result<(), Error> {
        let describe =
            |error: Error, authorizer: &A| self.annotate(error, route, target, authorizer.credential_type());
        let policy = &self.sender.retry_policy;
        let mut attempt = 1;
        loop {
            let header = authorizer.authorize(self).await.map_err(|error| describe(error, authorizer))?;
            let mut request = unauthorized.clone();
            if let Some(header) = header {
                request.headers_mut().insert(header::AUTHORIZATION, header);
            }
            let result = match self.send_once(request, A::counter).await {
                Ok(response) => parse(&response).map_err(|error| {
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
