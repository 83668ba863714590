use serde_json::{Map, Value};

use crate::models::{
    macros::{model, open_enum},
    tenant_id::TenantId,
    timestamp::Timestamp,
};

model! {
    /// An event of the SIEM feed. Returned by `GET /siem/v1/events`.
    pub struct SiemEvent in "snake_case" {
        /// The event's id. The feed may send the same event again.
        id!: String,
        /// The time of the event by the endpoint's clock, which may be wrong.
        when: Timestamp,
        /// The time of ingestion.
        created_at: Timestamp,
        /// The tenant's id.
        customer_id as id: TenantId,
        /// The severity.
        severity: SiemSeverity,
        /// The event type, such as `Event::Endpoint::Threat::Detected`.
        r#type: String,
        /// The group of events, such as `MALWARE`.
        group: String,
        /// The description.
        name: String,
        /// The host name.
        location: String,
        /// The user, or `n/a`.
        source: String,
        /// The address of the source.
        source_info: SourceInfo,
        /// The endpoint's id.
        endpoint_id as id: String,
        /// The endpoint's type, such as `computer` or `server`.
        endpoint_type: String,
        /// The user's id: 24 hexadecimal digits.
        user_id as id: String,
        /// The place of detection. Often null.
        origin: String,
        /// The threat's name.
        threat: String,
        /// The cleaned items and their results. Often null.
        core_remedy_items: Value,
    }
}

model! {
    /// An alert of the SIEM feed. Returned by `GET /siem/v1/alerts`.
    pub struct SiemAlert in "snake_case" {
        /// The alert's id. The feed may send the same alert again.
        id!: String,
        /// The time of the alert by the endpoint's clock, which may be wrong.
        when: Timestamp,
        /// The time of ingestion.
        created_at: Timestamp,
        /// The tenant's id.
        customer_id as id: TenantId,
        /// The severity.
        severity: SiemSeverity,
        /// The event type, such as `Event::Endpoint::Threat::CleanupFailed`.
        r#type: String,
        /// The description.
        description: String,
        /// The host name.
        location: String,
        /// The user, or `n/a`.
        source: String,
        /// The threat's name.
        threat: String,
        /// Whether the console can clean up the threat.
        threat_cleanable: bool,
        /// The id of the event that caused the alert.
        event_service_event_id as id: String,
        /// More fields, with times in milliseconds since the Unix epoch.
        data: Map<String, Value>,
    }
}

model! {
    /// The source of an event.
    pub struct SourceInfo in "snake_case" {
        /// The endpoint's address.
        ip: String,
    }
}

open_enum! {
    /// The severity of an event or alert of the SIEM feed.
    pub enum SiemSeverity {
        /// None.
        None = "none",
        /// Low.
        Low = "low",
        /// Medium.
        Medium = "medium",
        /// High.
        High = "high",
        /// Critical.
        Critical = "critical",
    }
}
