//! `GET /organization/v1/tenants/{tenantId}`

use serde::Serialize;

use crate::{Operation, Route, ScopeHeader, WithRaw, models::Tenant};

/// Gets one tenant of the organization.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct GetOrganizationTenant {
    /// The tenant's id.
    pub tenant_id: String,
}

impl GetOrganizationTenant {
    /// Gets the tenant of this id.
    pub fn new(tenant_id: impl Into<String>) -> Self {
        Self { tenant_id: tenant_id.into() }
    }
}

impl Operation for GetOrganizationTenant {
    type Response = WithRaw<Tenant>;
    const ROUTE: Route = Route::get("/organization/v1/tenants/:tenantId").global(ScopeHeader::Organization);
}
