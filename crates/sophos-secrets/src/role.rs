use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What a credential may do, as the console names it after "Service Principal".
///
/// No operation of the service tells it: it is what the administrator chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// Sees everything, changes nothing.
    ReadOnly,
    /// Runs Live Discover and Data Lake queries, and sees everything.
    Forensics,
    /// Manages endpoints, policies and administrators, and acts on alerts.
    Management,
    /// Everything.
    SuperAdmin,
}

/// What a credential is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Purpose {
    /// Alerts and events are read.
    Export,
    /// Endpoints are read and isolated.
    Isolation,
}

impl Purpose {
    /// Each of them.
    pub const ALL: [Self; 2] = [Self::Export, Self::Isolation];

    /// The narrowest role that is enough. Which role an operation needs is not
    /// published; this follows from the console's description of the roles.
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

/// Reads the word by which a credential names it.
impl FromStr for Purpose {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut known = Self::ALL.into_iter().filter(|purpose| purpose.to_string() == text);
        known.next().ok_or("a purpose is export or isolation")
    }
}

impl Role {
    /// Whether it is enough for this purpose.
    pub fn is_sufficient_for(self, purpose: Purpose) -> bool {
        match purpose.required_role() {
            Self::ReadOnly => true,
            Self::Management => matches!(self, Self::Management | Self::SuperAdmin),
            needed => self == needed || self == Self::SuperAdmin,
        }
    }

    /// Whether it is enough for all these purposes, and one that may do less
    /// would be as well. Of no purpose nothing is known.
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
