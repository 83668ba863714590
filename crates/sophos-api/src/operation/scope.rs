//! The hosts and scope headers of operations.

/// The header that scopes an operation, and the id that it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScopeHeader {
    /// No header: the token is enough.
    None,
    /// The tenant's id in `X-Tenant-ID`.
    Tenant,
    /// The partner's id in `X-Partner-ID`.
    Partner,
    /// The organization's id in `X-Organization-ID`.
    Organization,
    /// The distributor's id in `X-Distributor-ID`.
    Distributor,
    /// The tenant's id in `X-Tenant-ID`, or the partner's in `X-Partner-ID`.
    TenantOrPartner,
    /// The tenant's id in `X-Tenant-ID`; without a header the operation covers the
    /// credential's own account.
    TenantOrOwner,
}

impl ScopeHeader {
    /// The name of the header; the tenant's if there is a choice.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Tenant | Self::TenantOrPartner | Self::TenantOrOwner => Some("X-Tenant-ID"),
            Self::Partner => Some("X-Partner-ID"),
            Self::Organization => Some("X-Organization-ID"),
            Self::Distributor => Some("X-Distributor-ID"),
        }
    }

    /// Whether the header may hold a tenant's id.
    pub const fn is_tenant(self) -> bool {
        matches!(self, Self::Tenant | Self::TenantOrPartner | Self::TenantOrOwner)
    }
}

/// The host of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ApiHost {
    /// The identity service, which accepts a secret instead of a token.
    Identity,
    /// The global host.
    Global,
    /// The host of the tenant's data region.
    DataRegion,
    /// The GraphQL host of Sophos Fusion, one for all tenants.
    Fusion,
}
