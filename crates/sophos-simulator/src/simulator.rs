//! The running simulator, as a library sees it.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::calls::CallCounts;
use crate::central::{Addresses, Central};
use crate::clock::Clock;
use crate::config::{Config, CredentialConfig};
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
    /// Takes the ports and begins to serve.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let central = Arc::new(Central::new(config)?);
        let config = &central.config;
        let listen = &config.listen;
        let host_name = config.host_name.clone();
        let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
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

    /// The clock; turning it turns the simulator's.
    pub fn clock(&self) -> Clock {
        self.central.clock.clone()
    }

    /// Puts a fault plan in force, from its beginning, in place of the one before.
    pub fn set_faults(&self, plan: FaultPlan) {
        self.central.set_faults(plan);
    }

    /// What has been asked since the start or the last reset.
    pub fn calls(&self) -> CallCounts {
        self.central.calls.snapshot()
    }

    /// Counts calls from nothing again, those that the limiter saw too.
    pub fn reset_calls(&self) {
        self.central.reset_calls();
    }

    /// What the limiter saw of each credential that has called, by client id.
    pub fn limiter_counts(&self) -> BTreeMap<String, LimiterCounts> {
        self.central.limiter_counts()
    }

    /// How many calls the limiter refused, of all credentials together.
    pub fn throttled(&self) -> u64 {
        self.limiter_counts().values().map(|counts| counts.refused).sum()
    }

    /// The distinct ids handed out in complete answers, in the order they were created.
    ///
    /// The dataset is a [`Dataset`] or its name; of an unknown one or tenant nothing was served.
    pub fn served(&self, dataset: impl AsRef<str>, tenant_id: &str) -> Vec<String> {
        self.find(dataset.as_ref(), tenant_id)
            .map(|(dataset, tenant)| uuid_strings(&self.central.served_ids(dataset, tenant)))
            .unwrap_or_default()
    }

    /// How many distinct records were handed out.
    pub fn served_totals(&self) -> ServedTotals {
        served_totals(&self.central)
    }

    /// Forgets what was handed out.
    pub fn reset_served(&self) {
        self.central.served.clear();
    }

    /// The truth: ids of everything with `created_at` in `[from_ms, to_ms)`, up to now.
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

    fn find(&self, dataset: &str, tenant_id: &str) -> Option<(Dataset, &Tenant)> {
        Some((Dataset::parse(dataset)?, self.central.accounts.tenant(tenant_id)?))
    }

    /// Every tenant.
    pub fn tenants(&self) -> Vec<TenantInfo> {
        self.central.accounts.tenants.iter().map(Tenant::info).collect()
    }

    /// Changes how a tenant stands; false when there is no such tenant.
    pub fn set_tenant_state(&self, tenant_id: &str, state: TenantState) -> bool {
        let tenant = self.central.accounts.tenant(tenant_id);
        tenant.inspect(|tenant| tenant.state.set(state)).is_some()
    }

    /// Moves a tenant to another data region; false when there is no such tenant or region.
    ///
    /// Its records name the new region and host at once. The new host serves what the old one did,
    /// to the same cursors, and the old one answers as it does to tenants of any other region.
    pub fn move_tenant(&self, tenant_id: &str, region: &str) -> bool {
        self.central.accounts.tenant(tenant_id).is_some_and(|tenant| tenant.region.set(region))
    }

    /// Makes a credential, as an administrator does in the console: it is made now, and those that
    /// there are stay.
    ///
    /// # Errors
    /// When its tenant is none of these, or its client id is that of another credential.
    pub fn add_credential(&self, config: CredentialConfig) -> Result<CredentialInfo, ConfigError> {
        let Central { credentials: vault, accounts: world, clock, .. } = &*self.central;
        vault.add(world, &config, clock.now_ms())
    }

    /// Deletes a credential, as an administrator does in the console: it gets no token, and those
    /// that it has are worth nothing. False when there is none.
    pub fn remove_credential(&self, client_id: &str) -> bool {
        self.central.credentials.remove(client_id)
    }

    /// Every credential, with its secret.
    pub fn credentials(&self) -> Vec<CredentialInfo> {
        self.central.credentials.list()
    }

    /// Gives a credential a new secret and returns it. Tokens made before stay valid.
    pub fn rotate_secret(&self, client_id: &str) -> Option<String> {
        self.central.credentials.rotate_secret(client_id)
    }

    /// Lets a credential end now; false when there is none. Tokens made before stay valid.
    pub fn expire_credential(&self, client_id: &str) -> bool {
        let now = self.central.clock.now_ms();
        self.central.credentials.expire(client_id, now)
    }

    /// Makes every token invalid.
    pub fn revoke_tokens(&self) {
        self.central.credentials.revoke_tokens();
    }

    /// The changes of isolation that were accepted, in order.
    pub fn isolation_changes(&self) -> Vec<IsolationChange> {
        self.central.isolation_changes()
    }

    /// Forgets the changes of isolation, not what they did.
    pub fn clear_isolation_changes(&self) {
        self.central.endpoint_states.clear_accepted();
    }

    /// Takes an endpoint on or off line; false when there is no such endpoint.
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
        let id = central.accounts.tenants[tenant].id_text.clone();
        totals.by_tenant.entry(dataset).or_default().insert(id, count);
        *totals.total.entry(dataset).or_default() += count;
    }
    totals
}
