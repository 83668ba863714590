//! Items that detection exempts: `/endpoint/v1/settings/allowed-items`.

use crate::{
    NumberedPage, Timestamp,
    models::{
        Deleted, Reference,
        macros::{model, open_enum},
    },
    operation::macros::{listed, operation},
};

operation! {
    /// Lists the allowed items of a tenant.
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
    /// Exempts an item from detection.
    ///
    /// Fails with 409 if the item is already allowed.
    pub struct CreateAllowedItem = POST "/endpoint/v1/settings/allowed-items" (tenant) -> AllowedItem {
        /// The identifying property.
        r#type!: AllowedItemType,
        /// The properties of the item; the one that `type` names is required.
        properties!: ItemProperties,
        /// The reason.
        comment!: String,
        /// The id of the user where it was detected.
        origin_person_id: String,
        /// The id of the endpoint where it was detected.
        origin_endpoint_id: String,
    }
}

operation! {
    /// Deletes an allowed item; succeeds as well if it does not exist.
    pub struct DeleteAllowedItem = DELETE "/endpoint/v1/settings/allowed-items/:allowedItemId" (tenant)
        -> Deleted {
        /// The id of the allowed item.
        allowed_item_id!: String,
    }
}

operation! {
    /// Returns an allowed item.
    pub struct GetAllowedItem = GET "/endpoint/v1/settings/allowed-items/:allowedItemId" (tenant)
        -> AllowedItem {
        /// The id of the allowed item.
        allowed_item_id!: String,
    }
}

operation! {
    /// Changes the comment of an allowed item.
    pub struct UpdateAllowedItem = PATCH "/endpoint/v1/settings/allowed-items/:allowedItemId" (tenant)
        -> AllowedItem {
        /// The id of the allowed item.
        allowed_item_id!: String,
        /// The reason.
        comment!: String,
    }
}

model! {
    /// An item that detection exempts.
    pub struct AllowedItem {
        /// The id of the allowed item.
        id!: String,
        /// The time of creation.
        created_at: Timestamp,
        /// The reason.
        comment: String,
        /// The identifying property.
        r#type: AllowedItemType,
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

model! {
    /// The properties of an allowed or blocked item. `type` names the one that identifies it.
    pub struct ItemProperties with setters {
        /// The file name.
        file_name: String,
        /// The path.
        path: String,
        /// The SHA-256 hash, in hexadecimal.
        sha256: String,
        /// The signer of the certificate.
        certificate_signer: String,
    }
}

open_enum! {
    /// The property that identifies an allowed item.
    pub enum AllowedItemType {
        /// A path of Windows.
        Path = "path",
        /// A path of macOS or Linux.
        PosixPath = "posixPath",
        /// A SHA-256 hash.
        Sha256 = "sha256",
        /// The signer of a certificate.
        CertificateSigner = "certificateSigner",
    }
}

listed! {
    ListAllowedItems
    CreateAllowedItem
    DeleteAllowedItem
    GetAllowedItem
    UpdateAllowedItem
}
