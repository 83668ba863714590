//! Smaller pages after a response that is too large.

use sophos_api::{Error, ErrorKind};

/// Returns half of a page size, at least `min`, after a response that is too large;
/// `None` after another error, or if no page is smaller.
pub(crate) fn reduce_page_size(tenant_id: &str, error: &Error, size: u32, min: u32) -> Option<u32> {
    if error.kind() != ErrorKind::TooLarge || size <= min {
        return None;
    }
    let limit = (size / 2).max(min);
    tracing::warn!(event = "page_limit_reduced", tenant_id, limit, %error, "a page is too large; retrying with a smaller limit");
    Some(limit)
}
