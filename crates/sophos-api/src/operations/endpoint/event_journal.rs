//! Size limits of the event journals on endpoints: `/endpoint/v1/settings/event-journal`.

use crate::{
    models::{EndpointType, macros::model},
    operation::macros::{listed, operation},
};

operation! {
    /// Returns the limits of the event journals of an endpoint type.
    pub struct GetEventJournal = GET "/endpoint/v1/settings/event-journal/:endpointType" (tenant)
        -> EventJournal {
        /// The endpoint type.
        endpoint_type!: EndpointType,
    }
}

operation! {
    /// Changes the limits of the event journals of an endpoint type.
    ///
    /// The lower of the two limits applies.
    pub struct UpdateEventJournal = PATCH "/endpoint/v1/settings/event-journal/:endpointType" (tenant)
        -> EventJournal {
        /// The endpoint type.
        endpoint_type!: EndpointType,
        /// Whether the recommended limits apply.
        use_recommended: bool,
        /// The limit of the disk space, in MB.
        disk_space_limit_in_mb ("diskSpaceLimitInMB"): i64,
        /// The limit of the disk space, in percent of the disk.
        disk_space_limit_as_percentage: i64,
    }
}

model! {
    /// The limits of the event journals.
    pub struct EventJournal {
        /// Whether the recommended limits apply.
        use_recommended: bool,
        /// The limit of the disk space, in MB.
        #[serde(rename = "diskSpaceLimitInMB")]
        disk_space_limit_in_mb: JournalLimit,
        /// The limit of the disk space, in percent of the disk.
        disk_space_limit_as_percentage: JournalLimit,
    }
}

model! {
    /// A limit and the one that Sophos recommends.
    pub struct JournalLimit {
        /// The recommended limit.
        recommended_value: i64,
        /// The limit.
        value: i64,
    }
}

listed! {
    GetEventJournal
    UpdateEventJournal
}
