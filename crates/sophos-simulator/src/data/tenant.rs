//! Tenants.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use crate::config::{MachineConfig, Owner};
use crate::data::timeline::Timeline;
use crate::hash::{IdSpace, Rng, mix, parse_uuid};
use crate::served::Dataset;

/// The access that a tenant allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TenantState {
    /// All operations respond.
    #[default]
    Active,
    /// The tenant is listed and responds 403 to everything.
    Forbidden,
    /// Endpoints respond; alerts and events are denied.
    AlertsDenied,
    /// The tenant is not listed and responds 403 to everything.
    Removed,
}

/// A tenant, as tests see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TenantInfo {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its data region.
    pub region: String,
    /// Its state.
    pub state: TenantState,
    /// The account that owns it.
    pub owner: Owner,
    /// The number of its endpoints.
    pub endpoints: u64,
}

/// The shares of a tenant's endpoints.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EndpointShares {
    pub(crate) wrong_clock: f64,
    pub(crate) offline: f64,
    pub(crate) server: f64,
    pub(crate) cloud: f64,
    pub(crate) clone: f64,
}

/// A configured endpoint.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) id: Option<u128>,
    pub(crate) config: MachineConfig,
}

impl Machine {
    pub(crate) fn new(config: &MachineConfig) -> Self {
        Self { id: config.id.as_deref().and_then(parse_uuid), config: config.clone() }
    }
}

#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) number: usize,
    pub(crate) id: u128,
    pub(crate) id_text: String,
    pub(crate) name: String,
    pub(crate) show_as: Option<String>,
    pub(crate) has_status: bool,
    pub(crate) has_api_host: bool,
    pub(crate) billing: &'static str,
    pub(crate) region: Region,
    pub(crate) owner: Owner,
    pub(crate) key: u64,
    pub(crate) events: Timeline,
    pub(crate) alerts: Timeline,
    /// The number of generated endpoints.
    pub(crate) generated_endpoints: u64,
    /// The configured endpoints, which follow the generated ones.
    pub(crate) machines: Vec<Arc<Machine>>,
    /// The endpoints from other tenants, which follow the configured ones.
    pub(crate) arrivals: RwLock<Vec<Arc<Machine>>>,
    pub(crate) shares: EndpointShares,
    pub(crate) start_ms: i64,
    pub(crate) state: AtomicTenantState,
}

impl Tenant {
    pub(crate) fn timeline(&self, dataset: Dataset) -> &Timeline {
        match dataset {
            Dataset::Events => &self.events,
            Dataset::Alerts | Dataset::CommonAlerts => &self.alerts,
        }
    }

    /// The ids of a dataset's records. Both datasets of alerts share theirs.
    pub(crate) fn ids(&self, dataset: Dataset) -> IdSpace {
        let salt = match dataset {
            Dataset::Events => 11,
            Dataset::Alerts | Dataset::CommonAlerts => 12,
        };
        IdSpace::new(mix(self.key, salt))
    }

    fn endpoint_ids(&self) -> IdSpace {
        IdSpace::new(mix(self.key, 13))
    }

    /// The number of endpoints at the start.
    pub(crate) fn initial_endpoint_count(&self) -> u64 {
        self.generated_endpoints + self.machines.len() as u64
    }

    /// The number of endpoints, including deleted ones and arrivals.
    pub(crate) fn endpoint_count(&self) -> u64 {
        let arrivals = self.arrivals.read().unwrap_or_else(PoisonError::into_inner);
        self.initial_endpoint_count() + arrivals.len() as u64
    }

    /// The configuration of an endpoint, if it has one.
    pub(crate) fn machine(&self, index: u64) -> Option<Arc<Machine>> {
        let at = usize::try_from(index.checked_sub(self.generated_endpoints)?).ok()?;
        if let Some(machine) = self.machines.get(at) {
            return Some(Arc::clone(machine));
        }
        let arrivals = self.arrivals.read().unwrap_or_else(PoisonError::into_inner);
        arrivals.get(at - self.machines.len()).cloned()
    }

    /// Adds an endpoint from another tenant. `prepare` gets its index before others see it.
    pub(crate) fn add_arrival(&self, machine: Machine, prepare: impl FnOnce(u64)) {
        let mut arrivals = self.arrivals.write().unwrap_or_else(PoisonError::into_inner);
        prepare(self.initial_endpoint_count() + arrivals.len() as u64);
        arrivals.push(Arc::new(machine));
    }

    pub(crate) fn endpoint_id(&self, index: u64) -> u128 {
        let config = self.machine(index).and_then(|machine| machine.id);
        config.unwrap_or_else(|| self.endpoint_ids().id(index))
    }

    /// The index of the endpoint with this id.
    pub(crate) fn endpoint_index(&self, id: u128) -> Option<u64> {
        if let Some(at) = self.machines.iter().position(|machine| machine.id == Some(id)) {
            return Some(self.generated_endpoints + at as u64);
        }
        let arrivals = self.arrivals.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = arrivals.iter().position(|machine| machine.id == Some(id)) {
            return Some(self.initial_endpoint_count() + at as u64);
        }
        drop(arrivals);
        let index = self.endpoint_ids().index(id)?;
        (index < self.endpoint_count() && self.endpoint_id(index) == id).then_some(index)
    }

    /// The random generator of a record.
    pub(crate) fn record_rng(&self, dataset: Dataset, index: u64) -> Rng {
        let salt = match dataset {
            Dataset::Events => 21,
            Dataset::Alerts | Dataset::CommonAlerts => 22,
        };
        Rng::new(mix(mix(self.key, salt), index))
    }

    pub(crate) fn info(&self) -> TenantInfo {
        TenantInfo {
            id: self.id_text.clone(),
            name: self.name.clone(),
            region: self.region.name().to_owned(),
            state: self.state.get(),
            owner: self.owner,
            endpoints: self.endpoint_count(),
        }
    }

    /// The geography of its region.
    pub(crate) fn geography(&self) -> &'static str {
        geography_of(self.region.name())
    }
}

/// The geography of a region's name.
pub(crate) fn geography_of(region: &str) -> &'static str {
    match region.get(..4) {
        Some("eu02") => "DE",
        Some(name) => match &name[..2] {
            "us" => "US",
            "ca" => "CA",
            "au" => "AU",
            "jp" => "JP",
            "br" => "BR",
            "in" => "IN",
            "ae" => "AE",
            _ => "IE",
        },
        None => "IE",
    }
}

/// The data region of a tenant, which can change concurrently.
#[derive(Debug)]
pub(crate) struct Region {
    names: Arc<[String]>,
    index: AtomicUsize,
}

impl Region {
    /// The region at this index.
    pub(crate) fn new(names: Arc<[String]>, at: usize) -> Self {
        Self { names, index: AtomicUsize::new(at) }
    }

    pub(crate) fn index(&self) -> usize {
        self.index.load(Ordering::SeqCst)
    }

    pub(crate) fn name(&self) -> &str {
        self.names.get(self.index()).map_or("", String::as_str)
    }

    /// Moves to another region. Returns `false` if no region has this name.
    pub(crate) fn set(&self, name: &str) -> bool {
        let found = self.names.iter().position(|known| known == name);
        found.inspect(|at| self.index.store(*at, Ordering::SeqCst)).is_some()
    }
}

/// A [`TenantState`] that can change concurrently.
#[derive(Debug, Default)]
pub(crate) struct AtomicTenantState(AtomicU8);

const STATES: [TenantState; 4] =
    [TenantState::Active, TenantState::Forbidden, TenantState::AlertsDenied, TenantState::Removed];

impl AtomicTenantState {
    pub(crate) fn new(state: TenantState) -> Self {
        let new = Self::default();
        new.set(state);
        new
    }

    pub(crate) fn get(&self) -> TenantState {
        STATES[usize::from(self.0.load(Ordering::SeqCst)) % STATES.len()]
    }

    pub(crate) fn set(&self, state: TenantState) {
        let at = STATES.iter().position(|s| *s == state).unwrap_or_default();
        self.0.store(at as u8, Ordering::SeqCst);
    }
}
