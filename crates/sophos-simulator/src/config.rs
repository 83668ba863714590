//! The configuration of a simulator.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use accounts::{CredentialConfig, CredentialKind, Owner, Platform, Role, TenantGroup};
pub use data::{DataConfig, QuirkConfig};
pub use machines::{MachineConfig, MachineType, Tag};

use crate::error::ConfigError;
use crate::faults::FaultPlan;
use crate::limiter::LimiterConfig;

mod accounts;
mod data;
mod machines;

/// The configuration of a simulator. The default is a small, complete Sophos Central.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The seed of everything generated.
    pub seed: u64,
    /// The scheme of the advertised addresses; every port accepts both.
    pub advertise: Scheme,
    /// The host name of the advertised addresses.
    pub host_name: String,
    /// The file for the certificate (PEM) that TLS clients have to trust.
    pub tls_ca_file: Option<PathBuf>,
    /// The clock.
    pub clock: ClockConfig,
    /// The ports of the hosts.
    pub listen: ListenConfig,
    /// The data regions, one host each.
    pub regions: Vec<String>,
    /// The lifetime of tokens.
    pub tokens: TokenConfig,
    /// Groups of tenants. If empty: three of the partner, two of the organization, one
    /// standalone.
    pub tenants: Vec<TenantGroup>,
    /// Endpoints with a configuration of their own, beside the generated ones.
    pub machines: Vec<MachineConfig>,
    /// API credentials. If empty: one for each kind of account and the roles that tests
    /// need.
    pub credentials: Vec<CredentialConfig>,
    /// The amounts and irregularities of events, alerts and endpoints.
    pub data: DataConfig,
    /// The shares of responses in an irregular form.
    pub quirks: QuirkConfig,
    /// The configuration of isolation.
    pub isolation: IsolationConfig,
    /// The configuration of the alerts of the Common API.
    pub alerts: AlertsConfig,
    /// The rate limiter; off without a window.
    pub limiter: LimiterConfig,
    /// The initial fault plan.
    pub faults: FaultPlan,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 1,
            advertise: Scheme::Http,
            host_name: "127.0.0.1".to_owned(),
            tls_ca_file: None,
            clock: ClockConfig::default(),
            listen: ListenConfig::default(),
            regions: vec!["eu01".to_owned(), "us01".to_owned()],
            tokens: TokenConfig::default(),
            tenants: Vec::new(),
            machines: Vec::new(),
            credentials: Vec::new(),
            data: DataConfig::default(),
            quirks: QuirkConfig::default(),
            isolation: IsolationConfig::default(),
            alerts: AlertsConfig::default(),
            limiter: LimiterConfig::default(),
            faults: FaultPlan::default(),
        }
    }
}

impl Config {
    /// Parses a configuration from TOML text.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(ConfigError::syntax)?;
        config.check()?;
        Ok(config)
    }

    /// Loads a configuration file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|e| ConfigError::unreadable(path, e))?;
        Self::from_toml(&text)
    }

    /// Returns an error for a configuration that cannot work.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let bad = |what: String| Err(ConfigError::invalid(what));
        if self.regions.is_empty() {
            return bad("`regions` is empty: expected at least one data region".to_owned());
        }
        if self.host_name.is_empty() {
            return bad("`host_name` is empty".to_owned());
        }
        if let Some(start) = &self.clock.start
            && crate::time::parse(start).is_none()
        {
            return bad(format!("invalid `clock.start` {start:?}: expected an RFC 3339 time"));
        }
        for region in self.listen.regions.keys() {
            if !self.regions.contains(region) {
                return bad(format!(
                    "unknown region {region:?} in `listen.regions`: expected one of `regions`"
                ));
            }
        }
        for group in &self.tenants {
            group.check(&self.regions).or_else(bad)?;
        }
        for machine in &self.machines {
            machine.check().or_else(bad)?;
        }
        for credential in &self.credentials {
            credential.check().or_else(bad)?;
        }
        self.data.check().or_else(bad)?;
        self.quirks.check().or_else(bad)?;
        self.faults.check().or_else(bad)
    }
}

/// The scheme of the advertised addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// `http://`
    #[default]
    Http,
    /// `https://`
    Https,
}

impl Scheme {
    /// The scheme in an address.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// The configuration of the clock.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClockConfig {
    /// The start time (RFC 3339); by default, the present.
    pub start: Option<String>,
    /// Whether the clock moves with real time.
    pub running: bool,
}

/// The ports of the hosts. Port 0 takes a free one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListenConfig {
    /// The IP address of every host.
    pub address: String,
    /// The identity service's port.
    pub identity: u16,
    /// The global host's port.
    pub global: u16,
    /// The port of the GraphQL host of Sophos Fusion.
    pub fusion: u16,
    /// The control host's port.
    pub control: u16,
    /// The ports of data regions by name. Other regions take a free port.
    pub regions: BTreeMap<String, u16>,
}

impl Default for ListenConfig {
    fn default() -> Self {
        Self {
            address: "127.0.0.1".to_owned(),
            identity: 0,
            global: 0,
            fusion: 0,
            control: 0,
            regions: BTreeMap::new(),
        }
    }
}

/// The configuration of tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenConfig {
    /// The lifetime of a token, in seconds.
    pub lifetime_seconds: u64,
}

impl Default for TokenConfig {
    fn default() -> Self {
        Self { lifetime_seconds: 3_600 }
    }
}

/// The configuration of isolation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IsolationConfig {
    /// Seconds of simulator time until an online endpoint reports a requested change.
    pub report_delay_seconds: u64,
}

impl Default for IsolationConfig {
    fn default() -> Self {
        Self { report_delay_seconds: 60 }
    }
}

/// The configuration of the alerts of the Common API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlertsConfig {
    /// The maximum page size, reported as `pages.maxSize`.
    pub max_page_size: u64,
    /// The number of days for which alerts stay readable.
    pub days: u64,
}

impl Default for AlertsConfig {
    fn default() -> Self {
        Self { max_page_size: 100, days: 90 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_toml_is_the_default_config() {
        assert_eq!(Config::from_toml("").unwrap(), Config::default());
    }

    #[test]
    fn config_error_names_the_invalid_key() {
        for (text, expected) in [
            ("sead = 1", "sead"),
            ("regions = []", "`regions` is empty"),
            ("[clock]\nstart = \"today\"", "clock.start"),
            ("[listen.regions]\nmars01 = 1", "mars01"),
            ("[[tenants]]\nregion = \"mars01\"", "mars01"),
            ("[[machines]]\ntenant = \"a\"\nid = \"7\"", "not a UUID"),
            ("[[machines]]\ntenant = \"a\"\nhostname = \"\"", "hostname"),
            ("[[machines]]\ntenant = \"a\"\nipv4 = [\"10.0.0\"]", "IPv4"),
            ("[[machines]]\nid = \"0afef0e6-5df7-4cc0-b8d4-068cfd6820d1\"", "tenant"),
            ("[[credentials]]\nkind = \"tenant\"", "tenant"),
            ("[data]\nlate_share = 2.0", "late_share"),
            ("[quirks]\nshow_as = -0.5", "show_as"),
        ] {
            let error = Config::from_toml(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
