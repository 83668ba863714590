//! Changes that administrators and credentials made: `/audit/v1/audit-events`.

use serde_json::Value;

use crate::{
    Error, KeyedPage, Timestamp,
    models::macros::model,
    operation::{
        checks::check_time,
        macros::{listed, operation},
    },
};

operation! {
    /// Lists the audit events of the last 90 days.
    ///
    /// A [`TenantClient`](crate::TenantClient) lists those of its tenant, a
    /// [`Client`](crate::Client) those of the credential's own account. Public clients
    /// call it; the shape of an item is not published.
    pub struct ListAuditEvents = GET "/audit/v1/audit-events" (tenant or owner global)
        -> KeyedPage<AuditEvent> {
        /// The start, as `2026-11-23T10:00:00.000Z`. The service rejects a bare date.
        start_date!: Timestamp,
        /// The end.
        end_date: Timestamp,
        /// The IP address of the actor.
        origin_ip_address: String,
        /// The email address of the actor.
        modified_by: String,
        /// The id of the actor's account.
        modifier_account_id: String,
        /// The id of the account of the changed object.
        resource_owner_id: String,
        /// The key of the page, from the page before.
        page_from_key: String,
        /// The number of items per page, at most 100.
        page_size: u32,
    } where {
        page_size: 1..=100,
        ..Self::check_times
    }
}

impl ListAuditEvents {
    fn check_times(&self) -> Result<(), Error> {
        check_time("startDate", Some(self.start_date.as_str()))?;
        check_time("endDate", self.end_date.as_ref().map(Timestamp::as_str))
    }
}

model! {
    /// An audit event. Its fields are not published, so this names the ones that an
    /// event is likely to have; the JSON of the item holds all of them.
    pub struct AuditEvent {
        /// The event's id.
        id as id: String,
        /// The type of the change.
        r#type: Value,
        /// The time of the change.
        created_at: Value,
    }
}

listed! {
    ListAuditEvents
}
