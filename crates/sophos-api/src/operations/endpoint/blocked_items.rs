//! Items that endpoints block: `/endpoint/v1/settings/blocked-items`.

use crate::{
    NumberedPage, Timestamp,
    models::{Deleted, Reference, macros::model},
    operation::macros::{listed, operation},
    operations::endpoint::allowed_items::ItemProperties,
};

operation! {
    /// Lists the blocked items of a tenant.
    pub struct ListBlockedItems = GET "/endpoint/v1/settings/blocked-items" (tenant)
        -> NumberedPage<BlockedItem> {
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
    }
}

operation! {
    /// Blocks an item on all endpoints of a tenant.
    pub struct CreateBlockedItem = POST "/endpoint/v1/settings/blocked-items" (tenant) -> BlockedItem {
        /// The property that identifies the item: `sha256`.
        r#type!: String,
        /// The properties of the item, with its hash.
        properties!: ItemProperties,
        /// The reason.
        comment!: String,
    }
}

operation! {
    /// Deletes a blocked item; succeeds as well if it does not exist.
    pub struct DeleteBlockedItem = DELETE "/endpoint/v1/settings/blocked-items/:blockedItemId" (tenant)
        -> Deleted {
        /// The id of the blocked item.
        blocked_item_id!: String,
    }
}

operation! {
    /// Returns a blocked item.
    pub struct GetBlockedItem = GET "/endpoint/v1/settings/blocked-items/:blockedItemId" (tenant)
        -> BlockedItem {
        /// The id of the blocked item.
        blocked_item_id!: String,
    }
}

model! {
    /// An item that endpoints block.
    pub struct BlockedItem {
        /// The id of the blocked item.
        id!: String,
        /// The time of creation.
        created_at: Timestamp,
        /// The reason.
        comment: String,
        /// The property that identifies the item: `sha256`.
        r#type: String,
        /// The properties of the item.
        properties: ItemProperties,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The actor that created it.
        created_by: Reference,
        /// The user where it was detected.
        origin_person: Reference,
        /// The endpoint where it was detected.
        origin_endpoint: Reference,
    }
}

listed! {
    ListBlockedItems
    CreateBlockedItem
    DeleteBlockedItem
    GetBlockedItem
}
