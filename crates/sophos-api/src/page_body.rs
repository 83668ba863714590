//! The body of a page.

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::{error::Error, operation::read_json};

/// Reads a page. A body that is not an object is no page: serde would take an
/// empty list for a page without items, which looks like the end of a listing.
pub(crate) fn read_page<P: DeserializeOwned>(response: &http::Response<Bytes>) -> Result<P, Error> {
    let first = response.body().iter().find(|byte| !byte.is_ascii_whitespace());
    if response.status().is_success() && first == Some(&b'[') {
        return Err(Error::malformed("the page is a list").with_status(response.status().as_u16()));
    }
    read_json(response)
}
