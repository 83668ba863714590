//! The state that all hosts share.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::calls::Calls;
use crate::clock::Clock;
use crate::config::Config;
use crate::credentials::CredentialStore;
use crate::data::accounts::Accounts;
use crate::data::endpoint::Endpoint;
use crate::data::endpoint_json::EndpointSnapshot;
use crate::data::tenant::Tenant;
use crate::endpoint_states::{AcceptedChange, EndpointStates};
use crate::engine::files::Files;
use crate::engine::state::StateStore;
use crate::error::ConfigError;
use crate::faults::{FaultPlan, Faults};
use crate::handlers::fusion_state::FusionState;
use crate::hash::{Rng, mix, uuid_text};
use crate::isolation_changes::IsolationChange;
use crate::limiter::Limiter;
use crate::limiter_counts::LimiterCounts;
use crate::response::{ApiError, ApiResponse};
use crate::served::{Dataset, Served};
use crate::time;

/// The addresses of a simulator. The scheme is the advertised one; every port accepts both.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Addresses {
    /// The identity service.
    pub identity: String,
    /// The global host.
    pub global: String,
    /// The GraphQL host of Sophos Fusion.
    #[serde(default)]
    pub fusion: String,
    /// The regional hosts by region.
    pub regions: BTreeMap<String, String>,
    /// The control host, always plain HTTP.
    pub control: String,
    /// The file with the certificate that TLS clients have to trust, if the configuration
    /// names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_ca_file: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Central {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) accounts: Accounts,
    pub(crate) credentials: CredentialStore,
    pub(crate) faults: Faults,
    pub(crate) calls: Calls,
    pub(crate) served: Served,
    pub(crate) endpoint_states: EndpointStates,
    pub(crate) limiter: Limiter,
    pub(crate) fusion: FusionState,
    /// The state of all accounts.
    pub(crate) state: StateStore,
    pub(crate) files: Files,
    /// The time of the start, in Unix milliseconds.
    pub(crate) start_ms: i64,
    addresses: OnceLock<Addresses>,
    rng_count: AtomicU64,
}

impl Central {
    pub(crate) fn new(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let start = config.clock.start.as_deref().and_then(time::parse);
        let start_ms = start.unwrap_or_else(time::real_now_ms);
        let mut world = Accounts::new(&config, start_ms);
        world.add_machines(&config.machines)?;
        let delay = config.isolation.report_delay_seconds.saturating_mul(1_000);
        Ok(Self {
            clock: Clock::new(start_ms, config.clock.running),
            credentials: CredentialStore::new(&config, &world, start_ms)?,
            faults: Faults::new(config.seed, config.faults.clone(), start_ms),
            calls: Calls::default(),
            served: Served::default(),
            endpoint_states: EndpointStates::new(i64::try_from(delay).unwrap_or(i64::MAX / 4)),
            limiter: Limiter::new(&config.limiter),
            fusion: FusionState::default(),
            state: StateStore::default(),
            files: Files::default(),
            start_ms,
            addresses: OnceLock::new(),
            rng_count: AtomicU64::new(0),
            accounts: world,
            config,
        })
    }

    /// Replaces the fault plan.
    pub(crate) fn set_faults(&self, plan: FaultPlan) {
        self.faults.set(plan, self.clock.now_ms());
    }

    pub(crate) fn set_addresses(&self, addresses: Addresses) {
        // Set once, right after the ports are bound.
        let _ = self.addresses.set(addresses);
    }

    pub(crate) fn addresses(&self) -> Addresses {
        self.addresses.get().cloned().unwrap_or_default()
    }

    /// A new generator for values that may differ between two responses to the same
    /// request.
    pub(crate) fn new_rng(&self) -> Rng {
        let count = self.rng_count.fetch_add(1, Ordering::SeqCst);
        Rng::new(mix(mix(self.config.seed, 0x6472_6177), count))
    }

    pub(crate) fn error_response(&self, refusal: &ApiError) -> ApiResponse {
        let rng = self.new_rng();
        refusal.to_response(rng, self.config.quirks.rare_error_forms, self.clock.now_ms())
    }

    /// The `size` of a page: the requested size, or sometimes the number of its items.
    pub(crate) fn page_size(&self, requested: u64, count: usize) -> u64 {
        if self.new_rng().chance(self.config.quirks.size_is_count) { count as u64 } else { requested }
    }

    /// The current state of an endpoint.
    pub(crate) fn endpoint(&self, tenant: &Tenant, index: u64) -> EndpointSnapshot {
        let now = self.clock.now_ms();
        let mut endpoint = Endpoint::new(tenant, index);
        endpoint.apply_changes(self.endpoint_states.changes((tenant.number, index)));
        let live = self.endpoint_states.snapshot((tenant.number, index), endpoint.online, now);
        EndpointSnapshot::new(tenant, endpoint, live, now)
    }

    /// The index of the endpoint with this id, unless it was deleted.
    pub(crate) fn find_endpoint(&self, tenant: &Tenant, id: u128) -> Option<u64> {
        tenant.endpoint_index(id).filter(|index| self.endpoint_exists(tenant, *index))
    }

    /// Whether the endpoint was not deleted and, after a migration, has arrived.
    pub(crate) fn endpoint_exists(&self, tenant: &Tenant, index: u64) -> bool {
        self.endpoint_states.exists((tenant.number, index), self.clock.now_ms())
    }

    /// The indexes of the endpoints of a tenant that exist now.
    pub(crate) fn endpoint_indexes<'a>(&'a self, tenant: &'a Tenant) -> impl Iterator<Item = u64> + 'a {
        (0..tenant.endpoint_count()).filter(move |index| self.endpoint_exists(tenant, *index))
    }

    /// The current states of all endpoints of a tenant.
    pub(crate) fn endpoints<'a>(&'a self, tenant: &'a Tenant) -> impl Iterator<Item = EndpointSnapshot> + 'a {
        self.endpoint_indexes(tenant).map(move |index| self.endpoint(tenant, index))
    }

    pub(crate) fn set_online(&self, tenant: &str, endpoint: &str, online: bool) -> bool {
        let found = self.accounts.tenant(tenant).and_then(|tenant| {
            let id = crate::hash::parse_uuid(endpoint)?;
            Some((tenant, self.find_endpoint(tenant, id)?))
        });
        let Some((tenant, index)) = found else {
            return false;
        };
        let base = Endpoint::new(tenant, index).online;
        let now = self.clock.now_ms();
        self.endpoint_states.set_online((tenant.number, index), base, online, now);
        true
    }

    pub(crate) fn isolation_changes(&self) -> Vec<IsolationChange> {
        let text = |accepted: AcceptedChange| {
            let (number, index) = accepted.key;
            let tenant = self.accounts.tenant_at(number);
            IsolationChange {
                tenant: tenant.id_text.clone(),
                endpoint: uuid_text(tenant.endpoint_id(index)),
                enabled: accepted.enabled,
                changed: accepted.changed,
                comment: accepted.comment,
                requested_by: accepted.requested_by,
                at_ms: accepted.at_ms,
                received_real_ms: accepted.real_ms,
                operation: accepted.operation.to_owned(),
            }
        };
        self.endpoint_states.accepted().into_iter().map(text).collect()
    }

    /// The counts of the limiter, by client id.
    pub(crate) fn limiter_counts(&self) -> BTreeMap<String, LimiterCounts> {
        let ids = self.credentials.client_ids();
        let named = |(number, counts): (usize, _)| Some((ids.get(number)?.clone(), counts));
        self.limiter.counts().into_iter().filter_map(named).collect()
    }

    /// Resets the counts of calls to zero.
    pub(crate) fn reset_calls(&self) {
        self.calls.reset();
        self.limiter.reset_counts();
    }

    /// The ids of the records created in `[from_ms, to_ms)` and not in the future.
    pub(crate) fn produced(&self, dataset: Dataset, tenant: &Tenant, from: i64, to: i64) -> Vec<u128> {
        let to = to.min(self.clock.now_ms() + 1);
        let ids = tenant.ids(dataset);
        let range = tenant.timeline(dataset).range(from, to);
        range.map(|index| ids.id(index)).collect()
    }

    pub(crate) fn served_ids(&self, dataset: Dataset, tenant: &Tenant) -> Vec<u128> {
        let ids = tenant.ids(dataset);
        let indexes = self.served.indexes(dataset, tenant.number);
        indexes.into_iter().map(|index| ids.id(index)).collect()
    }
}
