use serde_json::{Map, Value};

use crate::{
    model::{model, open_enum},
    tenant_id::TenantId,
    timestamp::Timestamp,
};

model! {
    /// An event of the SIEM feed. Sent by `GET /siem/v1/events`.
    pub struct SiemEvent in "snake_case" {
        /// The event's id. The same event may be sent again later.
        id!: String,
        /// When it happened, by the endpoint's own clock, which may be wrong by
        /// any amount.
        when: Timestamp,
        /// When the service took it in.
        created_at: Timestamp,
        /// The tenant.
        customer_id as id: TenantId,
        /// How serious it is.
        severity: SiemSeverity,
        /// What happened, such as `Event::Endpoint::Threat::Detected`. An open
        /// set.
        r#type: String,
        /// The kind of event, such as `MALWARE`.
        group: String,
        /// What happened, in words.
        name: String,
        /// The host name.
        location: String,
        /// The user, or `n/a`.
        source: String,
        /// The address that it came from.
        source_info: SourceInfo,
        /// The endpoint.
        endpoint_id as id: String,
        /// The endpoint's type: `computer` or `server`, and others.
        endpoint_type: String,
        /// The user's id: 24 hexadecimal digits.
        user_id as id: String,
        /// Where it was detected. Often null.
        origin: String,
        /// The threat's name.
        threat: String,
        /// What was cleaned up, and how that went. Often null.
        core_remedy_items: Value,
    }
}

model! {
    /// An alert of the SIEM feed. Sent by `GET /siem/v1/alerts`.
    pub struct SiemAlert in "snake_case" {
        /// The alert's id. The same alert may be sent again later.
        id!: String,
        /// When it happened, by the endpoint's own clock.
        when: Timestamp,
        /// When the service took it in.
        created_at: Timestamp,
        /// The tenant.
        customer_id as id: TenantId,
        /// How serious it is.
        severity: SiemSeverity,
        /// What happened, such as `Event::Endpoint::Threat::CleanupFailed`.
        r#type: String,
        /// What happened, in words.
        description: String,
        /// The host name.
        location: String,
        /// The user, or `n/a`.
        source: String,
        /// The threat's name.
        threat: String,
        /// Whether it can be cleaned up from the console.
        threat_cleanable: bool,
        /// The event behind it.
        event_service_event_id as id: String,
        /// Further members, with times in milliseconds since the Unix epoch.
        data: Map<String, Value>,
    }
}

model! {
    /// Where an event came from.
    pub struct SourceInfo in "snake_case" {
        /// The endpoint's address.
        ip: String,
    }
}

open_enum! {
    /// How serious an event or alert of the SIEM feed is.
    pub enum SiemSeverity {
        /// Not at all.
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
