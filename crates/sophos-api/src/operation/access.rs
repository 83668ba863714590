//! The credentials, roles and permissions that an operation takes.

use std::fmt;

use http::Method;

use crate::{
    models::IdType,
    operation::{Route, ScopeHeader},
};

/// A role of an API credential. Sophos Central assigns it when the credential is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ServiceRole {
    /// All operations.
    SuperAdmin,
    /// Administrators, roles, endpoints, policies and alerts; no queries.
    Management,
    /// Live Discover queries; no management.
    Forensics,
    /// All reads; no changes.
    ReadOnly,
}

impl ServiceRole {
    /// The name in the console.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SuperAdmin => "Service Principal Super Admin",
            Self::Management => "Service Principal Management",
            Self::Forensics => "Service Principal Forensics",
            Self::ReadOnly => "Service Principal Read-Only",
        }
    }
}

impl fmt::Display for ServiceRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The paths that the role Management is documented to read and change.
const MANAGED: [&str; 4] = ["/endpoint/v1/", "/common/v1/admins", "/common/v1/roles", "/common/v1/alerts"];

impl Route {
    /// The types of credential that may call the operation. A partner or an
    /// organization calls a tenant's operation for each of its tenants.
    ///
    /// ```
    /// use sophos_api::{Operation, models::IdType, operations::partner::tenants::ListPartnerTenants};
    ///
    /// assert_eq!(ListPartnerTenants::ROUTE.callers(), [IdType::Partner]);
    /// ```
    pub const fn callers(&self) -> &'static [IdType] {
        const ALL: &[IdType] = &[IdType::Partner, IdType::Organization, IdType::Tenant, IdType::Distributor];
        const OF_A_TENANT: &[IdType] = &[IdType::Partner, IdType::Organization, IdType::Tenant];
        const PARTNER: &[IdType] = &[IdType::Partner];
        const ORGANIZATION: &[IdType] = &[IdType::Organization];
        const DISTRIBUTOR: &[IdType] = &[IdType::Distributor];
        match self.scope {
            ScopeHeader::None => ALL,
            ScopeHeader::Tenant | ScopeHeader::TenantOrPartner | ScopeHeader::TenantOrOwner => OF_A_TENANT,
            ScopeHeader::Partner => PARTNER,
            ScopeHeader::Organization => ORGANIZATION,
            ScopeHeader::Distributor => DISTRIBUTOR,
        }
    }

    /// The roles that are documented to permit the operation; another role may as well.
    ///
    /// Sophos publishes the roles by area, not by operation.
    pub fn roles(&self) -> &'static [ServiceRole] {
        use ServiceRole::{Forensics, Management, ReadOnly, SuperAdmin};
        let is_read = self.method == Method::GET || self.path.ends_with("/search");
        if self.path.starts_with("/live-discover/v1/queries") {
            return if is_read { &[SuperAdmin, Forensics, ReadOnly] } else { &[SuperAdmin, Forensics] };
        }
        match (MANAGED.iter().any(|path| self.path.starts_with(path)), is_read) {
            (true, true) => &[SuperAdmin, Management, ReadOnly],
            (true, false) => &[SuperAdmin, Management],
            (false, true) => &[SuperAdmin, ReadOnly],
            (false, false) => &[SuperAdmin],
        }
    }
}

/// The access that an operation takes, and the type of the credential that was used.
///
/// Its text is one sentence for an operator.
///
/// ```
/// use sophos_api::{Operation, RequiredAccess, operations::live_discover::query_runs::StartQueryRun};
///
/// let access = RequiredAccess::new(&StartQueryRun::ROUTE);
/// assert_eq!(
///     access.to_string(),
///     "the role Service Principal Super Admin or Service Principal Forensics permits it",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequiredAccess {
    /// The types of credential that may call the operation.
    pub callers: &'static [IdType],
    /// The roles that are documented to permit it; another role may as well.
    pub roles: &'static [ServiceRole],
    /// The permission that the published specification names, if it is known.
    pub permission: Option<&'static str>,
    /// The type of the credential that was used, if it is known.
    pub credential: Option<IdType>,
}

impl RequiredAccess {
    /// The access that the operation of this route takes.
    pub fn new(route: &Route) -> Self {
        Self {
            callers: route.callers(),
            roles: route.roles(),
            permission: route.permission,
            credential: None,
        }
    }

    /// Sets the type of the credential that was used.
    pub(crate) fn with_credential(mut self, credential: Option<IdType>) -> Self {
        self.credential = credential;
        self
    }

    /// Whether a credential of the type that was used can never call the operation.
    /// `false` if the type is unknown, unless only one type may call it.
    pub fn is_wrong_credential(&self) -> bool {
        let is_known = |credential: &IdType| !matches!(credential, IdType::_Unknown(_));
        self.credential.as_ref().is_some_and(|credential| {
            !self.callers.contains(credential) && (self.callers.len() == 1 || is_known(credential))
        })
    }
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

impl fmt::Display for RequiredAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(credential) = self.credential.as_ref().filter(|_| self.is_wrong_credential()) {
            f.write_str("this operation needs ")?;
            for (index, caller) in self.callers.iter().enumerate() {
                let or = if index > 0 { " or " } else { "" };
                write!(f, "{or}{} {caller}", article(caller.as_str()))?;
            }
            let article = article(credential.as_str());
            return write!(f, " credential; the credential is {article} {credential}'s");
        }
        f.write_str("the role ")?;
        for (index, role) in self.roles.iter().enumerate() {
            let or = if index > 0 { " or " } else { "" };
            write!(f, "{or}{role}")?;
        }
        f.write_str(" permits it")?;
        match self.permission {
            Some(permission) => write!(f, ", and it needs the permission {permission}"),
            None => Ok(()),
        }
    }
}
