//! The pages of detections.

use serde::{Deserialize, Serialize};

use crate::{
    Error, ErrorKind, Raw,
    fusion::detections::detection_fields::Detection,
    models::{
        lenient::{items, lenient, lenient_id, null_as_default},
        macros::open_enum,
    },
};

/// The selection of every operation that returns detections.
macro_rules! detection_page_members {
    () => {
        concat!(
            "status reason search_id queryId alerts { \
             total_results part total_parts next_offset previous_offset first_offset last_offset list { ",
            "id group_key status resolution_reason suppressed tags sensor_types attack_technique_ids \
             tenant { id } parent_tenant_id threat_score threat_score_v2 \
             metadata { title full_title description severity confidence origin read_only \
             creator { detector { detector_id detector_name version } rule { rule_id version } } \
             engine { name version } \
             began_at { seconds nanos } ended_at { seconds nanos } created_at { seconds nanos } \
             inserted_at { seconds nanos } updated_at { seconds nanos } first_seen_at { seconds nanos } \
             first_investigated_at { seconds nanos } first_resolved_at { seconds nanos } } \
             entities { entities relationships { from_entity to_entity relationship type } } \
             key_entities { entity label } \
             source_entities { id perspective identifiers display_name subtype } \
             target_entities { id perspective identifiers display_name subtype } \
             event_ids { id } investigation_ids { id } alerting_rules { id version } \
             priority { value prioritizer version } \
             events_metadata { began_at { seconds nanos } ended_at { seconds nanos } first_event_id \
             last_event_id total_events } \
             enrichment_details { mitre_attack_info { technique_id technique tactics url } } \
             reference_details { reference { type url description } }",
            " } }"
        )
    };
}

pub(crate) use detection_page_members;

/// A page of detections.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DetectionPage {
    /// The status of the search.
    #[serde(default, deserialize_with = "lenient")]
    pub status: Option<SearchStatus>,
    /// The reason for a status other than `OK`.
    #[serde(default, deserialize_with = "lenient")]
    pub reason: Option<String>,
    /// The detections.
    #[serde(default, deserialize_with = "null_as_default")]
    pub alerts: DetectionList,
    /// The id under which the service keeps the result.
    #[serde(default, deserialize_with = "lenient_id")]
    pub search_id: Option<String>,
    /// The id of the query, for the support.
    #[serde(default, rename = "queryId", deserialize_with = "lenient_id")]
    pub query_id: Option<String>,
}

/// The detections of a page.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DetectionList {
    /// The detections, not parsed yet.
    #[serde(default, deserialize_with = "items")]
    pub list: Vec<Raw<Detection>>,
    /// The number of detections in all pages.
    #[serde(default, deserialize_with = "lenient")]
    pub total_results: Option<u64>,
    /// The number of this part of the result.
    #[serde(default, deserialize_with = "lenient")]
    pub part: Option<u64>,
    /// The number of parts of the result.
    #[serde(default, deserialize_with = "lenient")]
    pub total_parts: Option<u64>,
    /// The offset of the next page.
    #[serde(default, deserialize_with = "lenient")]
    pub next_offset: Option<u64>,
    /// The offset of the previous page.
    #[serde(default, deserialize_with = "lenient")]
    pub previous_offset: Option<u64>,
    /// The offset of the first page.
    #[serde(default, deserialize_with = "lenient")]
    pub first_offset: Option<u64>,
    /// The offset of the last page.
    #[serde(default, deserialize_with = "lenient")]
    pub last_offset: Option<u64>,
}

impl DetectionPage {
    /// Fails for a search that the service rejected or aborted.
    pub(crate) fn check_status(&self) -> Result<(), Error> {
        let kind = match &self.status {
            Some(SearchStatus::InvalidRequest) => ErrorKind::Invalid,
            Some(SearchStatus::TransactionError) => ErrorKind::Unavailable,
            _ => return Ok(()),
        };
        let status = self.status.as_ref().map(SearchStatus::as_str);
        let reason = self.reason.as_deref().filter(|reason| !reason.is_empty());
        Err(Error::new(kind).with_message(reason.unwrap_or("no reason given")).with_graphql(status, None))
    }

    /// The id of a result with more parts than this one.
    pub(crate) fn next_part(&self) -> Option<&str> {
        let more = self.alerts.part? < self.alerts.total_parts?;
        self.search_id.as_deref().filter(|id| more && !id.is_empty() && !self.alerts.list.is_empty())
    }
}

open_enum! {
    /// The status of a search.
    pub enum SearchStatus {
        /// Done.
        Ok = "OK",
        /// The query is invalid.
        InvalidRequest = "INVALID_REQUEST",
        /// The service failed.
        TransactionError = "TRANSACTION_ERROR",
    }
}
