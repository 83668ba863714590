//! Event Journal: `/endpoint/v1/settings/event-journal/:endpointType` and the operations beside it.

use crate::{model::{model}, operation_macro::{operation, tested}};

model! {
    /// An event journal.
    pub struct EventJournal {
        /// Whether `useRecommended` is set.
        use_recommended: bool,
        /// The disk space limit in mb.
        #[serde(rename = "diskSpaceLimitInMB")]
        disk_space_limit_in_mb: EventJournalDiskSpaceLimitInMB,
        /// The disk space limit as percentage.
        disk_space_limit_as_percentage: EventJournalDiskSpaceLimitAsPercentage,
    }
}

model! {
    /// An event journal disk space limit in mb.
    pub struct EventJournalDiskSpaceLimitInMB {
        /// The recommended value.
        recommended_value: i64,
        /// The value.
        value: i64,
    }
}

model! {
    /// An event journal disk space limit as percentage.
    pub struct EventJournalDiskSpaceLimitAsPercentage {
        /// The recommended value.
        recommended_value: i64,
        /// The value.
        value: i64,
    }
}

operation! {
    /// Gets all event journal settings.
    pub struct GetEventJournal = GET "/endpoint/v1/settings/event-journal/:endpointType" (tenant)
        -> EventJournal {
        /// The endpoint type.
        endpoint_type!: String,
    }
}

operation! {
    /// Updates settings for event journal size and disk space limits.
    pub struct UpdateEventJournal = PATCH "/endpoint/v1/settings/event-journal/:endpointType" (tenant)
        -> EventJournal {
        /// The endpoint type.
        endpoint_type!: String,
        /// Whether `useRecommended` is set.
        use_recommended: bool,
        /// The disk space limit in mb.
        disk_space_limit_in_mb ("diskSpaceLimitInMB"): i64,
        /// The disk space limit as percentage.
        disk_space_limit_as_percentage: i64,
    }
}

tested! {
    GetEventJournal
    UpdateEventJournal
}
