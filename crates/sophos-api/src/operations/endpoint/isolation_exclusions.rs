//! Network traffic that isolated endpoints may send and receive: `/endpoint/v1/settings/exclusions/isolation`.

use crate::{
    NumberedPage,
    models::{
        Deleted,
        macros::{model, open_enum},
    },
    operation::macros::{listed, operation},
};

operation! {
    /// Lists the exclusions from isolation.
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
    /// Creates an exclusion from isolation.
    pub struct CreateIsolationExclusion = POST "/endpoint/v1/settings/exclusions/isolation" (tenant)
        -> IsolationExclusion {
        /// The direction of the traffic.
        direction!: TrafficDirection,
        /// The ports of the endpoint.
        local_ports: [i64],
        /// The ports of the other side.
        remote_ports: [i64],
        /// The addresses of the other side.
        remote_addresses: [String],
        /// The comment.
        comment: String,
    }
}

operation! {
    /// Deletes an exclusion; succeeds as well if it does not exist.
    pub struct DeleteIsolationExclusion = DELETE "/endpoint/v1/settings/exclusions/isolation/:exclusionId" (tenant)
        -> Deleted {
        /// The exclusion's id.
        exclusion_id!: String,
    }
}

operation! {
    /// Returns an exclusion from isolation.
    pub struct GetIsolationExclusion = GET "/endpoint/v1/settings/exclusions/isolation/:exclusionId" (tenant)
        -> IsolationExclusion {
        /// The exclusion's id.
        exclusion_id!: String,
    }
}

operation! {
    /// Changes an exclusion from isolation.
    pub struct UpdateIsolationExclusion = PATCH "/endpoint/v1/settings/exclusions/isolation/:exclusionId" (tenant)
        -> IsolationExclusion {
        /// The exclusion's id.
        exclusion_id!: String,
        /// The ports of the endpoint.
        local_ports: [i64],
        /// The ports of the other side.
        remote_ports: [i64],
        /// The direction of the traffic.
        direction: TrafficDirection,
        /// The addresses of the other side.
        remote_addresses: [String],
        /// The comment.
        comment: String,
    }
}

model! {
    /// Network traffic that isolated endpoints may send and receive.
    pub struct IsolationExclusion {
        /// The exclusion's id.
        id!: String,
        /// The kind of exclusion.
        r#type: String,
        /// The direction of the traffic.
        direction: TrafficDirection,
        /// The comment.
        comment: String,
        /// The ports of the endpoint.
        local_ports: Vec<i64>,
        /// The ports of the other side.
        remote_ports: Vec<i64>,
        /// The addresses of the other side.
        remote_addresses: Vec<String>,
    }
}

open_enum! {
    /// The direction of network traffic.
    pub enum TrafficDirection {
        /// Both directions.
        Both = "both",
        /// To the endpoint.
        Inbound = "inbound",
        /// From the endpoint.
        Outbound = "outbound",
    }
}

listed! {
    ListIsolationExclusions
    CreateIsolationExclusion
    DeleteIsolationExclusion
    GetIsolationExclusion
    UpdateIsolationExclusion
}
