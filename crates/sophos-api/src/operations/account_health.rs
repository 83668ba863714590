//! Operations of the account health API.

use crate::operation::macros::files;

files! { checks scores snooze }
