//! Operations of the account health API.

use crate::operation_macro::files;

files! { checks scores snooze }
