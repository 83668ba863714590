//! The scenarios for the native client and every host.

mod actions;
mod failures;
mod queries;

use end_to_end::hosts::{SessionPlan, client_grant, scenario::Scenario};
use serde_json::{Value, json};
use sophos_simulator::{
    ClockConfig, Config, CredentialConfig, CredentialKind, DataConfig, MachineConfig, MachineType, Owner,
    Role, Simulator, Tag, TenantGroup,
};

pub(crate) const ACME: &str = "0afef0e6-5df7-4cc0-b8d4-068cfd6820d1";
const LONE: &str = "5b6b31a4-6b2f-4d57-9c15-9a6f8f0f7f10";

/// An online laptop of Acme with every member set.
const LAPTOP: &str = "7a1f6f0e-27a4-4b58-9f0e-3b1f9d2c1a01";
/// A server of Acme that is offline.
const SERVER: &str = "7a1f6f0e-27a4-4b58-9f0e-3b1f9d2c1a02";
/// An id that does not exist.
const UNKNOWN_ID: &str = "00000000-0000-4000-8000-000000000000";

/// Returns all scenarios.
pub(crate) fn all() -> Vec<Scenario> {
    [queries::scenarios(), actions::scenarios(), failures::scenarios()].into_iter().flatten().collect()
}

/// Returns the simulator: a partner with 121 tenants, an organization with two, and a
/// standalone tenant. Acme has 25 endpoints and 30 alerts.
pub(crate) fn config() -> Config {
    let group = |owner, count, endpoints| TenantGroup {
        endpoints: Some(endpoints),
        ..TenantGroup::new(owner, count)
    };
    let named = |id: &str, name: &str, group| TenantGroup {
        id: Some(id.to_owned()),
        name: Some(name.to_owned()),
        ..group
    };
    let credential = |kind, role| CredentialConfig::new(kind, role);
    Config {
        clock: ClockConfig { start: Some("2026-01-15T12:00:00Z".to_owned()), running: false },
        tenants: vec![
            TenantGroup { alerts_total: Some(30), ..named(ACME, "Acme", group(Owner::Partner, 1, 23)) },
            group(Owner::Partner, 120, 1),
            group(Owner::Organization, 2, 1),
            named(LONE, "Lone", group(Owner::Standalone, 1, 2)),
        ],
        machines: vec![laptop(), server()],
        credentials: vec![
            credential(CredentialKind::Partner, Role::SuperAdmin),
            credential(CredentialKind::Organization, Role::SuperAdmin),
            CredentialConfig::for_tenant(LONE, Role::SuperAdmin),
            credential(CredentialKind::Partner, Role::ReadOnly),
        ],
        data: DataConfig { offline_share: 0.0, ..DataConfig::default() },
        ..Config::default()
    }
}

fn laptop() -> MachineConfig {
    MachineConfig {
        id: Some(LAPTOP.to_owned()),
        hostname: Some("ACME-LAPTOP-7".to_owned()),
        machine_type: Some(MachineType::Computer),
        ipv4: Some(vec![[10, 1, 2, 3].into(), [192, 0, 2, 7].into()]),
        macs: Some(vec!["00:00:5E:00:53:af".to_owned()]),
        group: Some("Web".to_owned()),
        tags: vec![Tag::new("env", "prod"), Tag::new("owner", "web")],
        cloud_instance: Some("i-0abcdef1234567890".to_owned()),
        cloned: Some(true),
        online: Some(true),
        ..MachineConfig::new("Acme")
    }
}

fn server() -> MachineConfig {
    MachineConfig {
        id: Some(SERVER.to_owned()),
        hostname: Some("ACME-DB-1".to_owned()),
        machine_type: Some(MachineType::Server),
        online: Some(false),
        ..MachineConfig::new("Acme")
    }
}

/// Returns the start position of one hour ago, by the clock of [`config`].
pub(crate) fn an_hour_ago() -> Value {
    json!({"tag": "since", "val": 1_768_474_800})
}

/// Returns a scenario with [`config`].
fn scenario(name: &'static str) -> Scenario {
    Scenario::new(name, config)
}

/// Returns a scenario that first opens Acme.
fn acme_scenario(name: &'static str) -> Scenario {
    scenario(name).call_ok("tenants.open", json!([ACME]))
}

/// Returns a setup with another credential, by its index in [`config`].
fn with_credential(index: usize) -> impl Fn(&Simulator, &mut SessionPlan) {
    move |simulator, plan| plan.initial_grant = client_grant(&simulator.credentials()[index])
}

const ORGANIZATION_CREDENTIAL: usize = 1;
const TENANT_CREDENTIAL: usize = 2;
const READ_ONLY_CREDENTIAL: usize = 3;

/// Returns limits without retries.
fn no_retry_limits() -> Value {
    json!([{"call-timeout-ms": 20_000, "request-timeout-ms": 5_000, "max-attempts": 1}])
}
