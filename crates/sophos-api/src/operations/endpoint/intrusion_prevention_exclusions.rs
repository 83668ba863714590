//! Network traffic that intrusion prevention exempts: `/endpoint/v1/settings/exclusions/intrusion-prevention`.

use crate::{
    NumberedPage,
    models::{Deleted, macros::model},
    operation::macros::{listed, operation},
    operations::endpoint::isolation_exclusions::TrafficDirection,
};

operation! {
    /// Lists the exclusions from intrusion prevention.
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
    /// Creates an exclusion from intrusion prevention.
    pub struct CreateIntrusionPreventionExclusion = POST "/endpoint/v1/settings/exclusions/intrusion-prevention" (tenant)
        -> IntrusionPreventionExclusion {
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
    pub struct DeleteIntrusionPreventionExclusion = DELETE "/endpoint/v1/settings/exclusions/intrusion-prevention/:exclusionId" (tenant)
        -> Deleted {
        /// The exclusion's id, 64 hexadecimal digits.
        exclusion_id!: String,
    }
}

operation! {
    /// Returns an exclusion from intrusion prevention.
    pub struct GetIntrusionPreventionExclusion = GET "/endpoint/v1/settings/exclusions/intrusion-prevention/:exclusionId" (tenant)
        -> IntrusionPreventionExclusion {
        /// The exclusion's id, 64 hexadecimal digits.
        exclusion_id!: String,
    }
}

operation! {
    /// Changes an exclusion from intrusion prevention.
    pub struct UpdateIntrusionPreventionExclusion = PATCH "/endpoint/v1/settings/exclusions/intrusion-prevention/:exclusionId" (tenant)
        -> IntrusionPreventionExclusion {
        /// The exclusion's id, 64 hexadecimal digits.
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
    /// Network traffic that intrusion prevention exempts.
    pub struct IntrusionPreventionExclusion {
        /// The exclusion's id, 64 hexadecimal digits.
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

listed! {
    ListIntrusionPreventionExclusions
    CreateIntrusionPreventionExclusion
    DeleteIntrusionPreventionExclusion
    GetIntrusionPreventionExclusion
    UpdateIntrusionPreventionExclusion
}
