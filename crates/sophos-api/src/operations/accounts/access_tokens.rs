//! Token Management: `/accounts/v1/access-tokens` and the operations beside it.

use crate::{NumberedPage, Timestamp, models::{Actor, Deleted}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// An access token.
    pub struct AccessToken {
        /// The id.
        id!: String,
        /// The token.
        token: String,
        /// The type.
        r#type: AccessTokenType,
        /// The time of creation.
        created_at: Timestamp,
        /// The time of expiry.
        expires_at: Timestamp,
        /// The url.
        url: String,
        /// The account that created it.
        created_by: Actor,
        /// The label.
        label: String,
    }
}

open_enum! {
    /// The access token type.
    pub enum AccessTokenType {
        /// `sls`.
        Sls = "sls",
        /// `sophosLinuxSensor`.
        SophosLinuxSensor = "sophosLinuxSensor",
    }
}

operation! {
    /// Gets all access tokens for a tenant.
    pub struct ListAccessTokens = GET "/accounts/v1/access-tokens" (tenant global)
        -> NumberedPage<AccessToken> {
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
    }
}

operation! {
    /// Creates access token for a tenant.
    pub struct CreateAccessToken = POST "/accounts/v1/access-tokens" (tenant global)
        -> AccessToken {
        /// The label.
        label: String,
        /// The type.
        r#type: AccessTokenType,
        /// The time of expiry.
        expires_at: Timestamp,
    }
}

operation! {
    /// Revokes access token for a tenant.
    pub struct DeleteAccessToken = DELETE "/accounts/v1/access-tokens/:tokenId" (tenant global)
        -> Deleted {
        /// The token id.
        token_id!: String,
    }
}

operation! {
    /// Updates access token for a tenant.
    pub struct UpdateAccessToken = PATCH "/accounts/v1/access-tokens/:tokenId" (tenant global)
        -> AccessToken {
        /// The token id.
        token_id!: String,
        /// The label.
        label: String,
        /// The time of expiry.
        expires_at: Timestamp,
    }
}

tested! {
    ListAccessTokens
    CreateAccessToken
    DeleteAccessToken
    UpdateAccessToken
}
