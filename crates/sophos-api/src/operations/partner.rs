//! Operations of the partner API.

pub mod admins;
pub mod billing;
pub mod roles;
pub mod tenants;

mod get_tenant;
mod list_tenants;

pub use get_tenant::GetPartnerTenant;
pub use list_tenants::ListPartnerTenants;
