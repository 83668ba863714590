//! The use of permissions by roles.

use std::{collections::BTreeMap, fmt, io};

use serde_json::Value;

/// Requests of a role for one action on one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessCount {
    /// The action, such as `s3:GetObject`.
    pub action: String,
    /// The ARN of the resource, or `*` for an action without one.
    pub resource: String,
    /// The number of requests.
    pub count: u64,
}

/// One action on one resource in a statement of a role's policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// The name of the policy.
    pub policy: String,
    /// The id of the statement, or its number.
    pub statement: String,
    /// The action.
    pub action: String,
    /// The resource, with its wildcards.
    pub resource: String,
    /// Whether the statement allows the action.
    pub allows: bool,
    /// Whether a request matched it.
    pub used: bool,
}

/// The requests and permissions of a role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoleAccess {
    /// The allowed requests.
    pub allowed: Vec<AccessCount>,
    /// The denied requests.
    pub denied: Vec<AccessCount>,
    /// The permissions of the role.
    pub permissions: Vec<Permission>,
}

/// All roles with requests, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessReport(pub BTreeMap<String, RoleAccess>);

impl AccessReport {
    pub(super) fn parse(value: &Value) -> io::Result<Self> {
        let roles = value.as_object().ok_or_else(|| io::Error::other("the emulator returned no roles"))?;
        Ok(Self(roles.iter().map(|(name, value)| (name.clone(), RoleAccess::parse(value))).collect()))
    }

    /// The access of a role, by its name or ARN; empty without requests.
    pub fn role(&self, role: &str) -> RoleAccess {
        self.0.get(role.rsplit('/').next().unwrap_or_default()).cloned().unwrap_or_default()
    }
}

impl RoleAccess {
    fn parse(value: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let all = |name: &str| value[name].as_array().cloned().unwrap_or_default().into_iter();
        let access = |value: Value| AccessCount {
            action: text(&value["Action"]),
            resource: text(&value["Resource"]),
            count: value["Count"].as_u64().unwrap_or_default(),
        };
        let permission = |value: Value| Permission {
            policy: text(&value["Policy"]),
            statement: text(&value["Statement"]),
            action: text(&value["Action"]),
            resource: text(&value["Resource"]),
            allows: value["Effect"] == "Allow",
            used: value["Used"] == true,
        };
        Self {
            allowed: all("Calls").map(access).collect(),
            denied: all("Denied").map(access).collect(),
            permissions: all("Permissions").map(permission).collect(),
        }
    }

    /// The unused permissions.
    pub fn unused_permissions(&self) -> impl Iterator<Item = &Permission> {
        self.permissions.iter().filter(|permission| permission.allows && !permission.used)
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
