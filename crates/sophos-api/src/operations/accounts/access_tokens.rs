//! Access tokens of Sophos Linux Sensor, not API credentials: `/accounts/v1/access-tokens`.

use crate::{
    NumberedPage, Timestamp,
    models::{
        Actor, Deleted, SecretText,
        macros::{model, open_enum},
    },
    operation::macros::{listed, operation},
};

operation! {
    /// Lists the access tokens of a tenant.
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
    /// Creates an access token.
    ///
    /// Fails with 403 if the tenant's licenses do not include the product.
    pub struct CreateAccessToken = POST "/accounts/v1/access-tokens" (tenant global) -> AccessToken {
        /// The label, of 1 to 50 characters.
        label!: String,
        /// The purpose.
        r#type!: AccessTokenType,
        /// The time of expiry.
        expires_at: Timestamp,
    } where {
        label: 1..=50,
    }
}

operation! {
    /// Revokes an access token.
    pub struct DeleteAccessToken = DELETE "/accounts/v1/access-tokens/:tokenId" (tenant global) -> Deleted {
        /// The token's id.
        token_id!: String,
    }
}

operation! {
    /// Changes the label or the time of expiry of an access token.
    pub struct UpdateAccessToken = PATCH "/accounts/v1/access-tokens/:tokenId" (tenant global)
        -> AccessToken {
        /// The token's id.
        token_id!: String,
        /// The label, of 1 to 50 characters.
        label: String,
        /// The time of expiry.
        expires_at: Timestamp,
    } where {
        label: 1..=50,
    }
}

model! {
    /// An access token.
    pub struct AccessToken {
        /// The token's id.
        id!: String,
        /// The token.
        token: SecretText,
        /// The purpose.
        r#type: AccessTokenType,
        /// The time of creation.
        created_at: Timestamp,
        /// The time of expiry.
        expires_at: Timestamp,
        /// The URL that the token gives access to.
        url: SecretText,
        /// The actor that created it.
        created_by: Actor,
        /// The label, of 1 to 50 characters.
        label: String,
    }
}

open_enum! {
    /// The purpose of an access token.
    pub enum AccessTokenType {
        /// Sophos Linux Sensor, in its short form.
        Sls = "sls",
        /// Sophos Linux Sensor.
        SophosLinuxSensor = "sophosLinuxSensor",
    }
}

listed! {
    ListAccessTokens
    CreateAccessToken
    DeleteAccessToken
    UpdateAccessToken
}
