//! Web filtering of Sophos Central: `/web-filters/v1`.

pub mod profile_metadata;
pub mod profiles;
pub mod site_lists;
