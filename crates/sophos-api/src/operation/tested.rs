//! The operations as the tests see them: with a value in every field.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Request, Response};
use serde::Serialize;
use serde_json::Value;

use crate::{
    error::Error,
    operation::{Operation, RequestTarget, Route, request::build_request},
};

/// A value for every field, for tests of what an operation sends.
pub(crate) trait Sample: Sized {
    /// A value that is neither empty nor a default.
    fn sample() -> Self;
}

/// An operation as the tests see it.
pub(crate) struct TestedOperation {
    pub(crate) name: &'static str,
    pub(crate) route: Route,
    /// The request with a value in every field, valid or not.
    pub(crate) request: fn(&RequestTarget) -> Result<Request<Vec<u8>>, Error>,
    /// Parses a response, and writes it as JSON again.
    pub(crate) round_trip: fn(&Response<Bytes>) -> Result<Value, Error>,
}

impl TestedOperation {
    pub(crate) const fn new<O>(name: &'static str) -> Self
    where
        O: Operation + Sample,
        O::Response: Serialize,
    {
        Self {
            name,
            route: O::ROUTE,
            request: |target| build_request(&O::ROUTE, serde_json::to_value(O::sample()), target),
            round_trip: |response| {
                let parsed = O::parse_response(response)?;
                serde_json::to_value(parsed).map_err(|error| Error::malformed(error.to_string()))
            },
        }
    }
}

macro_rules! samples {
    ($($type:ty = $value:expr;)*) => {$(
        impl Sample for $type {
            fn sample() -> Self {
                $value
            }
        }
    )*};
}

samples! {
    String = "x".to_owned();
    bool = true;
    i64 = 7;
    u32 = 7;
    u64 = 7;
    f64 = 7.5;
    Value = Value::from("x");
    crate::Timestamp = "2026-11-23T10:00:00.000Z".into();
}

impl<T: Sample> Sample for Option<T> {
    fn sample() -> Self {
        Some(T::sample())
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample() -> Self {
        vec![T::sample()]
    }
}

impl<T: Sample> Sample for BTreeMap<String, T> {
    fn sample() -> Self {
        Self::from([("x".to_owned(), T::sample())])
    }
}
