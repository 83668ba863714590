//! `GET /endpoint/v1/endpoints`

use bytes::Bytes;
use serde::Serialize;

use crate::{
    Error, KeyedPage, Operation, Paged, Raw, Route,
    models::{Endpoint, EndpointType, EndpointView, HealthStatus, IsolationStatus, LockdownStatus},
    page_body::parse_page,
};

/// Lists a tenant's endpoints, with every documented filter.
///
/// A time is a UTC timestamp with `Z` or a duration such as `-P90D`. No filter
/// finds one host by its whole name: narrow with
/// [`hostname_contains`](Self::hostname_contains), compare the rest, and expect
/// several.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListEndpoints {
    /// Of one of these states of health.
    pub health_status: Vec<HealthStatus>,
    /// Of one of these types.
    pub r#type: Vec<EndpointType>,
    /// With tamper protection on, or off.
    pub tamper_protection_enabled: Option<bool>,
    /// With an agent that supports tamper protection, or not.
    pub tamper_protection_supported: Option<bool>,
    /// In one of these states of server lockdown.
    pub lockdown_status: Vec<LockdownStatus>,
    /// In this state of encryption, such as `notEncrypted`.
    pub overall_encryption_status: Vec<String>,
    /// Last seen before this.
    pub last_seen_before: Option<String>,
    /// Last seen then or after.
    pub last_seen_after: Option<String>,
    /// Whose operating system was last updated before this.
    pub last_os_update_before: Option<String>,
    /// Whose operating system was last updated then or after.
    pub last_os_update_after: Option<String>,
    /// Whose agent was last updated before this.
    pub last_agent_update_before: Option<String>,
    /// Whose agent was last updated then or after.
    pub last_agent_update_after: Option<String>,
    /// One of these.
    pub ids: Vec<String>,
    /// Isolated, or not, as the endpoint reported.
    pub isolation_status: Option<IsolationStatus>,
    /// With this in the host name. The service looks at the first 10
    /// characters of the value only.
    pub hostname_contains: Option<String>,
    /// With this in the serial number.
    pub serial_number_contains: Option<String>,
    /// With this in the person's name. The service looks at the first 10
    /// characters of the value only.
    pub associated_person_contains: Option<String>,
    /// In a group with this in its name. The service has stopped to support it
    /// for the time being.
    pub group_name_contains: Option<String>,
    /// With this in one of the [`search_fields`](Self::search_fields).
    pub search: Option<String>,
    /// Where to search: `hostname`, `associatedPersonName`, `ipAddresses`,
    /// `osName`. All if not given.
    pub search_fields: Vec<String>,
    /// With one of these addresses among those the agent reported.
    pub ip_addresses: Vec<String>,
    /// With one of these MAC addresses, in any usual form.
    pub mac_addresses: Vec<String>,
    /// Connected now, or not.
    pub online: Option<bool>,
    /// On one of these clouds or instances: `aws`, or `aws:i-0123…`.
    pub cloud: Vec<String>,
    /// In a group, or in none. Not supported for the time being.
    pub assigned_to_group: Option<bool>,
    /// In one of these groups. Not supported for the time being.
    pub group_ids: Vec<String>,
    /// How much of each to send; the summary if not given.
    pub view: Option<EndpointView>,
    /// The members to send; `id` is always sent.
    pub fields: Vec<String>,
    /// The order: `field`, `field:asc` or `field:desc`.
    pub sort: Vec<String>,
    /// Endpoints a page; 50 if not given, 500 at most.
    pub page_size: Option<u32>,
    /// The key of the page.
    pub page_from_key: Option<String>,
    /// Whether the answer tells the number of pages and endpoints.
    pub page_total: Option<bool>,
}

impl Operation for ListEndpoints {
    type Response = KeyedPage<Endpoint>;
    const ROUTE: Route = Route::get("/endpoint/v1/endpoints");

    fn parse_response(response: &http::Response<Bytes>) -> Result<KeyedPage<Endpoint>, Error> {
        parse_page(response)
    }
}

impl Paged for ListEndpoints {
    type Item = Endpoint;

    fn next_page(&self, answer: &KeyedPage<Endpoint>) -> Result<Option<Self>, Error> {
        let key = answer.next_page_key(self.page_from_key.as_deref())?;
        Ok(key.map(|key| Self { page_from_key: Some(key), ..self.clone() }))
    }

    fn items(answer: KeyedPage<Endpoint>) -> Vec<Raw<Endpoint>> {
        answer.items
    }
}
