//! Snoozed health checks: `/account-health-check/v1/snooze`.

use serde_json::Value;

use crate::{
    models::macros::model,
    operation::macros::{listed, operation},
};

operation! {
    /// Snoozes the reminders of health checks, or resumes them.
    pub struct SnoozeChecks = POST "/account-health-check/v1/snooze" (tenant) -> Snoozes {
        /// The checks of endpoints.
        endpoint: EndpointSnoozes,
        /// The checks of network devices.
        network_device: NetworkDeviceSnoozes,
    }
}

model! {
    /// The snoozed health checks.
    pub struct Snoozes {
        /// The checks of endpoints.
        endpoint: EndpointSnoozes,
        /// The checks of network devices.
        network_device: NetworkDeviceSnoozes,
    }
}

model! {
    /// The snoozed checks of endpoints.
    pub struct EndpointSnoozes with setters {
        /// The checks of policies.
        policy: PolicySnoozes,
        /// The checks of exclusions.
        exclusions: ExclusionSnoozes,
        /// The checks of Tamper Protection.
        tamper_protection: CheckSnoozes,
        /// The checks of installed protection.
        protection: CheckSnoozes,
    }
}

model! {
    /// The snoozed checks of network devices.
    pub struct NetworkDeviceSnoozes with setters {
        /// The checks of firewalls. No published example shows their fields.
        firewall: Value,
    }
}

model! {
    /// The snoozed checks of policies, by endpoint type.
    pub struct PolicySnoozes with setters {
        /// The check of computers.
        computer: Vec<PolicySnooze>,
        /// The check of servers.
        server: Vec<PolicySnooze>,
    }
}

model! {
    /// A snoozed check of the policies of a type.
    pub struct PolicySnooze with setters {
        /// Whether the check is snoozed.
        snoozed: bool,
        /// The policy type.
        policy_type: String,
        /// The reason.
        snooze_detail: SnoozeDetail,
        /// The snoozed exclusions; only in a check of exclusions.
        exclusions: Vec<ExclusionSnooze>,
    }
}

model! {
    /// The reason of a snooze.
    pub struct SnoozeDetail with setters {
        /// The reason.
        comment: String,
    }
}

model! {
    /// The snoozed checks of exclusions.
    pub struct ExclusionSnoozes with setters {
        /// The checks of exclusions in policies.
        policy: PolicySnoozes,
        /// The check of the global setting.
        global: CheckSnooze,
    }
}

model! {
    /// A snoozed exclusion.
    pub struct ExclusionSnooze with setters {
        /// The exclusion's id.
        id as id: String,
        /// The reason.
        snooze_comment: String,
    }
}

model! {
    /// A snoozed check.
    pub struct CheckSnooze with setters {
        /// Whether the check is snoozed.
        snoozed: bool,
        /// The reason.
        snooze_detail: SnoozeDetail,
    }
}

model! {
    /// A snoozed check, by endpoint type.
    pub struct CheckSnoozes with setters {
        /// The check of computers.
        computer: CheckSnooze,
        /// The check of servers.
        server: CheckSnooze,
        /// The check of the global setting; only for Tamper Protection.
        global: CheckSnooze,
    }
}

listed! {
    SnoozeChecks
}
