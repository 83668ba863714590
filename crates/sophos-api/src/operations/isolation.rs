//! Isolation: an endpoint that exchanges data with the service alone.
//!
//! The service accepts a change; the endpoint applies it when it next reports.
//! The change of an offline endpoint stays pending without limit. There is no
//! timer: an endpoint stays isolated until it is released. The service expects
//! callers to wait between an isolation and its release.

mod get_isolation;
mod update_isolation;
mod update_isolations;

pub use get_isolation::GetIsolation;
pub use update_isolation::UpdateIsolation;
pub use update_isolations::{MAX_IDS, UpdateIsolations};

use crate::Error;

/// The longest comment, in characters.
pub const MAX_COMMENT_LEN: usize = 400;

fn check_comment(comment: Option<&str>) -> Result<(), Error> {
    match comment.map(|comment| comment.chars().count()) {
        Some(length) if length > MAX_COMMENT_LEN => Err(Error::invalid(format!(
            "invalid comment of {length} characters: expected at most {MAX_COMMENT_LEN}"
        ))),
        _ => Ok(()),
    }
}
