//! Requests with the token of a session.

use std::{sync::atomic::AtomicU64, time::Duration};

use bytes::Bytes;
use http::HeaderValue;

use crate::{
    error::Error,
    identity::Identity,
    models::IdType,
    operation::{Operation, RequestTarget, Route},
    send_with_retry::Authorizer,
    sender::SendContext,
    session::{IssuedToken, Session},
    stats::RequestCounters,
    transport::Transport,
};

/// A session, with the deadline and the counters of one caller.
pub(crate) struct RequestContext<'a, T> {
    session: &'a Session,
    send: SendContext<'a, T>,
}

impl<'a, T: Transport> RequestContext<'a, T> {
    pub(crate) fn new(session: &'a Session, send: SendContext<'a, T>) -> Self {
        Self { session, send }
    }

    pub(crate) fn now(&self) -> Duration {
        self.send.now()
    }

    /// Completes at the deadline, or never without one.
    pub(crate) async fn deadline_reached(&self) {
        self.send.deadline_reached().await;
    }

    /// The owner of the credential, which is requested once.
    pub(crate) async fn identity(&self) -> Result<Identity, Error> {
        self.session.identity(&self.send).await
    }

    /// Sends an operation of the API.
    pub(crate) async fn send<O: Operation>(
        &self,
        operation: &O,
        target: &RequestTarget,
    ) -> Result<O::Response, Error> {
        self.send_and_parse(operation, target, O::parse_response).await
    }

    /// Sends an operation of the API, and parses its response by another function.
    pub(crate) async fn send_and_parse<O: Operation, R: Send>(
        &self,
        operation: &O,
        target: &RequestTarget,
        parse: fn(&http::Response<Bytes>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        self.send.execute(operation, target, SessionToken::new(self.session), parse).await
    }

    /// Sends an operation that is chosen at run time.
    #[cfg(feature = "catalog")]
    pub(crate) async fn send_described<R: serde::de::DeserializeOwned + Send>(
        &self,
        described: &crate::catalog::DescribedRequest,
        target: &RequestTarget,
    ) -> Result<R, Error> {
        let route = described.route();
        let request = described.to_request(target).map_err(|error| self.annotate(error, route, target))?;
        let token = SessionToken::new(self.session);
        self.send.execute_request(request, route, target, token, crate::operation::parse_json_or_null).await
    }

    /// Adds the operation, the tenant and the access that it takes to an error.
    pub(crate) fn annotate(&self, error: Error, route: &Route, target: &RequestTarget) -> Error {
        self.send.annotate(error, route, target, self.session.credential_type())
    }
}

/// The session's token, within the rate limit.
struct SessionToken<'s> {
    session: &'s Session,
    current: Option<IssuedToken>,
    /// Whether the service has rejected a token of this request.
    renewed: bool,
}

impl<'s> SessionToken<'s> {
    fn new(session: &'s Session) -> Self {
        Self { session, current: None, renewed: false }
    }
}

impl<T: Transport> Authorizer<T> for SessionToken<'_> {
    async fn authorize(&mut self, context: &SendContext<'_, T>) -> Result<Option<HeaderValue>, Error> {
        context.acquire_permit().await?;
        // Boxed: most requests find a cached token and do not need this future.
        let token = Box::pin(self.session.token(context)).await?;
        let header = token.header.clone();
        self.current = Some(token);
        Ok(header)
    }

    fn drop_rejected(&mut self) -> bool {
        let Some(token) = self.current.take().filter(|_| !self.renewed) else { return false };
        self.session.invalidate_token(&token);
        self.renewed = true;
        true
    }

    fn credential_type(&self) -> Option<IdType> {
        self.session.credential_type()
    }

    fn counter(counters: &RequestCounters) -> &AtomicU64 {
        &counters.api_requests
    }
}
