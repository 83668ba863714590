//! Operations of the account information API.

use crate::operation::macros::files;

files! { account_name }
