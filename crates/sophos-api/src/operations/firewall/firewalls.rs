//! Firewalls: `/firewall/v1/firewalls` and the operations beside it.

use crate::{NumberedPage, Timestamp, models::{Actor, Deleted, Reference}, model::{model}, operation_macro::{operation, tested}};

model! {
    /// A firewall.
    pub struct Firewall {
        /// The id.
        id!: String,
        /// The cluster.
        cluster: FirewallCluster,
        /// The tenant.
        tenant: Reference,
        /// The serial number.
        serial_number: String,
        /// The group.
        group: Reference,
        /// The hostname.
        hostname: String,
        /// The name.
        name: String,
        /// The external ipv4 addresses.
        external_ipv4_addresses: Vec<String>,
        /// The firmware version.
        firmware_version: String,
        /// The model.
        model: String,
        /// The status.
        status: FirewallStatus,
        /// The time: status changed.
        status_changed_at: Timestamp,
        /// The capabilities.
        capabilities: Vec<String>,
        /// The geo location.
        geo_location: FirewallGeoLocation,
        /// The account that created it.
        created_by: Actor,
        /// The time of creation.
        created_at: Timestamp,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The account that changed it last.
        updated_by: Actor,
        /// The time: state changed.
        state_changed_at: Timestamp,
    }
}

model! {
    /// A firewall cluster.
    pub struct FirewallCluster {
        /// The id.
        id as id: String,
        /// The mode.
        mode: String,
        /// The status.
        status: String,
        /// The peers.
        peers: FirewallClusterPeer,
    }
}

model! {
    /// A firewall cluster peer.
    pub struct FirewallClusterPeer {
        /// The id.
        id as id: String,
        /// The serial number.
        serial_number: String,
    }
}

model! {
    /// A firewall status.
    pub struct FirewallStatus {
        /// The managing.
        managing: String,
        /// The reporting.
        reporting: String,
        /// Whether `connected` is set.
        connected: bool,
        /// Whether `suspended` is set.
        suspended: bool,
    }
}

model! {
    /// A firewall geo location.
    pub struct FirewallGeoLocation {
        /// The latitude.
        latitude: String,
        /// The longitude.
        longitude: String,
    }
}

model! {
    /// A firewall action.
    pub struct FirewallAction {
        /// The status.
        status: String,
        /// The action.
        action: String,
    }
}

model! {
    /// An upgrade firmware response.
    pub struct UpgradeFirmwareResponse {
        /// The firewalls.
        firewalls: Vec<UpgradeFirmwareResponseFirewall>,
    }
}

model! {
    /// An upgrade firmware response firewall.
    pub struct UpgradeFirmwareResponseFirewall {
        /// The id.
        id as id: String,
        /// The status.
        status: String,
        /// The upgrade to version.
        upgrade_to_version: String,
        /// The time: upgraded.
        upgraded_at: Timestamp,
        /// The time: upgrade.
        upgrade_at: Timestamp,
    }
}

model! {
    /// A firmware upgrade.
    pub struct FirmwareUpgrade {
        /// The firewalls.
        firewalls: Vec<FirmwareUpgradeFirewall>,
        /// The firmware versions.
        firmware_versions: Vec<FirmwareUpgradeFirmwareVersion>,
    }
}

model! {
    /// A firmware upgrade firewall.
    pub struct FirmwareUpgradeFirewall {
        /// The id.
        id as id: String,
        /// The serial number.
        serial_number: String,
        /// The firmware version.
        firmware_version: String,
        /// The upgrade to version.
        upgrade_to_version: Vec<String>,
    }
}

model! {
    /// A firmware upgrade firmware version.
    pub struct FirmwareUpgradeFirmwareVersion {
        /// The size.
        size: String,
        /// The version.
        version: String,
        /// The bugs.
        bugs: Vec<String>,
        /// The news.
        news: Vec<String>,
    }
}

operation! {
    /// Lists of firewalls.
    pub struct ListFirewalls = GET "/firewall/v1/firewalls" (tenant)
        -> NumberedPage<Firewall> {
        /// The page number, from 1.
        page: u64,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The number of items per page.
        page_size: u32,
        /// The group id.
        group_id: String,
        /// The text to search for.
        search: String,
    }
}

operation! {
    /// Deletes firewall using its ID.
    pub struct DeleteFirewall = DELETE "/firewall/v1/firewalls/:firewallId" (tenant)
        -> Deleted {
        /// The firewall id.
        firewall_id!: String,
    }
}

operation! {
    /// Updates firewalls with supplied values.
    pub struct UpdateFirewall = PATCH "/firewall/v1/firewalls/:firewallId" (tenant)
        -> Firewall {
        /// The firewall id.
        firewall_id!: String,
        /// The name.
        name: String,
        /// The geo location.
        geo_location: FirewallGeoLocation,
    }
}

operation! {
    /// Runs the firewall action.
    pub struct RunFirewallAction = POST "/firewall/v1/firewalls/:firewallId/action" (tenant)
        -> FirewallAction {
        /// The firewall id.
        firewall_id!: String,
        /// The action.
        action: String,
    }
}

operation! {
    /// Cancels scheduled upgrade.
    pub struct CancelFirmwareUpgrade = DELETE "/firewall/v1/firewalls/actions/firmware-upgrade" (tenant)
        -> Deleted {
        /// The ids.
        ids: [String],
    }
}

operation! {
    /// Upgrades firewalls.
    pub struct UpgradeFirmware = POST "/firewall/v1/firewalls/actions/firmware-upgrade" (tenant)
        -> UpgradeFirmwareResponse {
        /// The firewalls.
        firewalls: [UpgradeFirmwareResponseFirewall],
    }
}

operation! {
    /// Checks firmware for firewalls.
    pub struct CheckFirmwareUpgrade = POST "/firewall/v1/firewalls/actions/firmware-upgrade-check" (tenant)
        -> FirmwareUpgrade {
        /// The firewalls.
        firewalls: [String],
    }
}

tested! {
    ListFirewalls
    DeleteFirewall
    UpdateFirewall
    RunFirewallAction
    CancelFirmwareUpgrade
    UpgradeFirmware
    CheckFirmwareUpgrade
}
