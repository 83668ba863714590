//! Allowed Items: `/endpoint/v1/settings/allowed-items` and the operations beside it.

use crate::{NumberedPage, Timestamp, models::{Deleted, Reference}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// An allowed item.
    pub struct AllowedItem {
        /// The id.
        id!: String,
        /// The time of creation.
        created_at: Timestamp,
        /// The comment.
        comment: String,
        /// The type.
        r#type: AllowedItemType,
        /// The properties.
        properties: AllowedItemPropertie,
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
    /// An allowed item propertie.
    pub struct AllowedItemPropertie {
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

open_enum! {
    /// The allowed item type.
    pub enum AllowedItemType {
        /// `certificateSigner`.
        CertificateSigner = "certificateSigner",
        /// `path`.
        Path = "path",
        /// `posixPath`.
        PosixPath = "posixPath",
    }
}

operation! {
    /// Gets all allowed items.
    pub struct ListAllowedItems = GET "/endpoint/v1/settings/allowed-items" (tenant)
        -> NumberedPage<AllowedItem> {
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
    }
}

operation! {
    /// Creates the allowed item.
    pub struct CreateAllowedItem = POST "/endpoint/v1/settings/allowed-items" (tenant)
        -> AllowedItem {
        /// The type.
        r#type: AllowedItemType,
        /// The properties.
        properties: AllowedItemPropertie,
        /// The comment.
        comment: String,
        /// The origin person id.
        origin_person_id: String,
        /// The origin endpoint id.
        origin_endpoint_id: String,
    }
}

operation! {
    /// Deletes the specified allowed item.
    pub struct DeleteAllowedItem = DELETE "/endpoint/v1/settings/allowed-items/:allowedItemId" (tenant)
        -> Deleted {
        /// The allowed item id.
        allowed_item_id!: String,
    }
}

operation! {
    /// Gets an allowed item by ID.
    pub struct GetAllowedItem = GET "/endpoint/v1/settings/allowed-items/:allowedItemId" (tenant)
        -> AllowedItem {
        /// The allowed item id.
        allowed_item_id!: String,
    }
}

operation! {
    /// Updates an allowed item.
    pub struct UpdateAllowedItem = PATCH "/endpoint/v1/settings/allowed-items/:allowedItemId" (tenant)
        -> AllowedItem {
        /// The allowed item id.
        allowed_item_id!: String,
        /// The comment.
        comment: String,
    }
}

tested! {
    ListAllowedItems
    CreateAllowedItem
    DeleteAllowedItem
    GetAllowedItem
    UpdateAllowedItem
}
