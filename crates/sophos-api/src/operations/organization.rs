//! The tenants of an organization.

mod get_tenant;
mod list_tenants;

pub use get_tenant::GetOrganizationTenant;
pub use list_tenants::ListOrganizationTenants;
