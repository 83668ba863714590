//! Endpoints of a tenant: `/endpoint/v1/endpoints`.

use bytes::Bytes;
use serde::Serialize;

use crate::{
    Error, KeyedPage, Operation, Paged, Raw, Route, WithRaw,
    checks::{check_range, check_time_or_duration},
    model::model,
    models::{Deleted, Endpoint, EndpointType, EndpointView, HealthStatus, IsolationStatus, LockdownStatus},
    operation_macro::{listed, operation},
    page_body::parse_page,
    setters::with_setters,
};

/// The largest page, in endpoints.
pub const MAX_PAGE_SIZE: u32 = 500;

with_setters! {
    /// Lists a tenant's endpoints, with every documented filter.
    ///
    /// A time is a UTC timestamp with `Z` or a duration such as `-P90D`. No filter
    /// matches a whole host name: filter by
    /// [`hostname_contains`](field@Self::hostname_contains), and compare the names
    /// of all results.
    #[derive(Debug, Clone, Default, PartialEq, Serialize)]
    #[cfg_attr(feature = "catalog", derive(serde::Deserialize, schemars::JsonSchema))]
    #[cfg_attr(feature = "catalog", serde(default, deny_unknown_fields))]
    #[serde(rename_all = "camelCase")]
    #[non_exhaustive]
    pub struct ListEndpoints {
        /// The states of health.
        pub health_status: Vec<HealthStatus>,
        /// The types of endpoint.
        pub r#type: Vec<EndpointType>,
        /// Whether tamper protection is on.
        pub tamper_protection_enabled: Option<bool>,
        /// Whether the agent supports tamper protection.
        pub tamper_protection_supported: Option<bool>,
        /// The states of server lockdown.
        pub lockdown_status: Vec<LockdownStatus>,
        /// The state of encryption, such as `notEncrypted`.
        pub overall_encryption_status: Vec<String>,
        /// The end of the interval of `lastSeenAt`, exclusive.
        pub last_seen_before: Option<String>,
        /// The start of the interval of `lastSeenAt`, inclusive.
        pub last_seen_after: Option<String>,
        /// The end of the interval of operating system updates, exclusive.
        pub last_os_update_before: Option<String>,
        /// The start of the interval of operating system updates, inclusive.
        pub last_os_update_after: Option<String>,
        /// The end of the interval of agent updates, exclusive.
        pub last_agent_update_before: Option<String>,
        /// The start of the interval of agent updates, inclusive.
        pub last_agent_update_after: Option<String>,
        /// The ids of the endpoints.
        pub ids: Vec<String>,
        /// The isolation that the endpoint reported.
        pub isolation_status: Option<IsolationStatus>,
        /// A part of the host name. The service compares only the first 10
        /// characters of the value.
        pub hostname_contains: Option<String>,
        /// A part of the serial number.
        pub serial_number_contains: Option<String>,
        /// A part of the person's name. The service compares only the first 10
        /// characters of the value.
        pub associated_person_contains: Option<String>,
        /// A part of the group's name. The service does not support it at
        /// present.
        pub group_name_contains: Option<String>,
        /// A part of one of the [`search_fields`](field@Self::search_fields).
        pub search: Option<String>,
        /// The fields to search: `hostname`, `associatedPersonName`,
        /// `ipAddresses`, `osName`; all if empty.
        pub search_fields: Vec<String>,
        /// IP addresses: the agent reported at least one of them.
        pub ip_addresses: Vec<String>,
        /// MAC addresses in any usual form: the agent reported at least one of them.
        pub mac_addresses: Vec<String>,
        /// Whether the endpoint is connected.
        pub online: Option<bool>,
        /// Clouds or instances: `aws`, or `aws:i-0123…`.
        pub cloud: Vec<String>,
        /// Whether the endpoint is in a group. The service does not support it at
        /// present.
        pub assigned_to_group: Option<bool>,
        /// The ids of the groups. The service does not support it at present.
        pub group_ids: Vec<String>,
        /// The amount of detail; the summary by default.
        pub view: Option<EndpointView>,
        /// The fields to return; `id` is always one of them.
        pub fields: Vec<String>,
        /// The order: `field`, `field:asc` or `field:desc`.
        pub sort: Vec<String>,
        /// Endpoints per page, 1 to 500; 50 by default.
        pub page_size: Option<u32>,
        /// The key of the page.
        pub page_from_key: Option<String>,
        /// Whether the response holds the number of pages and endpoints.
        pub page_total: Option<bool>,
    }
}

impl ListEndpoints {
    /// Lists all endpoints.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Operation for ListEndpoints {
    type Response = KeyedPage<Endpoint>;
    const ROUTE: Route = Route::get("/endpoint/v1/endpoints");

    fn validate(&self) -> Result<(), Error> {
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
        check_range("pageSize", self.page_size, 1..=MAX_PAGE_SIZE)
    }

    fn parse_response(response: &http::Response<Bytes>) -> Result<KeyedPage<Endpoint>, Error> {
        parse_page(response)
    }
}

impl Paged for ListEndpoints {
    type Item = Endpoint;

    fn next_page(&self, page: &KeyedPage<Endpoint>) -> Result<Option<Self>, Error> {
        let key = page.next_page_key(self.page_from_key.as_deref())?;
        Ok(key.map(|key| Self { page_from_key: Some(key), ..self.clone() }))
    }

    fn items(page: KeyedPage<Endpoint>) -> Vec<Raw<Endpoint>> {
        page.items
    }
}

#[cfg(feature = "catalog")]
impl crate::catalog::Described for ListEndpoints {
    const PAGING: crate::catalog::Paging = crate::catalog::Paging::Key;
}

#[cfg(test)]
impl crate::operation_macro::Sample for ListEndpoints {
    fn sample() -> Self {
        use crate::operation_macro::Sample;

        let time = || Some("2026-11-23T10:00:00.000Z".to_owned());
        Self {
            health_status: Sample::sample(),
            r#type: Sample::sample(),
            tamper_protection_enabled: Sample::sample(),
            tamper_protection_supported: Sample::sample(),
            lockdown_status: Sample::sample(),
            overall_encryption_status: Sample::sample(),
            last_seen_before: time(),
            last_seen_after: time(),
            last_os_update_before: time(),
            last_os_update_after: time(),
            last_agent_update_before: time(),
            last_agent_update_after: time(),
            ids: Sample::sample(),
            isolation_status: Sample::sample(),
            hostname_contains: Sample::sample(),
            serial_number_contains: Sample::sample(),
            associated_person_contains: Sample::sample(),
            group_name_contains: Sample::sample(),
            search: Sample::sample(),
            search_fields: Sample::sample(),
            ip_addresses: Sample::sample(),
            mac_addresses: Sample::sample(),
            online: Sample::sample(),
            cloud: Sample::sample(),
            assigned_to_group: Sample::sample(),
            group_ids: Sample::sample(),
            view: Sample::sample(),
            fields: Sample::sample(),
            sort: Sample::sample(),
            page_size: Sample::sample(),
            page_from_key: Sample::sample(),
            page_total: Sample::sample(),
        }
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
