//! MAC filter of access points: `/wifi/v1/settings/mac-filtering`.

use crate::{
    Timestamp,
    models::{Actor, Reference, macros::model},
    operation::macros::{listed, operation},
};

operation! {
    /// Returns the MAC filter of the access points.
    pub struct GetMacFiltering = GET "/wifi/v1/settings/mac-filtering" (tenant) -> MacFilter {}
}

operation! {
    /// Replaces the MAC filter of the access points.
    ///
    /// The access points apply it later; [`ListTasks`](super::tasks::ListTasks) returns their
    /// progress.
    pub struct UpdateMacFiltering = PUT "/wifi/v1/settings/mac-filtering" (tenant) -> MacFilter {
        /// The MAC addresses, such as `5c:85:7e:32:97:26`.
        mac_addresses!: [String],
    }
}

model! {
    /// The MAC filter of the access points.
    pub struct MacFilter {
        /// The MAC addresses, such as `5c:85:7e:32:97:26`.
        mac_addresses: Vec<String>,
        /// The tenant.
        tenant: Reference,
        /// The actor that created it.
        created_by: Actor,
        /// The time of creation.
        created_at: Timestamp,
        /// The actor of the last change.
        updated_by: Actor,
        /// The time of the last change.
        updated_at: Timestamp,
    }
}

listed! {
    GetMacFiltering
    UpdateMacFiltering
}
