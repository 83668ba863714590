//! Operations of the partner API.

use crate::operation_macro::files;

mod get_tenant;
mod list_tenants;

pub use get_tenant::GetPartnerTenant;
pub use list_tenants::ListPartnerTenants;

files! { admins billing roles tenants }
