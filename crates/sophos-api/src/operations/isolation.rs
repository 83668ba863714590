//! Isolation: an endpoint that may speak to the service and to nobody else.
//!
//! A change is accepted, not done: the endpoint acts when it next reports, and
//! one that is offline stays pending without limit. There is no timer: an
//! endpoint stays isolated until it is released. The service asks callers to
//! wait between turning isolation on and off.

mod get_isolation;
mod update_isolation;
mod update_isolations;

pub use get_isolation::GetIsolation;
pub use update_isolation::UpdateIsolation;
pub use update_isolations::{MAX_IDS, UpdateIsolations};

use crate::Error;

/// Characters of a comment at most.
pub const MAX_COMMENT_LEN: usize = 400;

fn check_comment(comment: Option<&str>) -> Result<(), Error> {
    match comment.map(|comment| comment.chars().count()) {
        Some(length) if length > MAX_COMMENT_LEN => {
            Err(Error::invalid(format!("the comment has {length} characters; {MAX_COMMENT_LEN} are allowed")))
        }
        _ => Ok(()),
    }
}
