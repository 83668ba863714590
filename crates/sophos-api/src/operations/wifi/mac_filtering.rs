//! MAC Filtering: `/wifi/v1/settings/mac-filtering` and the operations beside it.

use crate::{Timestamp, models::{Actor, Reference}, model::{model}, operation_macro::{operation, tested}};

model! {
    /// A mac filtering.
    pub struct MacFiltering {
        /// The mac addresses.
        mac_addresses: Vec<String>,
        /// The tenant.
        tenant: Reference,
        /// The account that created it.
        created_by: Actor,
        /// The time of creation.
        created_at: Timestamp,
        /// The account that changed it last.
        updated_by: Actor,
        /// The time of the last change.
        updated_at: Timestamp,
    }
}

operation! {
    /// Gets MAC filter settings for the tenant.
    pub struct GetMacFiltering = GET "/wifi/v1/settings/mac-filtering" (tenant)
        -> MacFiltering {
    }
}

operation! {
    /// Updates MAC filter settings for the tenant.
    pub struct UpdateMacFiltering = PUT "/wifi/v1/settings/mac-filtering" (tenant)
        -> MacFiltering {
        /// The mac addresses.
        mac_addresses: [String],
    }
}

tested! {
    GetMacFiltering
    UpdateMacFiltering
}
