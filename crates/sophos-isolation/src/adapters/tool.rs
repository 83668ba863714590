//! The supported tools. Each has a module with the functions `parse_alerts` and `parse_severity`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ParsedAlerts, ParserInput, json_cursor::JsonCursor};
use crate::signal::Severity;

/// Defines [`Tool`] from the documentation, variant, name in policies, and module of each tool.
macro_rules! tools {
    ($($(#[$doc:meta])+ $variant:ident = $name:literal in $module:ident,)+) => {
        /// A supported security tool.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Tool {
            $($(#[$doc])+ #[serde(rename = $name)] $variant,)+
        }

        impl Tool {
            /// All tools.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            /// The tool's name in policies.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            pub(super) fn parse_alerts(self, input: ParserInput<'_>) -> ParsedAlerts<'_> {
                match self {
                    $(Self::$variant => super::$module::parse_alerts(input),)+
                }
            }

            pub(super) fn parse_severity(self, cursor: JsonCursor<'_>) -> Option<Severity> {
                match self {
                    $(Self::$variant => super::$module::parse_severity(cursor),)+
                }
            }
        }
    };
}

tools! {
    /// Amazon GuardDuty findings, through EventBridge.
    GuardDuty = "guardduty" in guardduty,
    /// AWS Security Hub findings in ASFF or OCSF, through EventBridge.
    SecurityHub = "security_hub" in security_hub,
    /// CrowdStrike Falcon: webhooks of notification workflows, and event streams.
    CrowdStrike = "crowdstrike" in crowdstrike,
    /// Microsoft Defender: alerts of Microsoft Graph (legacy and v2) and of the Defender API, and
    /// advanced hunting records.
    MicrosoftDefender = "microsoft_defender" in microsoft_defender,
    /// Microsoft Sentinel incidents with their entities attached.
    MicrosoftSentinel = "microsoft_sentinel" in microsoft_sentinel,
    /// Splunk's webhook alert action.
    Splunk = "splunk" in splunk,
    /// Elastic Security rule actions.
    Elastic = "elastic" in elastic,
    /// PagerDuty's webhooks, version 3.
    PagerDuty = "pagerduty" in pagerduty,
    /// Wazuh alerts, from its integration script.
    Wazuh = "wazuh" in wazuh,
    /// Okta event hooks.
    Okta = "okta" in okta,
    /// SentinelOne activities, alerts and threats.
    SentinelOne = "sentinelone" in sentinelone,
    /// The native format of this service, or any JSON with configured field pointers.
    Generic = "generic" in generic,
}

impl Tool {
    /// Whether the tool's messages arrive through EventBridge, not through the webhook.
    pub fn is_eventbridge(self) -> bool {
        matches!(self, Self::GuardDuty | Self::SecurityHub)
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
