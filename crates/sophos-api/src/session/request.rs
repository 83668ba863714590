//! Requests with the token of a session.

use std::{sync::atomic::AtomicU64, time::Duration};

use http::HeaderValue;

use crate::{
    BoxFuture,
    error::Error,
    models::IdType,
    operation::{Operation, RequestTarget, Route},
    send::{Authorizer, Exchange, RequestCounters, SendContext, exchange_of},
    session::{Identity, IssuedToken, Session},
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
        let mut exchange = exchange_of(operation);
        self.execute(&mut exchange, target).await?;
        exchange.into_response()
    }

    /// Sends an operation of the API, whose types are unknown here.
    pub(crate) async fn execute(
        &self,
        exchange: &mut dyn Exchange,
        target: &RequestTarget,
    ) -> Result<(), Error> {
        self.send.execute(exchange, target, &mut SessionToken::new(self.session)).await
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
    fn authorize<'a>(
        &'a mut self,
        context: &'a SendContext<'_, T>,
    ) -> BoxFuture<'a, Result<Option<HeaderValue>, Error>> {
        Box::pin(async {
            context.acquire_permit().await?;
            let token = self.session.token(context).await?;
            let header = token.header.clone();
            self.current = Some(token);
            Ok(header)
        })
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

    fn counter(&self) -> fn(&RequestCounters) -> &AtomicU64 {
        |counters| &counters.api_requests
    }
}
