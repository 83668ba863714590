use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The role of a credential, which the console names after "Service Principal".
///
/// The administrator selects it. No operation of the service returns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// Reads everything.
    ReadOnly,
    /// Reads everything, and runs Live Discover and Data Lake queries.
    Forensics,
    /// Manages endpoints, policies and administrators, and acts on alerts.
    Management,
    /// Everything.
    SuperAdmin,
}

/// The purpose of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Purpose {
    /// Reading alerts and events.
    Export,
    /// Reading and isolating endpoints.
    Isolation,
}

impl Purpose {
    /// All purposes.
    pub const ALL: [Self; 2] = [Self::Export, Self::Isolation];

    /// The least privileged sufficient role. It follows from the console's description of
    /// the roles: the required role of an operation is not published.
    pub fn required_role(self) -> Role {
        match self {
            Self::Export => Role::ReadOnly,
            Self::Isolation => Role::Management,
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Export => "export",
            Self::Isolation => "isolation",
        })
    }
}

/// Parses the name in `used_for`.
impl FromStr for Purpose {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut known = Self::ALL.into_iter().filter(|purpose| purpose.to_string() == text);
        known.next().ok_or("unknown purpose: expected `export` or `isolation`")
    }
}

impl Role {
    /// Whether the role is sufficient for a purpose.
    pub fn is_sufficient_for(self, purpose: Purpose) -> bool {
        match purpose.required_role() {
            Self::ReadOnly => true,
            Self::Management => matches!(self, Self::Management | Self::SuperAdmin),
            needed => self == needed || self == Self::SuperAdmin,
        }
    }

    /// Whether a less privileged role would be sufficient for all these purposes. False
    /// without purposes.
    pub fn is_overprivileged_for(self, purposes: &[Purpose]) -> bool {
        !purposes.is_empty()
            && purposes
                .iter()
                .all(|purpose| self.is_sufficient_for(*purpose) && purpose.required_role() != self)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReadOnly => "Service Principal Read-Only",
            Self::Forensics => "Service Principal Forensics",
            Self::Management => "Service Principal Management",
            Self::SuperAdmin => "Service Principal Super Admin",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_is_compared_with_the_narrowest_sufficient_one() {
        use Purpose::{Export, Isolation};
        for (role, purposes, enough, wider) in [
            (Role::ReadOnly, &[Export][..], true, false),
            (Role::Management, &[Export], true, true),
            (Role::SuperAdmin, &[Export], true, true),
            (Role::ReadOnly, &[Isolation], false, false),
            (Role::Forensics, &[Isolation], false, false),
            (Role::Management, &[Isolation], true, false),
            (Role::Management, &[Export, Isolation], true, false),
            (Role::SuperAdmin, &[Export, Isolation], true, true),
            (Role::SuperAdmin, &[], true, false),
        ] {
            assert_eq!(purposes.iter().all(|p| role.is_sufficient_for(*p)), enough, "{role} {purposes:?}");
            assert_eq!(role.is_overprivileged_for(purposes), wider, "{role} {purposes:?}");
        }
    }
}
