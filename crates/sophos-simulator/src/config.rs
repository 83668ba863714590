//! What a simulator is told when it starts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use accounts::{CredentialConfig, CredentialKind, Owner, Role, TenantGroup};
pub use data::{DataConfig, QuirkConfig};
pub use machines::{MachineConfig, MachineType, Tag};

use crate::error::ConfigError;
use crate::faults::FaultPlan;
use crate::limiter::LimiterConfig;

mod accounts;
mod data;
mod machines;

/// Everything a simulator can be told. The default is a small, complete Sophos Central.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Everything invented follows from this number.
    pub seed: u64,
    /// The scheme of the addresses given out; every port answers both.
    pub advertise: Scheme,
    /// The host name of the addresses given out.
    pub host_name: String,
    /// Where to write the certificate (PEM) that TLS clients have to trust.
    pub tls_ca_file: Option<PathBuf>,
    /// The clock.
    pub clock: ClockConfig,
    /// Where to listen.
    pub listen: ListenConfig,
    /// The data regions, one host each.
    pub regions: Vec<String>,
    /// Tokens.
    pub tokens: TokenConfig,
    /// Groups of tenants; none means three of the partner, two of the organization, one alone.
    pub tenants: Vec<TenantGroup>,
    /// Endpoints described by hand, beside those that are invented.
    pub machines: Vec<MachineConfig>,
    /// API credentials; none means one for each kind of account and role that tests want.
    pub credentials: Vec<CredentialConfig>,
    /// The amounts and irregularities of events, alerts and endpoints.
    pub data: DataConfig,
    /// How often answers take one of the irregular forms.
    pub quirks: QuirkConfig,
    /// Isolation.
    pub isolation: IsolationConfig,
    /// Common alerts.
    pub alerts: AlertsConfig,
    /// The rate limiter; off unless a window is given.
    pub limiter: LimiterConfig,
    /// Faults in force from the start.
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
    /// Reads a configuration from TOML text.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(ConfigError::syntax)?;
        config.check()?;
        Ok(config)
    }

    /// Reads a configuration file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|e| ConfigError::unreadable(path, e))?;
        Self::from_toml(&text)
    }

    /// Finds what cannot work, in words.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let bad = |what: String| Err(ConfigError::invalid(what));
        if self.regions.is_empty() {
            return bad("`regions` is empty: at least one data region is needed".to_owned());
        }
        if self.host_name.is_empty() {
            return bad("`host_name` is empty".to_owned());
        }
        if let Some(start) = &self.clock.start
            && crate::time::parse(start).is_none()
        {
            return bad(format!("`clock.start` is not an RFC 3339 time: {start:?}"));
        }
        for region in self.listen.regions.keys() {
            if !self.regions.contains(region) {
                return bad(format!("`listen.regions` names {region:?}, `regions` does not"));
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

/// The scheme of the addresses given out.
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
    /// The scheme as it is written in an address.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// The clock.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClockConfig {
    /// The time it shows first (RFC 3339); the present when absent.
    pub start: Option<String>,
    /// Whether it moves with real time.
    pub running: bool,
}

/// Where to listen. Port 0 takes a free one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListenConfig {
    /// The address of every host.
    pub address: String,
    /// The identity service's port.
    pub identity: u16,
    /// The global host's port.
    pub global: u16,
    /// The control host's port.
    pub control: u16,
    /// The ports of data regions by name; regions not named take a free one.
    pub regions: BTreeMap<String, u16>,
}

impl Default for ListenConfig {
    fn default() -> Self {
        Self { address: "127.0.0.1".to_owned(), identity: 0, global: 0, control: 0, regions: BTreeMap::new() }
    }
}

/// Tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenConfig {
    /// Seconds a token lives.
    pub lifetime_seconds: u64,
}

impl Default for TokenConfig {
    fn default() -> Self {
        Self { lifetime_seconds: 3_600 }
    }
}

/// Isolation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IsolationConfig {
    /// Seconds of simulator time until an online endpoint reports what was asked of it.
    pub report_delay_seconds: u64,
}

impl Default for IsolationConfig {
    fn default() -> Self {
        Self { report_delay_seconds: 60 }
    }
}

/// Common alerts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AlertsConfig {
    /// The largest page, given out as `pages.maxSize`.
    pub max_page_size: u64,
    /// How many days back they can be read.
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
