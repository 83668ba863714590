//! The JSON of endpoints.

use serde_json::{Map, Value, json};

use crate::config::Tag;
use crate::data::alerts::person_id;
use crate::data::endpoint::{Endpoint, Person};
use crate::data::tenant::Tenant;
use crate::endpoint_states::{IsolationRecord, OnlineOverride};
use crate::hash::{Rng, uuid_text};
use crate::time;

/// The amount of detail of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    Basic,
    Summary,
    Full,
}

impl View {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "basic" => Some(Self::Basic),
            "summary" => Some(Self::Summary),
            "full" => Some(Self::Full),
            _ => None,
        }
    }
}

/// The state of an endpoint at one moment.
#[derive(Debug)]
pub(crate) struct EndpointSnapshot {
    pub(crate) endpoint: Endpoint,
    pub(crate) isolation: IsolationRecord,
    pub(crate) online: bool,
    pub(crate) last_seen_ms: i64,
}

impl EndpointSnapshot {
    pub(crate) fn new(
        tenant: &Tenant,
        endpoint: Endpoint,
        (isolation, presence): (IsolationRecord, Option<OnlineOverride>),
        now: i64,
    ) -> Self {
        let online = presence.map_or(endpoint.online, |p| p.online);
        let last_seen_ms = match presence {
            Some(p) if !p.online => p.since_ms,
            Some(p) => (now - endpoint.last_seen_ago_ms).max(p.since_ms),
            None if endpoint.online => now - endpoint.last_seen_ago_ms,
            None => tenant.start_ms - endpoint.offline_before_start_ms,
        };
        Self { endpoint, isolation, online, last_seen_ms }
    }

    pub(crate) fn os_name(&self) -> &'static str {
        os_version(&self.endpoint).0
    }

    pub(crate) fn agent_updated_ms(&self) -> i64 {
        self.last_seen_ms - (self.endpoint.salt % 30) as i64 * 86_400_000
    }

    pub(crate) fn os_updated_ms(&self) -> i64 {
        self.last_seen_ms - (self.endpoint.salt % 55) as i64 * 86_400_000
    }

    pub(crate) fn encryption(&self) -> &'static str {
        if self.endpoint.encrypted { "encrypted" } else { "notEncrypted" }
    }

    /// The members of a view; if `fields` is not empty, only those and the id.
    pub(crate) fn to_json(&self, tenant: &Tenant, view: View, fields: &[&str]) -> Value {
        let mut all = Map::new();
        self.insert_basic(tenant, &mut all);
        if view != View::Basic {
            self.insert_summary(&mut all);
        }
        if view == View::Full {
            self.insert_full(&mut all);
        }
        if !fields.is_empty() {
            all.retain(|name, _| name == "id" || fields.contains(&name.as_str()));
        }
        Value::Object(all)
    }

    fn insert_basic(&self, tenant: &Tenant, all: &mut Map<String, Value>) {
        let name = &self.endpoint.identity;
        all.insert("id".into(), json!(uuid_text(name.id)));
        all.insert("type".into(), json!(name.endpoint_type()));
        all.insert("tenant".into(), json!({ "id": tenant.id_text }));
        all.insert("hostname".into(), json!(name.hostname));
    }

    fn insert_summary(&self, all: &mut Map<String, Value>) {
        let e = &self.endpoint;
        all.insert("health".into(), health_json(e));
        all.insert("os".into(), os_json(e));
        if !e.ipv4.is_empty() {
            all.insert("ipv4Addresses".into(), json!(e.ipv4));
        }
        if !e.ipv6.is_empty() {
            all.insert("ipv6Addresses".into(), json!(e.ipv6));
        }
        all.insert("macAddresses".into(), json!(e.macs));
        if let Some(group) = &e.group {
            let members = [("id", &group.id), ("name", &group.name)];
            let members = members.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
            all.insert(
                "group".into(),
                members.map(|(name, value)| (name.to_owned(), json!(value))).collect(),
            );
        }
        if !e.tags.is_empty() {
            all.insert("tags".into(), e.tags.iter().map(tag_json).collect());
        }
        let person = uuid_text(person_id(&e.identity));
        let person = match &e.person {
            Person::NameAndLogin { name, login } => json!({ "id": person, "name": name, "viaLogin": login }),
            Person::NameOnly { name } => json!({ "id": person, "name": name }),
            Person::LoginOnly { login } => json!({ "viaLogin": login }),
            Person::Unknown => json!({}),
        };
        all.insert("associatedPerson".into(), person);
        all.insert("tamperProtectionEnabled".into(), json!(e.tamper_protected));
        all.insert("assignedProducts".into(), products_json(e));
        all.insert("lastSeenAt".into(), json!(time::format_millis(self.last_seen_ms)));
        match e.lockdown {
            None => {}
            Some("unavailable") => {
                all.insert("lockdown".into(), json!({ "status": "unavailable" }));
            }
            Some(status) => {
                let value = json!({ "status": status, "updateStatus": "notInstalled" });
                all.insert("lockdown".into(), value);
            }
        }
        all.insert("online".into(), json!(self.online));
        all.insert("isolation".into(), self.isolation_json());
    }

    fn isolation_json(&self) -> Value {
        let status = if self.isolation.reported { "isolated" } else { "notIsolated" };
        if self.isolation.was_ever_requested() {
            json!({
                "status": status,
                "adminIsolated": self.isolation.reported,
                "selfIsolated": false,
            })
        } else {
            json!({ "status": status })
        }
    }

    fn insert_full(&self, all: &mut Map<String, Value>) {
        let e = &self.endpoint;
        all.insert("tamperProtectionSupported".into(), json!(true));
        all.insert("mdrManaged".into(), json!(e.salt.is_multiple_of(5)));
        all.insert("cloned".into(), json!(e.cloned));
        if let Some(serial) = &e.serial {
            all.insert("serialNumber".into(), json!(serial));
        }
        let agent = time::format_millis(self.agent_updated_ms());
        all.insert("lastAgentUpdateAt".into(), json!(agent));
        let os = time::format_millis(self.os_updated_ms());
        all.insert("lastOsUpdateAt".into(), json!(os));
        if let Some((provider, instance)) = &e.cloud {
            let value = json!({ "provider": provider, "instanceId": instance });
            all.insert("cloud".into(), value);
        }
        if e.encrypted {
            let volume = uuid_text(Rng::new(e.salt).uuid());
            all.insert(
                "encryption".into(),
                json!({
                    "overallStatus": self.encryption(),
                    "volumes": [{
                        "volumeId": format!("\\\\?\\Volume{{{volume}}}\\"),
                        "status": "encrypted",
                    }],
                }),
            );
        }
        all.insert(
            "packages".into(),
            json!({
                "protection": {
                    "name": e.package.as_deref().unwrap_or("Recommended"), "status": "assigned",
                },
                "ztna": { "status": "unassigned" },
                "encryption": { "status": "unsupported" },
            }),
        );
        let modules = json!([{ "name": "Sophos Core Agent", "version": "2024.3.2.1" }]);
        all.insert("modules".into(), modules);
    }
}

fn tag_json(tag: &Tag) -> Value {
    let shown = format!("{}:{}", tag.key, tag.value);
    json!({ "key": tag.key, "value": tag.value, "displayString": shown })
}

fn health_json(e: &Endpoint) -> Value {
    let services = if e.health == "bad" { "bad" } else { "good" };
    let second = match (e.health, e.salt % 2) {
        ("bad", 0) => "missing",
        ("bad", _) => "stopped",
        _ => "running",
    };
    json!({
        "overall": e.health,
        "threats": { "status": if e.health == "suspicious" { "suspicious" } else { "good" } },
        "services": {
            "status": services,
            "serviceDetails": [
                { "name": "HitmanPro.Alert service", "status": "running" },
                { "name": "Sophos Endpoint Defense Service", "status": second },
                { "name": "Sophos MCS Agent", "status": "running" },
            ],
        },
    })
}

/// The name, major and minor version and build of the operating system.
fn os_version(e: &Endpoint) -> (&'static str, Option<(u32, u32, u32)>) {
    match (e.identity.platform, e.identity.server) {
        ("linux", _) => ("Ubuntu 22.04.4 LTS", None),
        ("macOS", _) => ("macOS Sequoia", Some((15, 1, 0))),
        (_, true) if e.salt.is_multiple_of(3) => ("Windows Server 2012 R2 Standard", Some((6, 3, 9_600))),
        (_, true) => ("Windows Server 2022 Datacenter", Some((10, 0, 20_348))),
        _ => ("Windows 11 Pro", Some((10, 0, 22_631))),
    }
}

fn os_json(e: &Endpoint) -> Value {
    let (name, version) = os_version(e);
    let mut value = json!({
        "isServer": e.identity.server,
        "platform": e.identity.platform,
        "name": name,
    });
    if let Some((major, minor, build)) = version {
        value["majorVersion"] = json!(major);
        value["minorVersion"] = json!(minor);
        value["build"] = json!(build);
    }
    value
}

fn products_json(e: &Endpoint) -> Value {
    let product = |code: &str, version: &str, status: &str| json!({ "code": code, "version": version, "status": status });
    let mut all = vec![
        product("coreAgent", "2024.3.2.1", "installed"),
        product("endpointProtection", "10.8.12", "installed"),
        product("interceptX", "2024.1.1", "installed"),
    ];
    if e.salt.is_multiple_of(3) {
        all.push(product("xdr", "2024.3.2.1", "installed"));
    }
    if e.salt.is_multiple_of(7) {
        all.push(json!({ "code": "deviceEncryption", "status": "notInstalled" }));
    }
    Value::Array(all)
}
