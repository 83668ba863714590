//! Amounts and irregularities of a configuration.

use serde::{Deserialize, Serialize};

/// The amounts and irregularities of events, alerts and endpoints.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// Events an hour for each tenant.
    pub events_per_hour: f64,
    /// Alerts an hour for each tenant.
    pub alerts_per_hour: f64,
    /// Hours of events and alerts before the clock's start.
    pub history_hours: f64,
    /// The maximum number of events of a tenant.
    pub events_total: Option<u64>,
    /// The maximum number of alerts of a tenant.
    pub alerts_total: Option<u64>,
    /// The number of endpoints of a tenant.
    pub endpoints: u64,
    /// The share of records that the feed shows only some time after their `created_at`.
    pub late_share: f64,
    /// The minimum delay of a late record, in seconds.
    pub late_min_seconds: f64,
    /// The maximum delay of a late record, in seconds.
    pub late_max_seconds: f64,
    /// The share of records that the feed repeats later.
    pub repeat_share: f64,
    /// The share of endpoints whose clock is wrong by minutes, hours or days.
    pub wrong_clock_share: f64,
    /// The share of endpoints that are offline at the start.
    pub offline_share: f64,
    /// The share of endpoints that are servers.
    pub server_share: f64,
    /// The share of endpoints that run in a public cloud.
    pub cloud_share: f64,
    /// The share of endpoint pairs that are clones of each other.
    pub clone_share: f64,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            events_per_hour: 600.0,
            alerts_per_hour: 30.0,
            history_hours: 48.0,
            events_total: None,
            alerts_total: None,
            endpoints: 25,
            late_share: 0.005,
            late_min_seconds: 5.0,
            late_max_seconds: 120.0,
            repeat_share: 0.01,
            wrong_clock_share: 0.05,
            offline_share: 0.15,
            server_share: 0.25,
            cloud_share: 0.1,
            clone_share: 0.04,
        }
    }
}

impl DataConfig {
    /// Removes late and repeated records: the feed is exactly what was produced.
    pub fn without_anomalies(self) -> Self {
        Self { late_share: 0.0, repeat_share: 0.0, ..self }
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        for (name, amount) in [
            ("events_per_hour", self.events_per_hour),
            ("alerts_per_hour", self.alerts_per_hour),
            ("history_hours", self.history_hours),
            ("late_min_seconds", self.late_min_seconds),
            ("late_max_seconds", self.late_max_seconds),
        ] {
            if !(amount.is_finite() && amount >= 0.0) {
                return Err(format!("invalid `data.{name}` {amount}: expected 0 or more"));
            }
        }
        if self.late_min_seconds > self.late_max_seconds {
            return Err("`data.late_min_seconds` is above `data.late_max_seconds`".to_owned());
        }
        check_shares(
            "data",
            &[
                ("late_share", self.late_share),
                ("repeat_share", self.repeat_share),
                ("wrong_clock_share", self.wrong_clock_share),
                ("offline_share", self.offline_share),
                ("server_share", self.server_share),
                ("cloud_share", self.cloud_share),
                ("clone_share", self.clone_share),
            ],
        )
    }
}

/// The shares of responses in an irregular form, each between 0 and 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuirkConfig {
    /// Pages whose `size` is the number of their items instead of the requested size.
    pub size_is_count: f64,
    /// Tenants without `apiHost`.
    pub no_api_host: f64,
    /// Tenants with `showAs`.
    pub show_as: f64,
    /// Tenants with `status`.
    pub status: f64,
    /// Failed token requests whose body lacks `trackingId`.
    pub no_tracking_id: f64,
    /// Error responses that lack members or use a rarer form.
    pub rare_error_forms: f64,
}

impl Default for QuirkConfig {
    fn default() -> Self {
        Self {
            size_is_count: 0.25,
            no_api_host: 0.0,
            show_as: 0.5,
            status: 0.8,
            no_tracking_id: 0.3,
            rare_error_forms: 0.4,
        }
    }
}

impl QuirkConfig {
    pub(crate) fn check(&self) -> Result<(), String> {
        check_shares(
            "quirks",
            &[
                ("size_is_count", self.size_is_count),
                ("no_api_host", self.no_api_host),
                ("show_as", self.show_as),
                ("status", self.status),
                ("no_tracking_id", self.no_tracking_id),
                ("rare_error_forms", self.rare_error_forms),
            ],
        )
    }
}

fn check_shares(table: &str, all: &[(&str, f64)]) -> Result<(), String> {
    all.iter().find(|(_, share)| !(0.0..=1.0).contains(share)).map_or(Ok(()), |(name, share)| {
        Err(format!("invalid `{table}.{name}` {share}: expected a share from 0 to 1"))
    })
}
