//! An operation without its types, so that the code that sends it is compiled once.

use bytes::Bytes;
use http::{Request, Response};

use crate::{
    error::Error,
    error_kind::ErrorKind,
    operation::{Operation, RequestTarget, Route},
};

/// One operation to send, and the place of its response.
pub(crate) trait Exchange: Send {
    /// The route of the operation.
    fn route(&self) -> &'static Route;

    /// Converts the operation into a request.
    fn to_request(&self, target: &RequestTarget) -> Result<Request<Vec<u8>>, Error>;

    /// Parses a response, and keeps the result.
    fn receive(&mut self, response: &Response<Bytes>) -> Result<(), Error>;
}

/// The exchange of an operation with typed responses.
pub(crate) struct TypedExchange<F, R> {
    route: &'static Route,
    to_request: F,
    parse: fn(&Response<Bytes>) -> Result<R, Error>,
    response: Option<R>,
}

impl<F, R> TypedExchange<F, R>
where
    F: Fn(&RequestTarget) -> Result<Request<Vec<u8>>, Error> + Send,
    R: Send,
{
    pub(crate) fn new(
        route: &'static Route,
        to_request: F,
        parse: fn(&Response<Bytes>) -> Result<R, Error>,
    ) -> Self {
        Self { route, to_request, parse, response: None }
    }

    /// The parsed response of a successful exchange.
    pub(crate) fn into_response(self) -> Result<R, Error> {
        self.response.ok_or_else(|| Error::new(ErrorKind::Malformed))
    }
}

impl<F, R> Exchange for TypedExchange<F, R>
where
    F: Fn(&RequestTarget) -> Result<Request<Vec<u8>>, Error> + Send,
    R: Send,
{
    fn route(&self) -> &'static Route {
        self.route
    }

    fn to_request(&self, target: &RequestTarget) -> Result<Request<Vec<u8>>, Error> {
        (self.to_request)(target)
    }

    fn receive(&mut self, response: &Response<Bytes>) -> Result<(), Error> {
        self.response = Some((self.parse)(response)?);
        Ok(())
    }
}

/// The exchange of an operation.
pub(crate) fn exchange_of<O: Operation>(
    operation: &O,
) -> TypedExchange<impl Fn(&RequestTarget) -> Result<Request<Vec<u8>>, Error> + Send, O::Response> {
    TypedExchange::new(const { &O::ROUTE }, |target| operation.to_request(target), O::parse_response)
}
