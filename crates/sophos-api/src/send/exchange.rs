//! An operation without its types, so that the code that sends it is compiled once.

use bytes::Bytes;
use http::{Request, Response};

use crate::{
    error::{Error, ErrorKind},
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

type ToRequest<O> = fn(&O, &RequestTarget) -> Result<Request<Vec<u8>>, Error>;
type ParseResponse<R> = fn(&Response<Bytes>) -> Result<R, Error>;

/// The exchange of an operation `O` with the response `R`.
pub(crate) struct TypedExchange<'o, O, R> {
    route: &'static Route,
    operation: &'o O,
    to_request: ToRequest<O>,
    parse_response: ParseResponse<R>,
    response: Option<R>,
}

impl<'o, O, R> TypedExchange<'o, O, R> {
    pub(crate) fn new(
        route: &'static Route,
        operation: &'o O,
        to_request: ToRequest<O>,
        parse_response: ParseResponse<R>,
    ) -> Self {
        Self { route, operation, to_request, parse_response, response: None }
    }

    /// The parsed response of a successful exchange.
    pub(crate) fn into_response(self) -> Result<R, Error> {
        self.response.ok_or_else(|| Error::new(ErrorKind::Malformed))
    }
}

impl<O: Sync, R: Send> Exchange for TypedExchange<'_, O, R> {
    fn route(&self) -> &'static Route {
        self.route
    }

    fn to_request(&self, target: &RequestTarget) -> Result<Request<Vec<u8>>, Error> {
        (self.to_request)(self.operation, target)
    }

    fn receive(&mut self, response: &Response<Bytes>) -> Result<(), Error> {
        self.response = Some((self.parse_response)(response)?);
        Ok(())
    }
}

/// The exchange of an operation.
pub(crate) fn exchange_of<O: Operation>(operation: &O) -> TypedExchange<'_, O, O::Response> {
    TypedExchange::new(const { &O::ROUTE }, operation, O::to_request, O::parse_response)
}
