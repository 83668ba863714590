//! Account Health Snooze: `/account-health-check/v1/snooze` and the operations beside it.

use serde_json::Value;

use crate::{model::{model}, operation_macro::{operation, tested}};

model! {
    /// A snooze checks response.
    pub struct SnoozeChecksResponse {
        /// The endpoint.
        endpoint: SnoozeChecksResponseEndpoint,
        /// The network device.
        network_device: SnoozeChecksResponseNetworkDevice,
    }
}

model! {
    /// A snooze checks response endpoint.
    pub struct SnoozeChecksResponseEndpoint {
        /// The policy.
        policy: SnoozeChecksResponseEndpointPolicy,
        /// The exclusions.
        exclusions: SnoozeChecksResponseEndpointExclusion,
        /// The tamper protection.
        tamper_protection: SnoozeChecksResponseEndpointTamperProtection,
        /// The protection.
        protection: SnoozeChecksResponseEndpointProtection,
    }
}

model! {
    /// A snooze checks response network device.
    pub struct SnoozeChecksResponseNetworkDevice {
        /// The firewall.
        firewall: Value,
    }
}

model! {
    /// A snooze checks response endpoint policy.
    pub struct SnoozeChecksResponseEndpointPolicy {
        /// The computer.
        computer: Vec<SnoozeChecksResponseEndpointPolicyComputer>,
        /// The server.
        server: Vec<SnoozeChecksResponseEndpointPolicyServer>,
    }
}

model! {
    /// A snooze checks response endpoint policy computer.
    pub struct SnoozeChecksResponseEndpointPolicyComputer {
        /// Whether `snoozed` is set.
        snoozed: bool,
        /// The policy type.
        policy_type: String,
        /// The snooze detail.
        snooze_detail: SnoozeChecksResponseEndpointPolicyComputerSnoozeDetail,
    }
}

model! {
    /// A snooze checks response endpoint policy computer snooze detail.
    pub struct SnoozeChecksResponseEndpointPolicyComputerSnoozeDetail {
        /// The comment.
        comment: String,
    }
}

model! {
    /// A snooze checks response endpoint policy server.
    pub struct SnoozeChecksResponseEndpointPolicyServer {
        /// Whether `snoozed` is set.
        snoozed: bool,
        /// The policy type.
        policy_type: String,
        /// The snooze detail.
        snooze_detail: SnoozeChecksResponseEndpointPolicyServerSnoozeDetail,
    }
}

model! {
    /// A snooze checks response endpoint policy server snooze detail.
    pub struct SnoozeChecksResponseEndpointPolicyServerSnoozeDetail {
        /// The comment.
        comment: String,
    }
}

model! {
    /// A snooze checks response endpoint exclusion.
    pub struct SnoozeChecksResponseEndpointExclusion {
        /// The policy.
        policy: SnoozeChecksResponseEndpointExclusionPolicy,
        /// The global.
        global: SnoozeChecksResponseEndpointExclusionGlobal,
    }
}

model! {
    /// A snooze checks response endpoint exclusion policy.
    pub struct SnoozeChecksResponseEndpointExclusionPolicy {
        /// The computer.
        computer: Vec<SnoozeChecksResponseEndpointExclusionPolicyComputer>,
        /// The server.
        server: Vec<SnoozeChecksResponseEndpointExclusionPolicyServer>,
    }
}

model! {
    /// A snooze checks response endpoint exclusion policy computer.
    pub struct SnoozeChecksResponseEndpointExclusionPolicyComputer {
        /// Whether `snoozed` is set.
        snoozed: bool,
        /// The policy type.
        policy_type: String,
        /// The snooze detail.
        snooze_detail: SnoozeChecksResponseEndpointExclusionPolicyComputerSnoozeDetail,
        /// The exclusions.
        exclusions: Vec<SnoozeChecksResponseEndpointExclusionPolicyComputerExclusion>,
    }
}

model! {
    /// A snooze checks response endpoint exclusion policy computer snooze detail.
    pub struct SnoozeChecksResponseEndpointExclusionPolicyComputerSnoozeDetail {
        /// The comment.
        comment: String,
    }
}

model! {
    /// A snooze checks response endpoint exclusion policy computer exclusion.
    pub struct SnoozeChecksResponseEndpointExclusionPolicyComputerExclusion {
        /// The id.
        id as id: String,
        /// The snooze comment.
        snooze_comment: String,
    }
}

model! {
    /// A snooze checks response endpoint exclusion policy server.
    pub struct SnoozeChecksResponseEndpointExclusionPolicyServer {
        /// Whether `snoozed` is set.
        snoozed: bool,
        /// The policy type.
        policy_type: String,
        /// The snooze detail.
        snooze_detail: SnoozeChecksResponseEndpointExclusionPolicyServerSnoozeDetail,
        /// The exclusions.
        exclusions: Vec<SnoozeChecksResponseEndpointExclusionPolicyServerExclusion>,
    }
}

model! {
    /// A snooze checks response endpoint exclusion policy server snooze detail.
    pub struct SnoozeChecksResponseEndpointExclusionPolicyServerSnoozeDetail {
        /// The comment.
        comment: String,
    }
}

model! {
    /// A snooze checks response endpoint exclusion policy server exclusion.
    pub struct SnoozeChecksResponseEndpointExclusionPolicyServerExclusion {
        /// The id.
        id as id: String,
        /// The snooze comment.
        snooze_comment: String,
    }
}

model! {
    /// A snooze checks response endpoint exclusion global.
    pub struct SnoozeChecksResponseEndpointExclusionGlobal {
        /// Whether `snoozed` is set.
        snoozed: bool,
        /// The snooze detail.
        snooze_detail: SnoozeChecksResponseEndpointExclusionGlobalSnoozeDetail,
    }
}

model! {
    /// A snooze checks response endpoint exclusion global snooze detail.
    pub struct SnoozeChecksResponseEndpointExclusionGlobalSnoozeDetail {
        /// The comment.
        comment: String,
    }
}

model! {
    /// A snooze checks response endpoint tamper protection.
    pub struct SnoozeChecksResponseEndpointTamperProtection {
        /// The computer.
        computer: SnoozeChecksResponseEndpointTamperProtectionComputer,
        /// The server.
        server: SnoozeChecksResponseEndpointTamperProtectionServer,
        /// The global.
        global: SnoozeChecksResponseEndpointTamperProtectionGlobal,
    }
}

model! {
    /// A snooze checks response endpoint tamper protection computer.
    pub struct SnoozeChecksResponseEndpointTamperProtectionComputer {
        /// Whether `snoozed` is set.
        snoozed: bool,
        /// The snooze detail.
        snooze_detail: SnoozeChecksResponseEndpointTamperProtectionComputerSnoozeDetail,
    }
}

model! {
    /// A snooze checks response endpoint tamper protection computer snooze detail.
    pub struct SnoozeChecksResponseEndpointTamperProtectionComputerSnoozeDetail {
        /// The comment.
        comment: String,
    }
}

model! {
    /// A snooze checks response endpoint tamper protection server.
    pub struct SnoozeChecksResponseEndpointTamperProtectionServer {
        /// Whether `snoozed` is set.
        snoozed: bool,
        /// The snooze detail.
        snooze_detail: SnoozeChecksResponseEndpointTamperProtectionServerSnoozeDetail,
    }
}

model! {
    /// A snooze checks response endpoint tamper protection server snooze detail.
    pub struct SnoozeChecksResponseEndpointTamperProtectionServerSnoozeDetail {
        /// The comment.
        comment: String,
    }
}

model! {
    /// A snooze checks response endpoint tamper protection global.
    pub struct SnoozeChecksResponseEndpointTamperProtectionGlobal {
        /// Whether `snoozed` is set.
        snoozed: bool,
        /// The snooze detail.
        snooze_detail: SnoozeChecksResponseEndpointTamperProtectionGlobalSnoozeDetail,
    }
}

model! {
    /// A snooze checks response endpoint tamper protection global snooze detail.
    pub struct SnoozeChecksResponseEndpointTamperProtectionGlobalSnoozeDetail {
        /// The comment.
        comment: String,
    }
}

model! {
    /// A snooze checks response endpoint protection.
    pub struct SnoozeChecksResponseEndpointProtection {
        /// The computer.
        computer: SnoozeChecksResponseEndpointProtectionComputer,
        /// The server.
        server: SnoozeChecksResponseEndpointProtectionServer,
    }
}

model! {
    /// A snooze checks response endpoint protection computer.
    pub struct SnoozeChecksResponseEndpointProtectionComputer {
        /// Whether `snoozed` is set.
        snoozed: bool,
        /// The snooze detail.
        snooze_detail: SnoozeChecksResponseEndpointProtectionComputerSnoozeDetail,
    }
}

model! {
    /// A snooze checks response endpoint protection computer snooze detail.
    pub struct SnoozeChecksResponseEndpointProtectionComputerSnoozeDetail {
        /// The comment.
        comment: String,
    }
}

model! {
    /// A snooze checks response endpoint protection server.
    pub struct SnoozeChecksResponseEndpointProtectionServer {
        /// Whether `snoozed` is set.
        snoozed: bool,
        /// The snooze detail.
        snooze_detail: SnoozeChecksResponseEndpointProtectionServerSnoozeDetail,
    }
}

model! {
    /// A snooze checks response endpoint protection server snooze detail.
    pub struct SnoozeChecksResponseEndpointProtectionServerSnoozeDetail {
        /// The comment.
        comment: String,
    }
}

operation! {
    /// Snoozes reminders for account health issues for a customer.
    pub struct SnoozeChecks = POST "/account-health-check/v1/snooze" (tenant)
        -> SnoozeChecksResponse {
        /// The endpoint.
        endpoint: SnoozeChecksResponseEndpoint,
        /// The network device.
        network_device: SnoozeChecksResponseNetworkDevice,
    }
}

tested! {
    SnoozeChecks
}
