//! The policy types and the settings of each.

use serde_json::{Value, json};

use crate::call::invalid_parameter;
use crate::response::ApiError;

/// The maximum number of items in the value of a setting.
const MAX_ITEMS: usize = 1_000;

/// A setting of a policy type.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) key: &'static str,
    kind: Kind,
    description: &'static str,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Boolean(bool),
    /// An integer with its default, minimum, maximum and unit.
    Integer(i64, i64, i64, &'static str),
    Text(&'static str),
    Texts(&'static [&'static str]),
}

const fn setting(key: &'static str, kind: Kind, description: &'static str) -> Setting {
    Setting { key, kind, description }
}

use Kind::{Boolean, Integer, Text, Texts};

static THREAT_PROTECTION: &[Setting] = &[
    setting("endpoint.malware.enabled", Boolean(true), "Scans files on access."),
    setting("endpoint.malware.live-protection", Boolean(true), "Looks up files at SophosLabs."),
    setting("endpoint.scans.scheduled.enabled", Boolean(false), "Runs scheduled scans."),
    setting(
        "endpoint.scans.scheduled.days",
        Texts(&["monday", "wednesday", "friday"]),
        "The days of scheduled scans.",
    ),
    setting("endpoint.scans.scheduled.hour", Text("21:00"), "The time of scheduled scans."),
];

static DEVICE_ENCRYPTION: &[Setting] = &[
    setting("endpoint.device-encryption.encrypt-endpoint", Boolean(false), "Encrypts the boot volume."),
    setting("endpoint.device-encryption.encrypt-non-boot-volumes", Boolean(true), "Encrypts other volumes."),
    setting(
        "endpoint.device-encryption.require-startup-authentication",
        Boolean(true),
        "Requires a password at startup.",
    ),
    setting("endpoint.device-encryption.allow-network-unlock", Boolean(false), "Unlocks in the network."),
    setting(
        "endpoint.device-encryption.enable-right-click-context-menu",
        Boolean(true),
        "Offers encryption of single files.",
    ),
    setting(
        "endpoint.disk-encryption.key-expiration",
        Integer(48, 1, 8_760, "hours"),
        "The lifetime of a recovery key.",
    ),
];

static APPLICATION_CONTROL: &[Setting] = &[
    setting("endpoint.application-control.detect-on-access", Boolean(true), "Detects at the start."),
    setting("endpoint.application-control.controlled-applications", Texts(&[]), "Controlled applications."),
];

static PERIPHERAL_CONTROL: &[Setting] = &[
    setting("endpoint.peripheral-control.mode", Text("monitor"), "The reaction to peripherals."),
    setting("endpoint.peripheral-control.exempt-peripherals", Texts(&[]), "Exempt peripherals."),
];

static WEB_CONTROL: &[Setting] = &[
    setting("endpoint.web-control.enabled", Boolean(true), "Controls access to websites."),
    setting("endpoint.web-control.log-events", Boolean(true), "Logs visits of controlled websites."),
];

static WINDOWS_FIREWALL: &[Setting] = &[
    setting("endpoint.windows-firewall.mode", Text("monitor"), "The mode of Windows Firewall."),
    setting("endpoint.windows-firewall.block-public", Boolean(false), "Blocks traffic in public networks."),
];

static LOCKDOWN: &[Setting] = &[setting(
    "endpoint.lockdown.allowed-folders",
    Texts(&[]),
    "Folders from which all programs may run.",
)];

static DATA_LOSS_PREVENTION: &[Setting] = &[
    setting("endpoint.data-loss-prevention.enabled", Boolean(false), "Applies the rules."),
    setting("endpoint.data-loss-prevention.rules", Texts(&[]), "The ids of the rules."),
];

static AGENT_UPDATING: &[Setting] = &[
    setting("endpoint.agent-updating.scheduled", Boolean(false), "Updates only at the given time."),
    setting("endpoint.agent-updating.delay", Integer(0, 0, 30, "days"), "The delay of updates."),
];

/// The policy types with their display name and settings.
pub(super) static TYPES: &[(&str, &str, &[Setting])] = &[
    ("threat-protection", "Threat Protection", THREAT_PROTECTION),
    ("peripheral-control", "Peripheral Control", PERIPHERAL_CONTROL),
    ("application-control", "Application Control", APPLICATION_CONTROL),
    ("web-control", "Web Control", WEB_CONTROL),
    ("device-encryption", "Device Encryption", DEVICE_ENCRYPTION),
    ("windows-firewall", "Windows Firewall", WINDOWS_FIREWALL),
    ("server-threat-protection", "Server Threat Protection", THREAT_PROTECTION),
    ("server-peripheral-control", "Server Peripheral Control", PERIPHERAL_CONTROL),
    ("server-application-control", "Server Application Control", APPLICATION_CONTROL),
    ("server-web-control", "Server Web Control", WEB_CONTROL),
    ("server-windows-firewall", "Server Windows Firewall", WINDOWS_FIREWALL),
    ("server-lockdown", "Server Lockdown", LOCKDOWN),
    ("server-data-loss-prevention", "Server Data Loss Prevention", DATA_LOSS_PREVENTION),
    ("server-agent-updating", "Server Agent Updating", AGENT_UPDATING),
];

/// The names in [`TYPES`].
pub(super) const TYPE_NAMES: &[&str] = &[
    "threat-protection",
    "peripheral-control",
    "application-control",
    "web-control",
    "device-encryption",
    "windows-firewall",
    "server-threat-protection",
    "server-peripheral-control",
    "server-application-control",
    "server-web-control",
    "server-windows-firewall",
    "server-lockdown",
    "server-data-loss-prevention",
    "server-agent-updating",
];

impl Setting {
    pub(super) fn default_value(&self) -> Value {
        match self.kind {
            Boolean(value) => json!({ "value": value, "recommendedValue": value }),
            Integer(value, _, _, unit) => json!({ "value": value, "unit": unit, "recommendedValue": value }),
            Text(value) => json!({ "value": value }),
            Texts(values) => json!({ "value": values, "format": "string" }),
        }
    }

    /// The setting with the value of a request, `{"value": …}`.
    pub(super) fn with_value(&self, given: &Value) -> Result<Value, ApiError> {
        let value = &given["value"];
        let is_valid = match self.kind {
            Boolean(_) => value.is_boolean(),
            Integer(_, min, max, _) => value.as_i64().is_some_and(|value| (min..=max).contains(&value)),
            Text(_) => value.is_string(),
            Texts(_) => value
                .as_array()
                .is_some_and(|items| items.len() <= MAX_ITEMS && items.iter().all(Value::is_string)),
        };
        if !is_valid {
            return Err(invalid_parameter(self.key));
        }
        let mut setting = self.default_value();
        setting["value"] = value.clone();
        Ok(setting)
    }

    pub(super) fn metadata(&self) -> Value {
        let default = self.default_value()["value"].take();
        let mut body =
            json!({ "name": self.key, "description": self.description, "defaultValue": default });
        body["type"] = json!(match self.kind {
            Boolean(_) => "boolean",
            Integer(..) => "integer",
            Text(_) => "string",
            Texts(_) => "arrayOfStrings",
        });
        if let Integer(_, min, max, unit) = self.kind {
            body["limit"] = json!({ "min": min, "max": max });
            body["defaultUnit"] = json!(unit);
            body["allowedUnits"] = json!([unit]);
        }
        body
    }
}

/// The settings of a type.
pub(super) fn settings_of(kind: &str) -> &'static [Setting] {
    TYPES.iter().find(|(name, _, _)| *name == kind).map_or(&[], |(_, _, settings)| settings)
}

/// The setting of a type with this key.
pub(super) fn find(kind: &str, key: &str) -> Option<&'static Setting> {
    settings_of(kind).iter().find(|setting| setting.key == key)
}

/// All settings of a type with their defaults.
pub(super) fn defaults(kind: &str) -> Value {
    settings_of(kind).iter().map(|setting| (setting.key.to_owned(), setting.default_value())).collect()
}
