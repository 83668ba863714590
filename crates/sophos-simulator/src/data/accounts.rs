//! All tenants and their partner and organization.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, RwLock};

use crate::config::{Config, MachineConfig, Owner, TenantGroup};
use crate::data::tenant::{AtomicTenantState, EndpointShares, Machine, Region, Tenant};
use crate::data::timeline::{Timeline, TimelineConfig};
use crate::error::ConfigError;
use crate::hash::{Rng, mix, parse_uuid, uuid_text};

#[derive(Debug)]
pub(crate) struct Accounts {
    pub(crate) partner_id: u128,
    pub(crate) organization_id: u128,
    pub(crate) tenants: Vec<Tenant>,
    by_id: HashMap<u128, usize>,
    /// Tenants created since the start, in order.
    created: Vec<OnceLock<Box<Tenant>>>,
}

/// The maximum number of tenants that can be created.
const MAX_CREATED: usize = 1_000;

const FIRST_WORDS: &[&str] = &[
    "Northwind",
    "Blauwal",
    "Café Müller",
    "Harbour",
    "O'Neil",
    "Quarry",
    "Sørensen",
    "Vela",
    "Larch",
    "Kestrel",
    "\"Die Brücke\"",
    "Tanaka",
];
const SECOND_WORDS: &[&str] = &[
    "Logistics",
    "Dental",
    "Foods",
    "Metalworks",
    "Textil",
    "Schools",
    "& Sons",
    "Clinic",
    "Freight",
    "Optics",
];

impl Accounts {
    pub(crate) fn new(config: &Config, start_ms: i64) -> Self {
        let groups = if config.tenants.is_empty() {
            vec![
                TenantGroup::new(Owner::Partner, 3),
                TenantGroup::new(Owner::Organization, 2),
                TenantGroup::new(Owner::Standalone, 1),
            ]
        } else {
            config.tenants.clone()
        };
        let regions: Arc<[String]> = config.regions.as_slice().into();
        let mut tenants = Vec::new();
        for group in &groups {
            for within in 0..group.count {
                let tenant = create_tenant(config, group, &regions, within, tenants.len(), start_ms);
                tenants.push(tenant);
            }
        }
        let by_id = tenants.iter().map(|t| (t.id, t.number)).collect();
        Self {
            partner_id: Rng::new(mix(config.seed, 0x7061_7274)).uuid(),
            organization_id: Rng::new(mix(config.seed, 0x6f72_6761)).uuid(),
            tenants,
            by_id,
            created: (0..MAX_CREATED).map(|_| OnceLock::new()).collect(),
        }
    }

    /// Adds the configured endpoints to their tenants.
    pub(crate) fn add_machines(&mut self, machines: &[MachineConfig]) -> Result<(), ConfigError> {
        for config in machines {
            let named = &config.tenant;
            let tenant = self
                .find_tenant(named)
                .ok_or_else(|| ConfigError::invalid(format!("unknown tenant {named:?} of a machine")))?;
            let (number, machine) = (tenant.number, Machine::new(config));
            if machine.id.is_some_and(|id| tenant.endpoint_index(id).is_some()) {
                let id = config.id.as_deref().unwrap_or_default();
                return Err(ConfigError::invalid(format!(
                    "duplicate endpoint id {id:?} of tenant {named:?}"
                )));
            }
            self.tenants[number].machines.push(Arc::new(machine));
        }
        Ok(())
    }

    pub(crate) fn tenant(&self, id: &str) -> Option<&Tenant> {
        let id = parse_uuid(id)?;
        let first = self.by_id.get(&id).map(|number| &self.tenants[*number]);
        first.or_else(|| self.created().find(|tenant| tenant.id == id))
    }

    fn created(&self) -> impl Iterator<Item = &Tenant> {
        self.created.iter().map_while(|place| place.get().map(Box::as_ref))
    }

    /// All tenants, with those created since the start.
    pub(crate) fn tenants(&self) -> impl Iterator<Item = &Tenant> {
        self.tenants.iter().chain(self.created())
    }

    /// The tenant with this number.
    pub(crate) fn tenant_at(&self, number: usize) -> &Tenant {
        let created = number.checked_sub(self.tenants.len()).and_then(|at| self.created.get(at)?.get());
        created.map_or_else(|| &self.tenants[number], Box::as_ref)
    }

    /// Creates a tenant without endpoints and records, as `adjust` completes it. `None` if the
    /// maximum is reached.
    pub(crate) fn create(
        &self,
        config: &Config,
        group: &TenantGroup,
        now_ms: i64,
        adjust: impl Fn(&mut Tenant),
    ) -> Option<&Tenant> {
        let regions: Arc<[String]> = config.regions.as_slice().into();
        for (at, place) in self.created.iter().enumerate() {
            let mut is_new = false;
            let tenant = place.get_or_init(|| {
                is_new = true;
                let mut tenant = create_tenant(config, group, &regions, 0, self.tenants.len() + at, now_ms);
                adjust(&mut tenant);
                Box::new(tenant)
            });
            if is_new {
                return Some(tenant);
            }
        }
        None
    }

    /// The tenant with this id or name.
    pub(crate) fn find_tenant(&self, text: &str) -> Option<&Tenant> {
        self.tenant(text).or_else(|| self.tenants().find(|t| t.name == text))
    }
}

fn create_tenant(
    config: &Config,
    group: &TenantGroup,
    regions: &Arc<[String]>,
    within: usize,
    number: usize,
    start_ms: i64,
) -> Tenant {
    let key = mix(mix(config.seed, 0x7465_6e61), number as u64);
    let mut rng = Rng::new(key);
    let invented = rng.uuid();
    let id = group.id.as_deref().and_then(parse_uuid).unwrap_or(invented);
    let (first, second) = (rng.pick(FIRST_WORDS), rng.pick(SECOND_WORDS));
    let name = match &group.name {
        Some(name) if group.count == 1 => name.clone(),
        Some(name) => format!("{name} {}", within + 1),
        None => format!("{first} {second} {}", number + 1),
    };
    let region = group
        .region
        .as_ref()
        .and_then(|name| regions.iter().position(|r| r == name))
        .unwrap_or(number % regions.len());
    let data = &config.data;
    let line = |salt, own: Option<f64>, common: f64, own_total: Option<u64>, total| {
        Timeline::new(&TimelineConfig {
            key: mix(key, salt),
            start_ms,
            history_hours: group.history_hours.unwrap_or(data.history_hours),
            per_hour: own.unwrap_or(common),
            total: own_total.or(total),
            late_share: data.late_share,
            late_ms: (data.late_min_seconds * 1e3, data.late_max_seconds * 1e3),
            repeat_share: data.repeat_share,
        })
    };
    Tenant {
        number,
        id,
        id_text: uuid_text(id),
        show_as: rng.chance(config.quirks.show_as).then(|| format!("{name} (shown)")),
        name,
        has_status: rng.chance(config.quirks.status),
        has_api_host: !rng.chance(config.quirks.no_api_host),
        billing: rng.pick(&["term", "trial", "usage"]),
        region: Region::new(Arc::clone(regions), region),
        owner: group.owner,
        key,
        events: line(31, group.events_per_hour, data.events_per_hour, group.events_total, data.events_total),
        alerts: line(32, group.alerts_per_hour, data.alerts_per_hour, group.alerts_total, data.alerts_total),
        generated_endpoints: group.endpoints.unwrap_or(data.endpoints),
        machines: Vec::new(),
        arrivals: RwLock::default(),
        shares: EndpointShares {
            wrong_clock: data.wrong_clock_share,
            offline: data.offline_share,
            server: data.server_share,
            cloud: data.cloud_share,
            clone: data.clone_share,
        },
        start_ms,
        state: AtomicTenantState::new(group.state),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_generates_the_same_tenants() {
        let config = Config::default();
        let (a, b) = (Accounts::new(&config, 0), Accounts::new(&config, 99));
        let other = Config { seed: 2, ..Config::default() };
        let ids = |w: &Accounts| w.tenants.iter().map(|t| t.id).collect::<Vec<_>>();
        assert_eq!(ids(&a), ids(&b));
        assert_ne!(ids(&a), ids(&Accounts::new(&other, 0)));
        let third = &a.tenants[2];
        assert_eq!(a.tenant(&third.id_text.to_uppercase()).unwrap().number, 2);
        assert_eq!(a.find_tenant(&third.name).unwrap().number, 2);
    }

    #[test]
    fn tenant_groups_honor_configured_ids() {
        let id = "0afef0e6-5df7-4cc0-b8d4-068cfd6820d1";
        let config = Config {
            tenants: vec![
                TenantGroup {
                    id: Some(id.to_owned()),
                    name: Some("Acme".to_owned()),
                    region: Some("us01".to_owned()),
                    ..TenantGroup::default()
                },
                TenantGroup { name: Some("Shop".to_owned()), ..TenantGroup::new(Owner::Both, 10_000) },
            ],
            ..Config::default()
        };
        let world = Accounts::new(&config, 0);
        assert_eq!(world.tenants.len(), 10_001);
        assert_eq!(world.tenant(id).unwrap().region.name(), "us01");
        assert_eq!(world.find_tenant("Shop 10000").unwrap().number, 10_000);
    }
}
