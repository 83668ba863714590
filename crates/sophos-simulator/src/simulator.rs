//! The running simulator.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::calls::CallCounts;
use crate::central::{Addresses, Central};
use crate::clock::Clock;
use crate::config::{Config, CredentialConfig, Platform};
use crate::control;
use crate::credentials::CredentialInfo;
use crate::data::tenant::{Tenant, TenantInfo, TenantState};
use crate::error::{ConfigError, StartError};
use crate::faults::FaultPlan;
use crate::hash::uuid_text;
use crate::isolation_changes::IsolationChange;
use crate::limiter_counts::LimiterCounts;
use crate::routes::HostKind;
use crate::serve::listen::{self, App};
use crate::serve::tls;
use crate::served::{Dataset, ServedTotals};

/// A running simulator. Dropping it closes every port and connection.
#[derive(Debug)]
pub struct Simulator {
    central: Arc<Central>,
    _hosts: JoinSet<()>,
}

async fn bind(address: &str, port: u16, host: &str) -> Result<(TcpListener, u16), StartError> {
    let failed =
        |source| StartError::Listen { host: host.to_owned(), address: format!("{address}:{port}"), source };
    let listener = TcpListener::bind((address, port)).await.map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    Ok((listener, port))
}

impl Simulator {
    /// Binds the ports and starts to serve.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let central = Arc::new(Central::new(config)?);
        let config = &central.config;
        let listen = &config.listen;
        let host_name = config.host_name.clone();
        // A client whose connections to the service are redirected checks the service's names.
        let always = ["localhost", "127.0.0.1", "::1", "id.sophos.com", "*.central.sophos.com"];
        let mut names = always.map(str::to_owned).to_vec();
        for name in [&host_name, &listen.address] {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        let tls = tls::acceptor(&names, config.tls_ca_file.as_deref())?;
        let scheme = config.advertise.as_str();
        let url = |scheme: &str, port| {
            if host_name.contains(':') {
                format!("{scheme}://[{host_name}]:{port}")
            } else {
                format!("{scheme}://{host_name}:{port}")
            }
        };
        let mut hosts = JoinSet::new();
        let mut serve = |listener, app| hosts.spawn(listen::serve(listener, tls.clone(), app));
        let mut addresses = Addresses::default();
        let address = listen.address.as_str();

        let (listener, port) = bind(address, listen.identity, "identity").await?;
        addresses.identity = url(scheme, port);
        serve(listener, App::Host(Arc::clone(&central), HostKind::Identity, 0));
        let (listener, port) = bind(address, listen.global, "global").await?;
        addresses.global = url(scheme, port);
        serve(listener, App::Host(Arc::clone(&central), HostKind::Global, 0));
        let (listener, port) = bind(address, listen.fusion, "fusion").await?;
        addresses.fusion = url(scheme, port);
        serve(listener, App::Host(Arc::clone(&central), HostKind::Fusion, 0));
        for (number, region) in config.regions.iter().enumerate() {
            let port = listen.regions.get(region).copied().unwrap_or_default();
            let (listener, port) = bind(address, port, region).await?;
            addresses.regions.insert(region.clone(), url(scheme, port));
            serve(listener, App::Host(Arc::clone(&central), HostKind::Region, number));
        }
        let (listener, port) = bind(address, listen.control, "control").await?;
        addresses.control = url("http", port);
        addresses.tls_ca_file = config.tls_ca_file.as_ref().map(|p| p.display().to_string());
        central.set_addresses(addresses);
        serve(listener, App::Control(control::router(Arc::clone(&central))));
        Ok(Self { central, _hosts: hosts })
    }

    /// The address of the identity service, without a trailing slash.
    pub fn identity_url(&self) -> String {
        self.addresses().identity
    }

    /// The address of the global host.
    pub fn global_url(&self) -> String {
        self.addresses().global
    }

    /// The address of the GraphQL host of Sophos Fusion.
    pub fn fusion_url(&self) -> String {
        self.addresses().fusion
    }

    /// The address of a data region's host.
    pub fn region_url(&self, region: &str) -> Option<String> {
        self.addresses().regions.get(region).cloned()
    }

    /// The address of the control host.
    pub fn control_url(&self) -> String {
        self.addresses().control
    }

    /// Every address.
    pub fn addresses(&self) -> Addresses {
        self.central.addresses()
    }

    /// The simulator's clock.
    pub fn clock(&self) -> Clock {
        self.central.clock.clone()
    }

    /// Replaces the fault plan. The new plan starts from its beginning.
    pub fn set_faults(&self, plan: FaultPlan) {
        self.central.set_faults(plan);
    }

    /// The calls since the start or the last reset.
    pub fn calls(&self) -> CallCounts {
        self.central.calls.snapshot()
    }

    /// Resets the counts of calls and of the limiter to zero.
    pub fn reset_calls(&self) {
        self.central.reset_calls();
    }

    /// The limiter's counts of each credential that has called, by client id.
    pub fn limiter_counts(&self) -> BTreeMap<String, LimiterCounts> {
        self.central.limiter_counts()
    }

    /// The number of calls that the limiter rejected, over all credentials.
    pub fn throttled(&self) -> u64 {
        self.limiter_counts().values().map(|counts| counts.refused).sum()
    }

    /// The distinct ids in complete responses, in the order of their creation.
    ///
    /// The dataset is a [`Dataset`] or its name. The result is empty for an unknown dataset
    /// or tenant.
    pub fn served(&self, dataset: impl AsRef<str>, tenant_id: &str) -> Vec<String> {
        self.find(dataset.as_ref(), tenant_id)
            .map(|(dataset, tenant)| uuid_strings(&self.central.served_ids(dataset, tenant)))
            .unwrap_or_default()
    }

    /// The number of distinct served records.
    pub fn served_totals(&self) -> ServedTotals {
        served_totals(&self.central)
    }

    /// Forgets the served records.
    pub fn reset_served(&self) {
        self.central.served.clear();
    }

    /// The ids of all records with `created_at` in `[from_ms, to_ms)`, up to now.
    pub fn produced(
        &self,
        dataset: impl AsRef<str>,
        tenant_id: &str,
        from_ms: i64,
        to_ms: i64,
    ) -> Vec<String> {
        self.find(dataset.as_ref(), tenant_id)
            .map(|(dataset, tenant)| uuid_strings(&self.central.produced(dataset, tenant, from_ms, to_ms)))
            .unwrap_or_default()
    }

    pub(crate) fn central(&self) -> &Central {
        &self.central
    }

    fn find(&self, dataset: &str, tenant_id: &str) -> Option<(Dataset, &Tenant)> {
        Some((Dataset::parse(dataset)?, self.central.accounts.tenant(tenant_id)?))
    }

    /// All tenants.
    pub fn tenants(&self) -> Vec<TenantInfo> {
        self.central.accounts.tenants().map(Tenant::info).collect()
    }

    /// Sets the state of a tenant. Returns `false` if the tenant does not exist.
    pub fn set_tenant_state(&self, tenant_id: &str, state: TenantState) -> bool {
        let tenant = self.central.accounts.tenant(tenant_id);
        tenant.inspect(|tenant| tenant.state.set(state)).is_some()
    }

    /// Moves a tenant to another data region. Returns `false` if the tenant or region does
    /// not exist.
    ///
    /// Its records name the new region and host at once. The new host accepts the old
    /// cursors, and the old host responds as to tenants of any other region.
    pub fn move_tenant(&self, tenant_id: &str, region: &str) -> bool {
        self.central.accounts.tenant(tenant_id).is_some_and(|tenant| tenant.region.set(region))
    }

    /// Moves a tenant to Sophos Fusion, or back. Returns `false` if it does not exist.
    pub fn set_tenant_platform(&self, tenant_id: &str, platform: Platform) -> bool {
        let tenant = self.central.accounts.tenant(tenant_id);
        tenant.inspect(|tenant| tenant.set_platform(platform)).is_some()
    }

    /// Creates a credential, as an administrator does in the console. Existing credentials
    /// stay.
    ///
    /// # Errors
    /// When its tenant is unknown, or another credential has its client id.
    pub fn add_credential(&self, config: CredentialConfig) -> Result<CredentialInfo, ConfigError> {
        let Central { credentials: vault, accounts: world, clock, .. } = &*self.central;
        vault.add(world, &config, clock.now_ms())
    }

    /// Deletes a credential, as an administrator does in the console, and invalidates its
    /// tokens. Returns `false` if it does not exist.
    pub fn remove_credential(&self, client_id: &str) -> bool {
        self.central.credentials.remove(client_id)
    }

    /// Every credential, with its secret.
    pub fn credentials(&self) -> Vec<CredentialInfo> {
        self.central.credentials.list()
    }

    /// Replaces a credential's secret and returns the new one. Existing tokens stay valid.
    pub fn rotate_secret(&self, client_id: &str) -> Option<String> {
        self.central.credentials.rotate_secret(client_id)
    }

    /// Expires a credential now. Returns `false` if it does not exist. Existing tokens stay
    /// valid.
    pub fn expire_credential(&self, client_id: &str) -> bool {
        let now = self.central.clock.now_ms();
        self.central.credentials.expire(client_id, now)
    }

    /// Invalidates every token.
    pub fn revoke_tokens(&self) {
        self.central.credentials.revoke_tokens();
    }

    /// The accepted changes of isolation, in order.
    pub fn isolation_changes(&self) -> Vec<IsolationChange> {
        self.central.isolation_changes()
    }

    /// Forgets the changes of isolation, not their effects.
    pub fn clear_isolation_changes(&self) {
        self.central.endpoint_states.clear_accepted();
    }

    /// Sets an endpoint online or offline. Returns `false` if it does not exist.
    pub fn set_endpoint_online(&self, tenant_id: &str, endpoint_id: &str, online: bool) -> bool {
        self.central.set_online(tenant_id, endpoint_id, online)
    }
}

fn uuid_strings(ids: &[u128]) -> Vec<String> {
    ids.iter().map(|id| uuid_text(*id)).collect()
}

pub(crate) fn served_totals(central: &Central) -> ServedTotals {
    let mut totals = ServedTotals::default();
    for (dataset, tenant, count) in central.served.counts() {
        let id = central.accounts.tenant_at(tenant).id_text.clone();
        totals.by_tenant.entry(dataset).or_default().insert(id, count);
        *totals.total.entry(dataset).or_default() += count;
    }
    totals
}
