//! Endpoints. Everything about an endpoint follows from its tenant and number.

use crate::config::{MachineConfig, MachineType, Tag};
use crate::data::tenant::Tenant;
use crate::endpoint_states::EndpointChanges;
use crate::hash::{Rng, mix, mix_text, uuid_text};

/// The members of an endpoint in events and alerts; cheap to compute.
#[derive(Debug, Clone)]
pub(crate) struct EndpointIdentity {
    pub(crate) key: u64,
    pub(crate) id: u128,
    pub(crate) hostname: String,
    pub(crate) server: bool,
    pub(crate) platform: &'static str,
    pub(crate) ip: String,
    pub(crate) skew_ms: i64,
}

/// Prefixes with more than ten common characters, so that a search finds several hosts.
const COMPUTERS: &[&str] = &["DESKTOP-ACCOUNTS-", "DESKTOP-ACCOUNTING-", "LAPTOP-", "MAC-", "Thunderbox-"];
const SERVERS: &[&str] = &["WIN-CEAESQ7V-", "srv-", "MYSERVERHOSTNAME-", "linux-app-", "ip-10-1-39-"];

impl EndpointIdentity {
    /// The endpoint of a record.
    pub(crate) fn pick(tenant: &Tenant, draw: u64) -> Self {
        // A tenant without endpoints still has records. They name a deleted endpoint.
        Self::new(tenant, draw % tenant.initial_endpoint_count().max(1))
    }

    pub(crate) fn new(tenant: &Tenant, index: u64) -> Self {
        // A clone has the machine of its twin and only its own id.
        let machine = clone_of(tenant, index).unwrap_or(index);
        let key = mix(mix(tenant.key, 41), machine);
        let mut rng = Rng::new(key);
        let machine_config = tenant.machine(index);
        let config = machine_config.as_ref().map(|machine| &machine.config);
        let invented = rng.chance(tenant.shares.server);
        let server = config
            .and_then(|config| config.machine_type)
            .map_or(invented, |kind| kind == MachineType::Server);
        let prefix = rng.pick(if server { SERVERS } else { COMPUTERS });
        let platform = match (prefix, rng.below(10)) {
            ("MAC-", _) => "macOS",
            ("linux-app-" | "ip-10-1-39-", _) | ("srv-", 0) => "linux",
            _ => "windows",
        };
        let skew_ms = if rng.chance(tenant.shares.wrong_clock) {
            let unit = rng.pick(&[60_000u64, 3_600_000, 86_400_000]);
            let size = (unit + rng.below(unit * 6)) as i64;
            if rng.chance(0.5) { size } else { -size }
        } else {
            rng.below(2_000) as i64 - 1_000
        };
        Self {
            key,
            id: tenant.endpoint_id(index),
            hostname: config
                .and_then(|config| config.hostname.clone())
                .unwrap_or_else(|| format!("{prefix}{machine:04}")),
            server,
            platform,
            ip: config.and_then(|config| config.ipv4.as_ref()?.first()).map_or_else(
                || format!("10.{}.{}.{}", rng.below(4), rng.below(256), 1 + rng.below(254)),
                ToString::to_string,
            ),
            skew_ms,
        }
    }

    pub(crate) fn endpoint_type(&self) -> &'static str {
        if self.server { "server" } else { "computer" }
    }
}

/// The endpoint that this one clones.
pub(crate) fn clone_of(tenant: &Tenant, index: u64) -> Option<u64> {
    if index.is_multiple_of(2) || index >= tenant.generated_endpoints {
        return None;
    }
    let draw = mix(mix(tenant.key, 42), index);
    Rng::new(draw).chance(tenant.shares.clone).then_some(index - 1)
}

/// The known user of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Person {
    NameAndLogin { name: &'static str, login: String },
    NameOnly { name: &'static str },
    LoginOnly { login: String },
    Unknown,
}

const PEOPLE: &[&str] =
    &["Ana Silva", "Lior", "Łukasz Nowak", "Renée \"Ren\" Dupont", "田中 太郎", "J. O'Brien"];
const COMPUTER_GROUPS: &[&str] = &["Head Office", "Bolton's Skinning Service", "Büro \"Süd\""];
const SERVER_GROUPS: &[&str] = &["Servers\\EU", "Domain Controllers"];

/// The group of an endpoint, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
}

impl Group {
    /// The tenant's group with this name.
    fn from_name(tenant: &Tenant, name: &str) -> Self {
        let id = uuid_text(Rng::new(mix_text(tenant.key, name)).uuid());
        Self { id: Some(id), name: Some(name.to_owned()) }
    }

    /// The id, which follows from the name if the endpoint does not show it.
    pub(crate) fn key(&self, tenant: &Tenant) -> String {
        let name = self.name.as_deref().unwrap_or_default();
        let id = self.id.clone().or_else(|| Self::from_name(tenant, name).id);
        id.unwrap_or_default().to_lowercase()
    }

    /// The groups of the tenant's endpoints at the start: id, name, and whether of servers.
    pub(crate) fn at_start(tenant: &Tenant) -> Vec<(String, String, bool)> {
        let named = |name: &&str| Self::from_name(tenant, name);
        let servers = SERVER_GROUPS.iter().map(named).map(|group| (group, true));
        let generated = COMPUTER_GROUPS.iter().map(named).map(|group| (group, false)).chain(servers);
        let configured = (tenant.generated_endpoints..tenant.initial_endpoint_count()).filter_map(|index| {
            let endpoint = Endpoint::new(tenant, index);
            Some((endpoint.group?, endpoint.identity.server))
        });
        let mut groups: Vec<(String, String, bool)> = Vec::new();
        for (group, server) in generated.chain(configured) {
            let key = group.key(tenant);
            if groups.iter().all(|(id, _, _)| *id != key) {
                let name = group.name.unwrap_or_else(|| format!("Group {}", key.get(..8).unwrap_or(&key)));
                groups.push((key, name, server));
            }
        }
        groups
    }
}

/// One endpoint.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) identity: EndpointIdentity,
    pub(crate) cloned: bool,
    pub(crate) person: Person,
    pub(crate) group: Option<Group>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) ipv4: Vec<String>,
    pub(crate) ipv6: Vec<String>,
    pub(crate) macs: Vec<String>,
    pub(crate) health: &'static str,
    pub(crate) tamper_protected: bool,
    pub(crate) lockdown: Option<&'static str>,
    pub(crate) serial: Option<String>,
    pub(crate) cloud: Option<(&'static str, String)>,
    pub(crate) encrypted: bool,
    pub(crate) online: bool,
    /// The time between the last contact and the clock's start, for an offline endpoint.
    pub(crate) offline_before_start_ms: i64,
    /// The time since the last contact, for an online endpoint.
    pub(crate) last_seen_ago_ms: i64,
    /// The name of the assigned software package, unless it is the recommended one.
    pub(crate) package: Option<String>,
    /// A number that differs between endpoints, for small choices.
    pub(crate) salt: u64,
}

impl Endpoint {
    pub(crate) fn new(tenant: &Tenant, index: u64) -> Self {
        let name = EndpointIdentity::new(tenant, index);
        let mut rng = Rng::new(mix(name.key, 43));
        let login = format!("{}\\user{}", &name.hostname, rng.below(40));
        let person_name = rng.pick(PEOPLE);
        let person = match rng.below(100) {
            0..90 => Person::NameAndLogin { name: person_name, login },
            90..95 => Person::NameOnly { name: person_name },
            95..98 => Person::LoginOnly { login },
            _ => Person::Unknown,
        };
        let group = rng.chance(0.69).then(|| rng.pick(if name.server { SERVER_GROUPS } else { COMPUTER_GROUPS }));
        let mut ipv4 = vec![name.ip.clone()];
        for _ in 0..rng.below(4) {
            ipv4.push(format!("192.168.{}.{}", rng.below(120), 1 + rng.below(254)));
        }
        if rng.chance(0.02) {
            ipv4.clear();
        }
        let ipv6 = if rng.chance(0.02) {
            vec![format!("fe80::{:x}:{:x}", rng.below(65_536), rng.below(65_536))]
        } else {
            Vec::new()
        };
        let macs = (0..1 + rng.below(3)).map(|_| generate_mac(&mut rng)).collect();
        let health = match rng.below(20) {
            0 => "bad",
            1..=3 => "suspicious",
            4 => "unknown",
            _ => "good",
        };
        let tamper = rng.chance(0.93);
        let lockdown = match (name.server, rng.below(10)) {
            (true, 0) => Some("locked"),
            (true, 1) => Some("unlocked"),
            (_, 2) => Some("unavailable"),
            (_, 3) => None,
            _ => Some("notInstalled"),
        };
        let serial = rng.chance(0.8).then(|| rng.hex(10).to_uppercase());
        let cloud = generate_cloud_instance(&mut rng, tenant.shares.cloud);
        let encrypted = !name.server && name.platform == "windows" && rng.chance(0.3);
        // The rest belongs to the installation, so twins differ in it.
        let mut rng = Rng::new(mix(mix(tenant.key, 44), index));
        let twin = index ^ 1;
        let cloned = clone_of(tenant, index).is_some()
            || (twin < tenant.generated_endpoints && clone_of(tenant, twin) == Some(index));
        let group_has_id = rng.chance(0.8);
        let mut endpoint = Self {
            identity: name,
            cloned,
            person,
            group: None,
            tags: Vec::new(),
            ipv4,
            ipv6,
            macs,
            health,
            tamper_protected: tamper,
            lockdown,
            serial,
            cloud,
            encrypted,
            online: !rng.chance(tenant.shares.offline),
            offline_before_start_ms: 3_600_000 + rng.below(400 * 86_400_000) as i64,
            last_seen_ago_ms: rng.below(300_000) as i64,
            package: None,
            salt: rng.next(),
        };
        endpoint.group = group.map(|name| {
            let group = Group::from_name(tenant, name);
            // Some groups have a name and an id, some only one of them.
            match (group_has_id, endpoint.salt % 4) {
                (true, 0) => Group { name: None, ..group },
                (true, _) => group,
                (false, _) => Group { id: None, ..group },
            }
        });
        if let Some(machine) = tenant.machine(index) {
            endpoint.apply_config(tenant, &machine.config);
        }
        endpoint
    }

    /// Replaces members that clients changed.
    pub(crate) fn apply_changes(&mut self, changes: EndpointChanges) {
        self.tamper_protected = changes.tamper_protected.unwrap_or(self.tamper_protected);
        if let Some(group) = changes.group {
            self.group = group;
        }
        self.package = changes.package;
    }

    /// Replaces generated members by configured ones.
    fn apply_config(&mut self, tenant: &Tenant, config: &MachineConfig) {
        if let Some(ipv4) = &config.ipv4 {
            self.ipv4 = ipv4.iter().map(ToString::to_string).collect();
            self.ipv6.clear();
        }
        if let Some(macs) = &config.macs {
            self.macs.clone_from(macs);
        }
        self.group = match (&config.group, &config.group_id) {
            (None, None) => self.group.take(),
            (name, Some(id)) => Some(Group { id: Some(id.clone()), name: name.clone() }),
            (Some(name), None) => Some(Group::from_name(tenant, name)),
        };
        self.tags.clone_from(&config.tags);
        if let Some(instance) = &config.cloud_instance {
            self.cloud = Some(("aws", instance.clone()));
        }
        self.cloned = config.cloned.unwrap_or(self.cloned);
        self.online = config.online.unwrap_or(self.online);
        if let Some(seconds) = config.last_seen_seconds_ago {
            self.last_seen_ago_ms = i64::from(seconds) * 1_000;
            self.offline_before_start_ms = self.last_seen_ago_ms;
        }
    }
}

fn generate_mac(rng: &mut Rng) -> String {
    let upper = rng.chance(0.6);
    let bytes: Vec<String> = (0..6)
        .map(|at| match (upper, rng.below(256)) {
            (_, _) if at == 0 => "00".to_owned(),
            (true, byte) => format!("{byte:02X}"),
            (false, byte) if at > 3 => format!("{byte:02X}"),
            (false, byte) => format!("{byte:02x}"),
        })
        .collect();
    bytes.join(":")
}

fn generate_cloud_instance(rng: &mut Rng, share: f64) -> Option<(&'static str, String)> {
    if !rng.chance(share) {
        return None;
    }
    Some(match rng.below(10) {
        0 => ("azure", crate::hash::uuid_text(rng.uuid())),
        1 => ("gcp", (1_000_000_000_000_000 + rng.below(8_000_000_000_000_000)).to_string()),
        _ => ("aws", format!("i-{}", rng.hex(17))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, TenantGroup};
    use crate::data::accounts::Accounts;

    #[test]
    fn generated_inventory_has_realistic_variety() {
        let config = Config {
            tenants: vec![TenantGroup { endpoints: Some(1_000), ..TenantGroup::default() }],
            ..Config::default()
        };
        let world = Accounts::new(&config, 0);
        let tenant = &world.tenants[0];
        let all: Vec<Endpoint> = (0..1_000).map(|i| Endpoint::new(tenant, i)).collect();
        let count = |f: &dyn Fn(&Endpoint) -> bool| all.iter().filter(|e| f(e)).count();
        assert!(count(&|e| e.person == Person::Unknown) > 0);
        assert!(count(&|e| e.ipv4.is_empty()) > 0);
        assert!(count(&|e| e.identity.platform == "linux") > 20);
        assert!((180..330).contains(&count(&|e| e.identity.server)));
        assert!((80..220).contains(&count(&|e| !e.online)));
        let aws = |e: &Endpoint| matches!(&e.cloud, Some(("aws", id)) if id.len() == 19);
        assert!(count(&aws) > 40);
        let at = (0..1_000).find(|i| clone_of(tenant, *i).is_some()).unwrap();
        let (twin, first) = (&all[at as usize], &all[at as usize - 1]);
        assert!(twin.cloned);
        assert!(first.cloned);
        assert_eq!(first.identity.hostname, twin.identity.hostname);
        assert_eq!(first.macs, twin.macs);
        assert_ne!(first.identity.id, twin.identity.id);
        assert_eq!(tenant.endpoint_index(twin.identity.id), Some(at));
    }
}
