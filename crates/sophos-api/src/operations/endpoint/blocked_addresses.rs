//! Blocked Addresses: `/endpoint/v1/settings/blocked-addresses` and the operations beside it.

use serde_json::Value;

use crate::{ItemList, NumberedPage, model::{model}, operation_macro::{operation, tested}};

model! {
    /// A block addresses response item.
    pub struct BlockAddressesResponseItem {
        /// The item.
        item: Vec<String>,
    }
}

model! {
    /// An unblock addresses response.
    pub struct UnblockAddressesResponse {
        /// The failed to delete.
        failed_to_delete: Vec<String>,
    }
}

operation! {
    /// Gets the list of all currently blocked IP addresses and IP address ranges.
    pub struct ListBlockedAddresses = GET "/endpoint/v1/settings/blocked-addresses" (tenant)
        -> NumberedPage<Value> {
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
        /// The order, such as `name:asc`.
        sort: [String],
    }
}

operation! {
    /// Blocks the addresses.
    pub struct BlockAddresses = POST "/endpoint/v1/settings/blocked-addresses/bulk" (tenant)
        -> ItemList<Value> {
        /// The items.
        items: [BlockAddressesResponseItem],
    }
}

operation! {
    /// Removes multiple IP addresses or IP address ranges from being blocked.
    pub struct UnblockAddresses = POST "/endpoint/v1/settings/blocked-addresses/bulk/delete" (tenant)
        -> UnblockAddressesResponse {
        /// The ids.
        ids: [String],
    }
}

tested! {
    ListBlockedAddresses
    BlockAddresses
    UnblockAddresses
}
