//! Endpoints of a tenant: `/endpoint/v1/endpoints`.

use crate::{
    Error, KeyedPage, WithRaw,
    models::{
        Deleted, Endpoint, EndpointType, EndpointView, HealthStatus, IsolationStatus, LockdownStatus,
        macros::model,
    },
    operation::{
        checks::check_time_or_duration,
        macros::{listed, operation},
    },
};

/// The largest page, in endpoints.
pub const MAX_PAGE_SIZE: u32 = 500;

operation! {
    /// Lists a tenant's endpoints, with every documented filter.
    ///
    /// A time is a UTC timestamp with `Z` or a duration such as `-P90D`. No filter
    /// matches a whole host name: filter by
    /// [`hostname_contains`](field@Self::hostname_contains), and compare the names
    /// of all results.
    pub struct ListEndpoints = GET "/endpoint/v1/endpoints" (tenant) -> KeyedPage<Endpoint> strict {
        /// The states of health.
        health_status: [HealthStatus],
        /// The types of endpoint.
        r#type: [EndpointType],
        /// Whether tamper protection is on.
        tamper_protection_enabled: bool,
        /// Whether the agent supports tamper protection.
        tamper_protection_supported: bool,
        /// The states of server lockdown.
        lockdown_status: [LockdownStatus],
        /// The state of encryption, such as `notEncrypted`.
        overall_encryption_status: [String],
        /// The end of the interval of `lastSeenAt`, exclusive.
        last_seen_before: String,
        /// The start of the interval of `lastSeenAt`, inclusive.
        last_seen_after: String,
        /// The end of the interval of operating system updates, exclusive.
        last_os_update_before: String,
        /// The start of the interval of operating system updates, inclusive.
        last_os_update_after: String,
        /// The end of the interval of agent updates, exclusive.
        last_agent_update_before: String,
        /// The start of the interval of agent updates, inclusive.
        last_agent_update_after: String,
        /// The ids of the endpoints.
        ids: [String],
        /// The isolation that the endpoint reported.
        isolation_status: IsolationStatus,
        /// A part of the host name. The service compares only the first 10
        /// characters of the value.
        hostname_contains: String,
        /// A part of the serial number.
        serial_number_contains: String,
        /// A part of the person's name. The service compares only the first 10
        /// characters of the value.
        associated_person_contains: String,
        /// A part of the group's name. The service does not support it at
        /// present.
        group_name_contains: String,
        /// A part of one of the [`search_fields`](field@Self::search_fields).
        search: String,
        /// The fields to search: `hostname`, `associatedPersonName`,
        /// `ipAddresses`, `osName`; all if empty.
        search_fields: [String],
        /// IP addresses: the agent reported at least one of them.
        ip_addresses: [String],
        /// MAC addresses in any usual form: the agent reported at least one of them.
        mac_addresses: [String],
        /// Whether the endpoint is connected.
        online: bool,
        /// Clouds or instances: `aws`, or `aws:i-0123…`.
        cloud: [String],
        /// Whether the endpoint is in a group. The service does not support it at
        /// present.
        assigned_to_group: bool,
        /// The ids of the groups. The service does not support it at present.
        group_ids: [String],
        /// The amount of detail; the summary by default.
        view: EndpointView,
        /// The fields to return; `id` is always one of them.
        fields: [String],
        /// The order: `field`, `field:asc` or `field:desc`.
        sort: [String],
        /// Endpoints per page, 1 to 500; 50 by default.
        page_size: u32,
        /// The key of the page.
        page_from_key: String,
        /// Whether the response holds the number of pages and endpoints.
        page_total: bool,
    }
    where { page_size: 1..=MAX_PAGE_SIZE as i64, ..Self::check }
}

impl ListEndpoints {
    fn check(&self) -> Result<(), Error> {
        for (name, time) in [
            ("lastSeenBefore", &self.last_seen_before),
            ("lastSeenAfter", &self.last_seen_after),
            ("lastOsUpdateBefore", &self.last_os_update_before),
            ("lastOsUpdateAfter", &self.last_os_update_after),
            ("lastAgentUpdateBefore", &self.last_agent_update_before),
            ("lastAgentUpdateAfter", &self.last_agent_update_after),
        ] {
            check_time_or_duration(name, time.as_deref())?;
        }
        Ok(())
    }
}

operation! {
    /// Returns an endpoint.
    pub struct GetEndpoint = GET "/endpoint/v1/endpoints/:endpointId" (tenant) -> WithRaw<Endpoint> {
        /// The endpoint's id.
        endpoint_id!: String,
        /// The amount of detail; the summary by default.
        view: EndpointView,
        /// The fields to return; `id` is always one of them.
        fields: [String],
    }
}

impl GetEndpoint {
    /// Gets the endpoint of this id in full.
    pub fn full(endpoint_id: impl Into<String>) -> Self {
        Self::new(endpoint_id).view(EndpointView::Full)
    }
}

operation! {
    /// Deletes an endpoint from Sophos Central.
    pub struct DeleteEndpoint = DELETE "/endpoint/v1/endpoints/:endpointId" (tenant) -> Deleted {
        /// The endpoint's id.
        endpoint_id!: String,
    }
}

operation! {
    /// Deletes several endpoints from Sophos Central.
    pub struct DeleteEndpoints = POST "/endpoint/v1/endpoints/delete" (tenant) -> DeletedEndpoints {
        /// The ids of the endpoints.
        endpoint_ids!: [String],
    }
}

model! {
    /// The deleted endpoints.
    pub struct DeletedEndpoints {
        /// The ids of the deleted endpoints.
        endpoint_ids: Vec<String>,
    }
}

listed! {
    ListEndpoints
    GetEndpoint
    DeleteEndpoint
    DeleteEndpoints
}
