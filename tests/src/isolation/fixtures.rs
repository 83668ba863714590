//! A tenant whose machines have known names and ids.

use sophos_simulator::{
    ClockConfig, Config, CredentialConfig, IsolationConfig, MachineConfig, Owner, Role, TenantGroup,
};

/// The tenant.
pub const TENANT: &str = "0afef0e6-5df7-4cc0-b8d4-068cfd6820d1";

/// A policy that enforces isolation for one generic source, `soar`, with wide limits. A test
/// can append to it.
pub const ENFORCE_POLICY: &str = r#"
version = 1
mode = "enforce"
[limits]
estate_share = 1.0
tenant_per_hour = 1000
source_per_hour = 1000
[sources.soar]
tool = "generic"
tenants = ["0afef0e6-5df7-4cc0-b8d4-068cfd6820d1"]
verify = { scheme = "signature", secret = "webhooks/generic" }
"#;

/// The same policy with limits that one isolation exhausts.
pub fn tight_limits_policy() -> String {
    let wide = "estate_share = 1.0\ntenant_per_hour = 1000\nsource_per_hour = 1000";
    ENFORCE_POLICY.replace(wide, "estate_share = 0.01\ntenant_per_hour = 1\nsource_per_hour = 1")
}

/// The id of a machine, from 1.
pub fn machine_id(number: usize) -> String {
    format!("11111111-2222-4333-8444-{number:012}")
}

/// The host name of a machine, from 1.
pub fn hostname(number: usize) -> String {
    format!("PC-{number:04}")
}

/// A simulator with one tenant of this many machines, all online, which report changes at once.
/// Its clock runs in real time.
pub fn simulator_config(machines: usize) -> Config {
    let machine = |number| MachineConfig {
        id: Some(machine_id(number)),
        hostname: Some(hostname(number)),
        online: Some(true),
        ..MachineConfig::new(TENANT)
    };
    let tenant =
        TenantGroup { id: Some(TENANT.into()), endpoints: Some(5), ..TenantGroup::new(Owner::Standalone, 1) };
    Config {
        clock: ClockConfig { start: None, running: true },
        tenants: vec![tenant],
        credentials: vec![CredentialConfig::for_tenant(TENANT, Role::SuperAdmin)],
        machines: (1..=machines).map(machine).collect(),
        isolation: IsolationConfig { report_delay_seconds: 0 },
        ..Config::default()
    }
}
