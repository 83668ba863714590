//! Policies, and the machines that they are about.

use serde_json::{Value, json};
use sophos_isolation::policy::Policy;
use sophos_simulator::MachineConfig;

use super::{ACME, BETA};

/// The policy of a test; `source` extends the source, `extra` the file.
pub(crate) struct TestPolicy<'a> {
    pub(crate) mode: &'a str,
    pub(crate) release: &'a str,
    pub(crate) estate_share: f64,
    pub(crate) tenant_per_hour: u32,
    pub(crate) per_hour: u32,
    pub(crate) source: &'a str,
    pub(crate) extra: &'a str,
    pub(crate) new_episode_after: &'a str,
}

impl Default for TestPolicy<'_> {
    fn default() -> Self {
        Self {
            mode: "enforce",
            release: "4h",
            estate_share: 1.0,
            tenant_per_hour: 1_000,
            per_hour: 1_000,
            source: "",
            extra: "",
            new_episode_after: "24h",
        }
    }
}

impl TestPolicy<'_> {
    pub(crate) fn policy(&self) -> Policy {
        let text = self.to_toml();
        Policy::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    pub(crate) fn to_toml(&self) -> String {
        let Self {
            mode,
            release,
            estate_share,
            tenant_per_hour,
            per_hour,
            source,
            extra: more,
            new_episode_after,
        } = self;
        format!(
            r#"
version = 1
mode = "{mode}"
[release]
after = "{release}"
new_episode_after = "{new_episode_after}"
[limits]
estate_share = {estate_share:?}
tenant_per_hour = {tenant_per_hour}
source_per_hour = 1000
[sources.edr]
tool = "generic"
tenants = ["{ACME}", "{BETA}"]
minimum_severity = "high"
verify = {{ scheme = "bearer", secret = "edr" }}
per_hour = {per_hour}
{source}
[sources.soc]
tool = "generic"
tenants = ["{ACME}"]
verify = {{ scheme = "bearer", secret = "soc" }}
may_release = true
{more}
"#
        )
    }
}

pub(crate) fn policy() -> Policy {
    TestPolicy::default().policy()
}

/// The id of the machine with this number.
pub(crate) fn id(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

pub(crate) fn mac(number: u32) -> String {
    let [_, a, b, c] = number.to_be_bytes();
    format!("02:00:00:{a:02X}:{b:02X}:{c:02X}")
}

/// A machine of Acme whose data follows from its number: `pc-7`.
pub(crate) fn machine(number: u32) -> MachineConfig {
    let [_, _, a, b] = number.to_be_bytes();
    MachineConfig {
        id: Some(id(number)),
        ipv4: Some(vec![[10, 1, a, b].into()]),
        macs: Some(vec![mac(number)]),
        ..MachineConfig::computer(ACME, format!("pc-{number}"))
    }
}

pub(crate) fn machines(count: u32) -> Vec<MachineConfig> {
    (1..=count).map(machine).collect()
}

/// The identifiers of the machine with this number.
pub(crate) fn host(number: u32) -> Value {
    json!({ "hostnames": [format!("pc-{number}")] })
}
