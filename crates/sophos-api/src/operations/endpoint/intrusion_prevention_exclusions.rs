//! Intrusion Prevention: `/endpoint/v1/settings/exclusions/intrusion-prevention` and the operations beside it.

use crate::{NumberedPage, models::{Deleted}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// An intrusion prevention exclusion.
    pub struct IntrusionPreventionExclusion {
        /// The id.
        id!: String,
        /// The type.
        r#type: String,
        /// The direction.
        direction: IntrusionPreventionExclusionDirection,
        /// The comment.
        comment: String,
        /// The local ports.
        local_ports: Vec<i64>,
        /// The remote ports.
        remote_ports: Vec<i64>,
        /// The remote addresses.
        remote_addresses: Vec<String>,
    }
}

open_enum! {
    /// The intrusion prevention exclusion direction.
    pub enum IntrusionPreventionExclusionDirection {
        /// `both`.
        Both = "both",
        /// `inbound`.
        Inbound = "inbound",
        /// `outbound`.
        Outbound = "outbound",
    }
}

operation! {
    /// Gets all Intrusion Prevention exclusions.
    pub struct ListIntrusionPreventionExclusions = GET "/endpoint/v1/settings/exclusions/intrusion-prevention" (tenant)
        -> NumberedPage<IntrusionPreventionExclusion> {
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
    }
}

operation! {
    /// Adds a new Intrusion Prevention exclusion.
    pub struct CreateIntrusionPreventionExclusion = POST "/endpoint/v1/settings/exclusions/intrusion-prevention" (tenant)
        -> IntrusionPreventionExclusion {
        /// The direction.
        direction: IntrusionPreventionExclusionDirection,
        /// The local ports.
        local_ports: [i64],
        /// The remote ports.
        remote_ports: [i64],
        /// The remote addresses.
        remote_addresses: [String],
        /// The comment.
        comment: String,
    }
}

operation! {
    /// Deletes an Intrusion Prevention exclusion by ID.
    pub struct DeleteIntrusionPreventionExclusion = DELETE "/endpoint/v1/settings/exclusions/intrusion-prevention/:exclusionId" (tenant)
        -> Deleted {
        /// The exclusion id.
        exclusion_id!: String,
    }
}

operation! {
    /// Gets an Intrusion Prevention exclusion by ID.
    pub struct GetIntrusionPreventionExclusion = GET "/endpoint/v1/settings/exclusions/intrusion-prevention/:exclusionId" (tenant)
        -> IntrusionPreventionExclusion {
        /// The exclusion id.
        exclusion_id!: String,
    }
}

operation! {
    /// Updates an Intrusion Prevention exclusion by ID.
    pub struct UpdateIntrusionPreventionExclusion = PATCH "/endpoint/v1/settings/exclusions/intrusion-prevention/:exclusionId" (tenant)
        -> IntrusionPreventionExclusion {
        /// The exclusion id.
        exclusion_id!: String,
        /// The local ports.
        local_ports: [i64],
        /// The remote ports.
        remote_ports: [i64],
        /// The direction.
        direction: IntrusionPreventionExclusionDirection,
        /// The remote addresses.
        remote_addresses: [String],
        /// The comment.
        comment: String,
    }
}

tested! {
    ListIntrusionPreventionExclusions
    CreateIntrusionPreventionExclusion
    DeleteIntrusionPreventionExclusion
    GetIntrusionPreventionExclusion
    UpdateIntrusionPreventionExclusion
}
