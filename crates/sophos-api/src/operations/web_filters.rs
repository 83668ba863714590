//! Web filtering of Sophos Central: `/web-filters/v1`.

use crate::operation::macros::files;

files! { profile_metadata profiles site_lists }
