//! Isolation Exclusions: `/endpoint/v1/settings/exclusions/isolation` and the operations beside it.

use crate::{NumberedPage, models::{Deleted}, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// An isolation exclusion.
    pub struct IsolationExclusion {
        /// The id.
        id!: String,
        /// The type.
        r#type: String,
        /// The direction.
        direction: IsolationExclusionDirection,
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
    /// The isolation exclusion direction.
    pub enum IsolationExclusionDirection {
        /// `both`.
        Both = "both",
        /// `inbound`.
        Inbound = "inbound",
        /// `outbound`.
        Outbound = "outbound",
    }
}

operation! {
    /// Gets all isolation exclusions.
    pub struct ListIsolationExclusions = GET "/endpoint/v1/settings/exclusions/isolation" (tenant)
        -> NumberedPage<IsolationExclusion> {
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// Whether the response holds the number of pages and items.
        page_total: bool,
    }
}

operation! {
    /// Creates the isolation exclusion.
    pub struct CreateIsolationExclusion = POST "/endpoint/v1/settings/exclusions/isolation" (tenant)
        -> IsolationExclusion {
        /// The direction.
        direction: IsolationExclusionDirection,
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
    /// Deletes an Isolation exclusion.
    pub struct DeleteIsolationExclusion = DELETE "/endpoint/v1/settings/exclusions/isolation/:exclusionId" (tenant)
        -> Deleted {
        /// The exclusion id.
        exclusion_id!: String,
    }
}

operation! {
    /// Gets a single Isolation exclusion by ID.
    pub struct GetIsolationExclusion = GET "/endpoint/v1/settings/exclusions/isolation/:exclusionId" (tenant)
        -> IsolationExclusion {
        /// The exclusion id.
        exclusion_id!: String,
    }
}

operation! {
    /// Updates an Isolation exclusion by ID.
    pub struct UpdateIsolationExclusion = PATCH "/endpoint/v1/settings/exclusions/isolation/:exclusionId" (tenant)
        -> IsolationExclusion {
        /// The exclusion id.
        exclusion_id!: String,
        /// The local ports.
        local_ports: [i64],
        /// The remote ports.
        remote_ports: [i64],
        /// The direction.
        direction: IsolationExclusionDirection,
        /// The remote addresses.
        remote_addresses: [String],
        /// The comment.
        comment: String,
    }
}

tested! {
    ListIsolationExclusions
    CreateIsolationExclusion
    DeleteIsolationExclusion
    GetIsolationExclusion
    UpdateIsolationExclusion
}
