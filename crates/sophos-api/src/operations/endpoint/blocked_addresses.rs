//! Addresses that Windows endpoints refuse to communicate with: `/endpoint/v1/settings/blocked-addresses`.

use crate::{
    ItemList, NumberedPage, Timestamp,
    models::macros::model,
    operation::macros::{listed, operation},
};

operation! {
    /// Lists the blocked addresses and ranges.
    pub struct ListBlockedAddresses = GET "/endpoint/v1/settings/blocked-addresses" (tenant)
        -> NumberedPage<BlockedAddress> {
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The order; `createdAt:desc` if empty.
        sort: [String],
    }
}

operation! {
    /// Blocks addresses and ranges on Windows endpoints.
    pub struct BlockAddresses = POST "/endpoint/v1/settings/blocked-addresses/bulk" (tenant)
        -> ItemList<BlockedAddress> {
        /// The addresses to block.
        items!: [NewBlockedAddresses],
    }
}

operation! {
    /// Unblocks addresses and ranges.
    ///
    /// Succeeds although some stay blocked; the response lists their ids.
    pub struct UnblockAddresses = POST "/endpoint/v1/settings/blocked-addresses/bulk/delete" (tenant)
        -> UnblockedAddresses {
        /// The ids of the blocked addresses.
        ids!: [String],
    }
}

model! {
    /// Addresses to block.
    pub struct NewBlockedAddresses with setters {
        /// The IPv4 or IPv6 addresses, prefixes such as `1.2.2.3/17`, or ranges such as
        /// `1.3.2.3-1.3.2.6`.
        item: Vec<String>,
    }
}

model! {
    /// The result of unblocking.
    pub struct UnblockedAddresses {
        /// The ids that are still blocked.
        failed_to_delete: Vec<String>,
    }
}

model! {
    /// A blocked address or range. No published example shows its fields.
    pub struct BlockedAddress {
        /// The id of the blocked address.
        id as id: String,
        /// The address, prefix or range.
        item: String,
        /// The time when it is unblocked.
        blocked_until: Timestamp,
        /// The time of creation.
        created_at: Timestamp,
    }
}

listed! {
    ListBlockedAddresses
    BlockAddresses
    UnblockAddresses
}
