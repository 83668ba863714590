//! What roles did with their rights.

use std::{collections::BTreeMap, fmt, io};

use serde_json::Value;

/// Something that a role asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessCount {
    /// The action, such as `s3:GetObject`.
    pub action: String,
    /// The ARN of the resource, or `*` where an action knows none.
    pub resource: String,
    /// How often.
    pub count: u64,
}

/// One action on one resource, as a policy of a role grants or denies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// The name of the policy.
    pub policy: String,
    /// The statement's name, or its number.
    pub statement: String,
    /// The action.
    pub action: String,
    /// The resource, with its wildcards.
    pub resource: String,
    /// Whether it grants, rather than denies.
    pub allows: bool,
    /// Whether something that was asked for fell under it.
    pub used: bool,
}

/// A role at work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleAccess {
    /// What it was granted.
    pub allowed: Vec<AccessCount>,
    /// What it was refused.
    pub denied: Vec<AccessCount>,
    /// What it has the right to.
    pub permissions: Vec<Permission>,
}

/// All roles at work, by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessReport(pub BTreeMap<String, RoleAccess>);

impl AccessReport {
    pub(super) fn parse(told: &Value) -> io::Result<Self> {
        let roles = told.as_object().ok_or_else(|| io::Error::other("the emulator tells of no roles"))?;
        Ok(Self(roles.iter().map(|(name, told)| (name.clone(), RoleAccess::parse(told))).collect()))
    }

    /// A role's, by its name or ARN; of one that did nothing, nothing.
    pub fn role(&self, role: &str) -> RoleAccess {
        self.0.get(role.rsplit('/').next().unwrap_or_default()).cloned().unwrap_or_default()
    }
}

impl RoleAccess {
    fn parse(told: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let all = |name: &str| told[name].as_array().cloned().unwrap_or_default().into_iter();
        let asked = |told: Value| AccessCount {
            action: text(&told["Action"]),
            resource: text(&told["Resource"]),
            count: told["Count"].as_u64().unwrap_or_default(),
        };
        let right = |told: Value| Permission {
            policy: text(&told["Policy"]),
            statement: text(&told["Statement"]),
            action: text(&told["Action"]),
            resource: text(&told["Resource"]),
            allows: told["Effect"] == "Allow",
            used: told["Used"] == true,
        };
        Self {
            allowed: all("Calls").map(asked).collect(),
            denied: all("Denied").map(asked).collect(),
            permissions: all("Permissions").map(right).collect(),
        }
    }

    /// The rights that nothing needed.
    pub fn unused_permissions(&self) -> impl Iterator<Item = &Permission> {
        self.permissions.iter().filter(|right| right.allows && !right.used)
    }
}

impl fmt::Display for AccessCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}, {} times", self.action, self.resource, self.count)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} on {}", self.statement, self.action, self.resource)
    }
}
