//! Firewalls and their firmware: `/firewall/v1/firewalls`.

use crate::{
    NumberedPage, Timestamp,
    models::{
        Actor, Deleted, Reference,
        macros::{model, open_enum},
    },
    operation::macros::{listed, operation},
};

operation! {
    /// Lists the firewalls of a tenant.
    pub struct ListFirewalls = GET "/firewall/v1/firewalls" (tenant) -> NumberedPage<Firewall> {
        /// The page number, from 1.
        page: u64,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The number of items per page; 100 if missing.
        page_size: u32,
        /// The id of a group, or `ungrouped` for firewalls outside of any group.
        group_id: String,
        /// The text to search for.
        search: String,
    }
}

operation! {
    /// Deletes a firewall from Sophos Central.
    pub struct DeleteFirewall = DELETE "/firewall/v1/firewalls/:firewallId" (tenant) -> Deleted {
        /// The firewall's id.
        firewall_id!: String,
    }
}

operation! {
    /// Changes the label or the location of a firewall.
    ///
    /// Fails with 409 if the name is in use.
    pub struct UpdateFirewall = PATCH "/firewall/v1/firewalls/:firewallId" (tenant) -> Firewall {
        /// The firewall's id.
        firewall_id!: String,
        /// The label.
        name: String,
        /// The location.
        geo_location: GeoLocation,
    }
}

operation! {
    /// Runs an action on a firewall, such as the approval of its management.
    pub struct RunFirewallAction = POST "/firewall/v1/firewalls/:firewallId/action" (tenant)
        -> FirewallAction {
        /// The firewall's id.
        firewall_id!: String,
        /// The action, such as `approveManagement`.
        action!: String,
    }
}

operation! {
    /// Cancels scheduled upgrades.
    pub struct CancelFirmwareUpgrade = DELETE "/firewall/v1/firewalls/actions/firmware-upgrade" (tenant)
        -> Deleted {
        /// The ids of the firewalls.
        ids!: [String],
    }
}

operation! {
    /// Schedules upgrades of firewalls.
    pub struct UpgradeFirmware = POST "/firewall/v1/firewalls/actions/firmware-upgrade" (tenant)
        -> ScheduledUpgrades {
        /// The firewalls to upgrade.
        firewalls!: [UpgradeRequest],
    }
}

operation! {
    /// Returns the firmware versions that firewalls can be upgraded to.
    pub struct CheckFirmwareUpgrade = POST "/firewall/v1/firewalls/actions/firmware-upgrade-check" (tenant)
        -> AvailableUpgrades {
        /// The ids of the firewalls.
        firewalls!: [String],
    }
}

model! {
    /// A firewall.
    pub struct Firewall {
        /// The firewall's id.
        id!: String,
        /// The high-availability cluster.
        cluster: Cluster,
        /// The tenant.
        tenant: Reference,
        /// The serial number.
        serial_number: String,
        /// The group.
        group: Reference,
        /// The hostname.
        hostname: String,
        /// The label.
        name: String,
        /// The public IPv4 addresses.
        external_ipv4_addresses: Vec<String>,
        /// The firmware version.
        firmware_version: String,
        /// The model.
        model: String,
        /// The connection and management status.
        status: FirewallStatus,
        /// The time of the last change of the status, under the older name.
        status_changed_at: Timestamp,
        /// The capabilities.
        capabilities: Vec<FirewallCapability>,
        /// The location.
        geo_location: GeoLocation,
        /// The actor that created it.
        created_by: Actor,
        /// The time of creation.
        created_at: Timestamp,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The actor of the last change.
        updated_by: Actor,
        /// The time of the last change of the status.
        state_changed_at: Timestamp,
    }
}

model! {
    /// The high-availability cluster of a firewall.
    pub struct Cluster {
        /// The cluster's id.
        id as id: String,
        /// The mode.
        mode: String,
        /// The role of the firewall in the cluster.
        status: String,
        /// The other firewall.
        peers: ClusterPeer,
    }
}

model! {
    /// The other firewall of a cluster.
    pub struct ClusterPeer {
        /// The firewall's id.
        id as id: String,
        /// The serial number.
        serial_number: String,
    }
}

model! {
    /// The connection and management status of a firewall.
    ///
    /// The service uses `managing` or `managingStatus`, and `reporting` or `reportingStatus`.
    pub struct FirewallStatus {
        /// The management status.
        managing: ManagingStatus,
        /// The reporting status.
        reporting: String,
        /// Whether the firewall is connected.
        connected: bool,
        /// Whether the firewall is suspended.
        suspended: bool,
        /// The management status under the name of the schema.
        managing_status: ManagingStatus,
        /// The reporting status under the name of the schema.
        reporting_status: String,
    }
}

impl FirewallStatus {
    /// The management status under either name.
    pub fn management(&self) -> Option<&ManagingStatus> {
        self.managing_status.as_ref().or(self.managing.as_ref())
    }

    /// The reporting status under either name.
    pub fn report(&self) -> Option<&str> {
        self.reporting_status.as_deref().or(self.reporting.as_deref())
    }
}

open_enum! {
    /// The management of a firewall by Sophos Central.
    pub enum ManagingStatus {
        /// The customer approved it.
        ApprovedByCustomer = "approvedByCustomer",
        /// The approval is pending.
        ApprovalPending = "approvalPending",
        /// The customer rejected it.
        RejectedByCustomer = "rejectedByCustomer",
        /// The customer revoked it.
        RevokedByCustomer = "revokedByCustomer",
        /// The partner revoked it.
        RevokedByPartner = "revokedByPartner",
        /// It was not requested.
        RequestNotSent = "requestNotSent",
        /// The firewall is claimed.
        Claimed = "claimed",
        /// The firewall is not claimed.
        Unclaimed = "unclaimed",
        /// The firewall waits for its deployment.
        WaitingForDeployment = "waitingForDeployment",
    }
}

open_enum! {
    /// A capability of a firewall.
    pub enum FirewallCapability {
        /// High availability.
        HighAvailability = "highAvailability",
        /// SD-WAN connection groups.
        SdwanGroup = "sdwanGroup",
        /// Several SD-WAN connection groups.
        SdwanMultiGroup = "sdwanMultiGroup",
        /// Import of a configuration.
        ConfigImport = "configImport",
        /// The capabilities of each firewall.
        Default = "default",
        /// Automatic scaling in a cloud.
        CloudAutoScale = "cloudAutoScale",
    }
}

model! {
    /// The location of a firewall.
    pub struct GeoLocation with setters {
        /// The latitude, in degrees.
        latitude: String,
        /// The longitude, in degrees.
        longitude: String,
    }
}

model! {
    /// The result of an action.
    pub struct FirewallAction {
        /// The status of the action.
        status: String,
        /// The action, such as `approveManagement`.
        action: String,
    }
}

model! {
    /// The scheduled upgrades.
    pub struct ScheduledUpgrades {
        /// The firewalls.
        firewalls: Vec<ScheduledUpgrade>,
    }
}

model! {
    /// The scheduled upgrade of a firewall.
    pub struct ScheduledUpgrade {
        /// The firewall's id.
        id as id: String,
        /// The status of the upgrade.
        status: String,
        /// The target version.
        upgrade_to_version: String,
        /// The time when the upgrade was done.
        upgraded_at: Timestamp,
    }
}

model! {
    /// The available upgrades.
    pub struct AvailableUpgrades {
        /// The firewalls.
        firewalls: Vec<UpgradableFirewall>,
        /// The versions.
        firmware_versions: Vec<FirmwareVersion>,
    }
}

model! {
    /// A firewall and the versions it can be upgraded to.
    pub struct UpgradableFirewall {
        /// The firewall's id.
        id as id: String,
        /// The serial number.
        serial_number: String,
        /// The firmware version.
        firmware_version: String,
        /// The possible target versions.
        upgrade_to_version: Vec<String>,
    }
}

model! {
    /// A firmware version.
    pub struct FirmwareVersion {
        /// The size of the download.
        size: String,
        /// The version.
        version: String,
        /// The corrected faults.
        bugs: Vec<String>,
        /// The new features.
        news: Vec<String>,
    }
}

model! {
    /// A firewall to upgrade.
    pub struct UpgradeRequest with setters {
        /// The firewall's id.
        id as id: String,
        /// The target version.
        upgrade_to_version: String,
        /// The time of the upgrade.
        upgrade_at: Timestamp,
    }
}

listed! {
    ListFirewalls
    DeleteFirewall
    UpdateFirewall
    RunFirewallAction
    CancelFirmwareUpgrade
    UpgradeFirmware
    CheckFirmwareUpgrade
}
