//! Permission to move endpoints to another tenant: `/endpoint/v1/settings/migration`.

use crate::{
    Timestamp,
    models::macros::model,
    operation::macros::{listed, operation},
};

operation! {
    /// Returns whether endpoints of a tenant may move to another tenant.
    ///
    /// A public client measured it on a live tenant; it is not published.
    pub struct GetMigrationSetting = GET "/endpoint/v1/settings/migration" (tenant)
        -> MigrationSetting {}
}

model! {
    /// The permission to move endpoints.
    pub struct MigrationSetting {
        /// Whether moves are permitted.
        enabled: bool,
        /// The time when the permission expires.
        expires_at: Timestamp,
    }
}

listed! {
    GetMigrationSetting
}
