//! Endpoints with a configuration of their own.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::hash::parse_uuid;

const MAX_TAGS: usize = 15;

/// One endpoint of a tenant, after the generated ones. Members without a value are generated.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachineConfig {
    /// The tenant, by id or name.
    pub tenant: String,
    /// The id.
    #[serde(default)]
    pub id: Option<String>,
    /// The host name.
    #[serde(default)]
    pub hostname: Option<String>,
    /// Computer or server.
    #[serde(default, rename = "type")]
    pub machine_type: Option<MachineType>,
    /// The IPv4 addresses; an empty list means none. If set, the endpoint has no IPv6
    /// addresses.
    #[serde(default)]
    pub ipv4: Option<Vec<Ipv4Addr>>,
    /// The MAC addresses; an empty list means none.
    #[serde(default)]
    pub macs: Option<Vec<String>>,
    /// The name of its group.
    #[serde(default)]
    pub group: Option<String>,
    /// The id of its group. Without `group`, the endpoint shows no group name.
    #[serde(default)]
    pub group_id: Option<String>,
    /// Its tags, up to 15.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// The id of its AWS instance.
    #[serde(default)]
    pub cloud_instance: Option<String>,
    /// Whether it is a clone; `false` by default.
    #[serde(default)]
    pub cloned: Option<bool>,
    /// Whether it is online at the start.
    #[serde(default)]
    pub online: Option<bool>,
    /// The seconds since it was last seen: relative to now if it is online, otherwise to
    /// the start of the clock.
    #[serde(default)]
    pub last_seen_seconds_ago: Option<u32>,
}

impl MachineConfig {
    /// A machine of the tenant with this id or name, with generated members.
    pub fn new(tenant: impl Into<String>) -> Self {
        Self { tenant: tenant.into(), ..Self::default() }
    }

    /// An online computer with this name, last seen half a minute ago.
    pub fn computer(tenant: impl Into<String>, hostname: impl Into<String>) -> Self {
        Self {
            hostname: Some(hostname.into()),
            machine_type: Some(MachineType::Computer),
            online: Some(true),
            last_seen_seconds_ago: Some(30),
            ..Self::new(tenant)
        }
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        let of = &self.tenant;
        for (name, id) in [("id", &self.id), ("group_id", &self.group_id)] {
            if let Some(id) = id
                && parse_uuid(id).is_none()
            {
                return Err(format!("invalid {name} {id:?} of a machine of {of:?}: not a UUID"));
            }
        }
        if self.hostname.as_deref() == Some("") {
            return Err(format!("empty `hostname` of a machine of {of:?}; omit it to generate one"));
        }
        if self.tags.len() > MAX_TAGS {
            return Err(format!("a machine of {of:?} has more than {MAX_TAGS} tags"));
        }
        Ok(())
    }
}

/// The types of machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MachineType {
    /// A computer.
    Computer,
    /// A server.
    Server,
}

/// A tag of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tag {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}

impl Tag {
    /// Creates a tag.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into() }
    }
}
