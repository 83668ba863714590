//! Sync Status: `/firewall/v1/firewall-groups` and the operations beside it.

use serde_json::Value;

use crate::{NumberedPage, Timestamp, models::{Actor, Deleted, Reference}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// A firewall group.
    pub struct FirewallGroup {
        /// The id.
        id!: String,
        /// The name.
        name: String,
        /// The parent group.
        parent_group: Reference,
        /// The tenant.
        tenant: Reference,
        /// Whether `lockedByManagingAccount` is set.
        locked_by_managing_account: bool,
        /// The firewalls.
        firewalls: FirewallGroupFirewall,
        /// The config import.
        config_import: FirewallGroupConfigImport,
        /// The account that created it.
        created_by: Actor,
        /// The time of creation.
        created_at: Timestamp,
        /// The account that changed it last.
        updated_by: Actor,
        /// The time of the last change.
        updated_at: Timestamp,
    }
}

model! {
    /// A firewall group firewall.
    pub struct FirewallGroupFirewall {
        /// The total.
        total: i64,
        /// The items count.
        items_count: i64,
        /// The items.
        items: Vec<Reference>,
    }
}

model! {
    /// A firewall group config import.
    pub struct FirewallGroupConfigImport {
        /// The source firewall.
        source_firewall: Reference,
        /// The percent complete.
        percent_complete: i64,
        /// The status.
        status: FirewallGroupConfigImportStatus,
        /// The errors.
        errors: Vec<Value>,
    }
}

model! {
    /// A firewall sync status.
    pub struct FirewallSyncStatus {
        /// The firewall.
        firewall: Reference,
        /// The status.
        status: String,
        /// The time: last updated.
        last_updated_at: Timestamp,
    }
}

open_enum! {
    /// The firewall group config import status.
    pub enum FirewallGroupConfigImportStatus {
        /// `initializing`.
        Initializing = "initializing",
        /// `success`.
        Success = "success",
    }
}

operation! {
    /// Gets firewall groups.
    pub struct ListFirewallGroups = GET "/firewall/v1/firewall-groups" (tenant)
        -> NumberedPage<FirewallGroup> {
        /// The page number, from 1.
        page: u64,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The number of items per page.
        page_size: u32,
        /// Whether to include nested child groups or not.
        recurse_subgroups: String,
        /// The text to search for.
        search: String,
        /// The fields to search in.
        search_fields: [String],
    }
}

operation! {
    /// Creates firewall group.
    pub struct CreateFirewallGroup = POST "/firewall/v1/firewall-groups" (tenant)
        -> FirewallGroup {
        /// The name.
        name: String,
        /// The config import source firewall id.
        config_import_source_firewall_id: String,
        /// The assign firewalls.
        assign_firewalls: [String],
        /// The parent group id.
        parent_group_id: String,
    }
}

operation! {
    /// Deletes firewall group using its ID.
    pub struct DeleteFirewallGroup = DELETE "/firewall/v1/firewall-groups/:groupId" (tenant)
        -> Deleted {
        /// The group id.
        group_id!: String,
    }
}

operation! {
    /// Changes firewall group name.
    pub struct UpdateFirewallGroup = PATCH "/firewall/v1/firewall-groups/:groupId" (tenant)
        -> Value {
        /// The group id.
        group_id!: String,
        /// The name.
        name: String,
        /// The assign firewalls.
        assign_firewalls: [String],
        /// The unassign firewalls.
        unassign_firewalls: [String],
    }
}

operation! {
    /// Lists the firewall sync statuses.
    pub struct ListFirewallSyncStatuses = GET "/firewall/v1/firewall-groups/:groupId/firewalls/sync-status" (tenant)
        -> NumberedPage<FirewallSyncStatus> {
        /// The group id.
        group_id!: String,
        /// The ids.
        ids: [String],
        /// The page number, from 1.
        page: u64,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The number of items per page.
        page_size: u32,
    }
}

tested! {
    ListFirewallGroups
    CreateFirewallGroup
    DeleteFirewallGroup
    UpdateFirewallGroup
    ListFirewallSyncStatuses
}
