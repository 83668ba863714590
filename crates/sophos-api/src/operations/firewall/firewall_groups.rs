//! Groups of firewalls: `/firewall/v1/firewall-groups`.

use serde_json::Value;

use crate::{
    NumberedPage, Timestamp,
    models::{Actor, Deleted, Reference, macros::model},
    operation::macros::{listed, operation},
};

operation! {
    /// Lists the firewall groups of a tenant.
    pub struct ListFirewallGroups = GET "/firewall/v1/firewall-groups" (tenant, "fwcm.firewall.group:read")
        -> NumberedPage<FirewallGroup> {
        /// The page number, from 1.
        page: u64,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The number of items per page.
        page_size: u32,
        /// Whether to list nested groups as well.
        recurse_subgroups: bool,
        /// The text to search for.
        search: String,
        /// The fields to search in: `name` and `parentId`.
        search_fields: [String],
    }
}

operation! {
    /// Creates a firewall group, with the configuration of a firewall if one is named.
    pub struct CreateFirewallGroup = POST "/firewall/v1/firewall-groups" (tenant) -> FirewallGroup {
        /// The name.
        name!: String,
        /// The id of the firewall whose configuration the group takes.
        config_import_source_firewall_id: String,
        /// The ids of firewalls to add.
        assign_firewalls: [String],
        /// The id of the parent group.
        parent_group_id: String,
    }
}

operation! {
    /// Deletes a firewall group.
    pub struct DeleteFirewallGroup = DELETE "/firewall/v1/firewall-groups/:groupId" (tenant) -> Deleted {
        /// The group's id.
        group_id!: String,
    }
}

operation! {
    /// Changes the name of a firewall group, and adds and removes firewalls.
    pub struct UpdateFirewallGroup = PATCH "/firewall/v1/firewall-groups/:groupId" (tenant) -> FirewallGroup {
        /// The group's id.
        group_id!: String,
        /// The name.
        name: String,
        /// The ids of firewalls to add.
        assign_firewalls: [String],
        /// The ids of firewalls to remove.
        unassign_firewalls: [String],
    }
}

operation! {
    /// Lists the synchronization status of the firewalls of a group.
    pub struct ListFirewallSyncStatuses = GET "/firewall/v1/firewall-groups/:groupId/firewalls/sync-status" (tenant)
        -> NumberedPage<FirewallSyncStatus> {
        /// The group's id.
        group_id!: String,
        /// The ids of firewalls to match.
        ids: [String],
        /// The page number, from 1.
        page: u64,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The number of items per page.
        page_size: u32,
    }
}

model! {
    /// A group of firewalls. Groups may be nested.
    pub struct FirewallGroup {
        /// The group's id.
        id!: String,
        /// The name.
        name: String,
        /// The parent group.
        parent_group: Reference,
        /// The tenant.
        tenant: Reference,
        /// Whether the managing account locked the group.
        locked_by_managing_account: bool,
        /// The firewalls, possibly not all.
        firewalls: FirewallPreview,
        /// The import of a configuration.
        config_import: ConfigImport,
        /// The actor that created it.
        created_by: Actor,
        /// The time of creation.
        created_at: Timestamp,
        /// The actor of the last change.
        updated_by: Actor,
        /// The time of the last change.
        updated_at: Timestamp,
    }
}

model! {
    /// The first firewalls of a group.
    pub struct FirewallPreview {
        /// The number of all items.
        total: i64,
        /// The number of listed items.
        items_count: i64,
        /// The listed firewalls.
        items: Vec<Reference>,
    }
}

model! {
    /// The import of a firewall's configuration into a group.
    pub struct ConfigImport {
        /// The firewall with the configuration.
        source_firewall: Reference,
        /// The progress, in percent.
        percent_complete: i64,
        /// The status: `initializing`, `initializingFailed`, `initializingFailedExport`,
        /// `uploaded`, `uploadFailed`, `downloadFailed`, `processing`, `failed` or `success`.
        status: String,
        /// The failures.
        errors: Vec<Value>,
    }
}

model! {
    /// The synchronization status of a firewall with its group.
    pub struct FirewallSyncStatus {
        /// The firewall.
        firewall: Reference,
        /// The status.
        status: String,
        /// The time of the last change of the status.
        last_updated_at: Timestamp,
    }
}

listed! {
    ListFirewallGroups
    CreateFirewallGroup
    DeleteFirewallGroup
    UpdateFirewallGroup
    ListFirewallSyncStatuses
}
