//! Operations of the account information API.

use crate::operation_macro::files;

files! { account_name }
