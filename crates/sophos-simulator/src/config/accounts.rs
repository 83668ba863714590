//! Tenants and credentials of a configuration.

use serde::{Deserialize, Serialize};

use crate::data::tenant::TenantState;

/// One or more tenants with the same configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TenantGroup {
    /// The number of tenants.
    pub count: usize,
    /// The id of a group of one tenant; otherwise generated.
    pub id: Option<String>,
    /// The name, numbered in a group of several tenants; otherwise generated.
    pub name: Option<String>,
    /// The data region; by default, the regions take turns.
    pub region: Option<String>,
    /// The account that owns the tenants.
    pub owner: Owner,
    /// The initial state. A [`Removed`](TenantState::Removed) tenant that becomes active
    /// later appears as a new one.
    pub state: TenantState,
    /// Events an hour; overrides `data.events_per_hour`.
    pub events_per_hour: Option<f64>,
    /// Alerts an hour; overrides `data.alerts_per_hour`.
    pub alerts_per_hour: Option<f64>,
    /// Hours of history at the start; overrides `data.history_hours`.
    pub history_hours: Option<f64>,
    /// The maximum number of events; overrides `data.events_total`.
    pub events_total: Option<u64>,
    /// The maximum number of alerts; overrides `data.alerts_total`.
    pub alerts_total: Option<u64>,
    /// The number of endpoints; overrides `data.endpoints`.
    pub endpoints: Option<u64>,
}

impl Default for TenantGroup {
    fn default() -> Self {
        Self {
            count: 1,
            id: None,
            name: None,
            region: None,
            owner: Owner::Partner,
            state: TenantState::Active,
            events_per_hour: None,
            alerts_per_hour: None,
            history_hours: None,
            events_total: None,
            alerts_total: None,
            endpoints: None,
        }
    }
}

impl TenantGroup {
    /// `count` tenants of `owner` with the defaults.
    pub fn new(owner: Owner, count: usize) -> Self {
        Self { owner, count, ..Self::default() }
    }

    pub(crate) fn check(&self, regions: &[String]) -> Result<(), String> {
        if let Some(region) = &self.region
            && !regions.contains(region)
        {
            return Err(format!("unknown region {region:?} of a tenant: expected one of `regions`"));
        }
        if let Some(id) = &self.id {
            if self.count != 1 {
                return Err(format!("invalid `count` of tenant {id:?}: expected 1 for a tenant with an id"));
            }
            if crate::hash::parse_uuid(id).is_none() {
                return Err(format!("invalid tenant id {id:?}: not a UUID"));
            }
        }
        for rate in [self.events_per_hour, self.alerts_per_hour, self.history_hours] {
            if rate.is_some_and(|r| !(r.is_finite() && r >= 0.0)) {
                return Err("invalid rate or history of a tenant: expected 0 or more".to_owned());
            }
        }
        Ok(())
    }
}

/// The account that owns a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    /// The partner.
    Partner,
    /// The organization.
    Organization,
    /// Both: an enterprise that the partner manages.
    Both,
    /// Neither: only the tenant's own credential has access.
    Standalone,
}

impl Owner {
    pub(crate) fn belongs_to_partner(self) -> bool {
        matches!(self, Self::Partner | Self::Both)
    }

    pub(crate) fn belongs_to_organization(self) -> bool {
        matches!(self, Self::Organization | Self::Both)
    }
}

/// One API credential.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialConfig {
    /// The kind of the credential's account.
    pub kind: CredentialKind,
    /// Its role.
    #[serde(default)]
    pub role: Role,
    /// For a tenant credential: the tenant's id or name.
    #[serde(default)]
    pub tenant: Option<String>,
    /// The client id; otherwise generated.
    #[serde(default)]
    pub client_id: Option<String>,
    /// The client secret; otherwise generated.
    #[serde(default)]
    pub client_secret: Option<String>,
    /// The expiry (RFC 3339); by default, 36 months after its creation.
    #[serde(default)]
    pub expires_at: Option<String>,
}

impl CredentialConfig {
    /// A credential with a generated id and secret.
    pub fn new(kind: CredentialKind, role: Role) -> Self {
        Self { kind, role, tenant: None, client_id: None, client_secret: None, expires_at: None }
    }

    /// A credential of the tenant with this id or name.
    pub fn for_tenant(tenant: impl Into<String>, role: Role) -> Self {
        Self { tenant: Some(tenant.into()), ..Self::new(CredentialKind::Tenant, role) }
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        if self.kind == CredentialKind::Tenant && self.tenant.is_none() {
            return Err(
                "missing `tenant` of a credential of kind \"tenant\": expected an id or a name".into()
            );
        }
        match &self.expires_at {
            Some(at) if crate::time::parse(at).is_none() => {
                Err(format!("invalid `expires_at` {at:?}: expected an RFC 3339 time"))
            }
            _ => Ok(()),
        }
    }
}

/// The kind of a credential's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CredentialKind {
    /// Central Partner.
    Partner,
    /// Central Enterprise.
    Organization,
    /// Central Admin: one customer.
    Tenant,
}

impl CredentialKind {
    /// The kind in a `whoami` response.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Partner => "partner",
            Self::Organization => "organization",
            Self::Tenant => "tenant",
        }
    }
}

/// A credential's role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Full access.
    #[default]
    SuperAdmin,
    /// Full access to the simulated operations.
    Management,
    /// Read access to the simulated operations.
    Forensics,
    /// Read access.
    ReadOnly,
}

impl Role {
    /// The role in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SuperAdmin => "super_admin",
            Self::Management => "management",
            Self::Forensics => "forensics",
            Self::ReadOnly => "read_only",
        }
    }

    pub(crate) fn can_write(self) -> bool {
        matches!(self, Self::SuperAdmin | Self::Management)
    }

    /// Whether the role may run queries and see their results.
    pub(crate) fn can_query(self) -> bool {
        matches!(self, Self::SuperAdmin | Self::Forensics)
    }
}
