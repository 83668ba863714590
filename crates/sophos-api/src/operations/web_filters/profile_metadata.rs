//! Categories and presets of profiles: `/web-filters/v1/profiles/metadata`.

use http::{HeaderValue, header};
use serde::Serialize;
use serde_json::Value;

use crate::{
    Error, Operation, RequestTarget, Route,
    operation::build_request,
};

/// Returns the categories, category groups and presets that a profile may name.
///
/// The service rejects a request without a language. A public client measured it on a
/// live tenant; it is not published, and neither is the response.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct GetProfileMetadata {
    /// The language of the names, such as `en`.
    #[serde(skip)]
    pub language: String,
}

impl GetProfileMetadata {
    /// The metadata with names in this language, such as `en`.
    pub fn new(language: impl Into<String>) -> Self {
        Self { language: language.into() }
    }
}

impl Operation for GetProfileMetadata {
    type Response = Value;
    const ROUTE: Route = Route::get("/web-filters/v1/profiles/metadata");

    fn to_request(&self, target: &RequestTarget) -> Result<http::Request<Vec<u8>>, Error> {
        let mut request = build_request(&Self::ROUTE, serde_json::to_value(self), target)?;
        let language = HeaderValue::try_from(&self.language).ok().filter(|language| !language.is_empty());
        let language = language.ok_or_else(|| {
            Error::invalid(format!("invalid language \"{}\": expected a code such as en", self.language))
        })?;
        request.headers_mut().insert(header::ACCEPT_LANGUAGE, language);
        Ok(request)
    }
}

#[cfg(test)]
impl crate::operation_macro::Sample for GetProfileMetadata {
    fn sample() -> Self {
        Self::new("en")
    }
}

#[cfg(test)]
pub(crate) const TESTED: &[crate::operation_macro::TestedOperation] =
    &[crate::operation_macro::TestedOperation::new::<GetProfileMetadata>("GetProfileMetadata")];

// Its only parameter is a header, which a described request cannot hold.
#[cfg(feature = "catalog")]
pub(crate) const DESCRIBED: &[crate::catalog::OperationDescription] = &[];
