//! Blocked Items: `/endpoint/v1/settings/blocked-items` and the operations beside it.

use crate::{NumberedPage, Timestamp, models::{Deleted, Reference}, model::{model}, operation_macro::{operation, tested}};

model! {
    /// A blocked item.
    pub struct BlockedItem {
        /// The id.
        id!: String,
        /// The time of creation.
        created_at: Timestamp,
        /// The comment.
        comment: String,
        /// The type.
        r#type: String,
        /// The properties.
        properties: BlockedItemPropertie,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The account that created it.
        created_by: Reference,
        /// The origin person.
        origin_person: Reference,
        /// The origin endpoint.
        origin_endpoint: Reference,
    }
}

model! {
    /// A blocked item propertie.
    pub struct BlockedItemPropertie {
        /// The file name.
        file_name: String,
        /// The path.
        path: String,
        /// The sha256.
        sha256: String,
        /// The certificate signer.
        certificate_signer: String,
    }
}

operation! {
    /// Gets all blocked items.
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
    /// Blocks an item from exoneration.
    pub struct CreateBlockedItem = POST "/endpoint/v1/settings/blocked-items" (tenant)
        -> BlockedItem {
        /// The type.
        r#type: String,
        /// The properties.
        properties: BlockedItemPropertie,
        /// The comment.
        comment: String,
    }
}

operation! {
    /// Deletes the specified blocked item.
    pub struct DeleteBlockedItem = DELETE "/endpoint/v1/settings/blocked-items/:blockedItemId" (tenant)
        -> Deleted {
        /// The blocked item id.
        blocked_item_id!: String,
    }
}

operation! {
    /// Gets a blocked item by ID.
    pub struct GetBlockedItem = GET "/endpoint/v1/settings/blocked-items/:blockedItemId" (tenant)
        -> BlockedItem {
        /// The blocked item id.
        blocked_item_id!: String,
    }
}

tested! {
    ListBlockedItems
    CreateBlockedItem
    DeleteBlockedItem
    GetBlockedItem
}
