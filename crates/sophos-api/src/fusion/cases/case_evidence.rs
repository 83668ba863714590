//! The evidence of a case: `caseEvidence`, `addEvidenceToCase`, `removeEvidenceFromCase`.

use crate::{
    Error, Timestamp, WithRaw,
    fusion::graphql_macro::{documents, graphql},
    models::macros::model,
};

graphql! {
    /// Gets the evidence of a case.
    query GetCaseEvidence = caseEvidence(arguments: CaseEvidenceArguments) in "camelCase"
        -> WithRaw<CaseEvidence> {
        /// The case's id.
        id!: String,
    } [
        "id \
         detectionsEvidenceCount \
         detectionsEvidence { id caseId tenantId createdAt createdBy isGenesis detectionId } \
         eventsEvidenceCount \
         eventsEvidence { id caseId tenantId createdAt createdBy isGenesis eventId } \
         assetsEvidenceCount \
         assetsEvidence { id caseId tenantId createdAt createdBy assetId } \
         searchQueriesEvidenceCount \
         searchQueriesEvidence { id caseId tenantId createdAt createdBy isGenesis searchQueryId }"
    ]
}

graphql! {
    /// Adds evidence to a case.
    ///
    /// The service attaches it later; the
    /// [processing status](super::Case::processing_status) of the case tells when. The
    /// service often fails at `partnerPreferences` without effect; the client repeats the
    /// request then.
    mutation AddEvidenceToCase = addEvidenceToCase(input: AddEvidenceToCaseInput) in "camelCase"
        -> EvidenceChange {
        /// The case's id.
        case_id!: String,
        /// The ids of detections.
        detection_ids: [String],
        /// A query of detections.
        detections_search_query: String,
        /// The ids of events.
        event_ids: [String],
        /// The ids of saved queries.
        search_queries: [String],
        /// The ids of hosts, whose assets the service attaches.
        host_ids: [String],
    } ["caseId detectionIds detectionsSearchQuery eventIds searchQueries hostIds"] {
        const REPEATABLE_PATH: Option<&'static str> = Some("partnerPreferences");

        fn check(&self) -> Result<(), Error> {
            let lists = [&self.detection_ids, &self.event_ids, &self.search_queries, &self.host_ids];
            check_evidence(&lists, self.detections_search_query.is_some())
        }
    }
}

graphql! {
    /// Removes evidence from a case.
    ///
    /// The service removes it later; the
    /// [processing status](super::Case::processing_status) of the case tells when. It
    /// ignores ids that are not attached.
    mutation RemoveEvidenceFromCase = removeEvidenceFromCase(input: RemoveEvidenceFromCaseInput)
        in "camelCase" -> EvidenceChange {
        /// The case's id.
        case_id!: String,
        /// The ids of detections.
        detection_ids: [String],
        /// The ids of events.
        event_ids: [String],
        /// The ids of assets.
        asset_ids: [String],
        /// The ids of saved queries.
        search_queries: [String],
    } ["caseId detectionIds eventIds assetIds searchQueries"] {
        fn check(&self) -> Result<(), Error> {
            let lists = [&self.detection_ids, &self.event_ids, &self.asset_ids, &self.search_queries];
            check_evidence(&lists, false)
        }
    }
}

fn check_evidence(lists: &[&Vec<String>], has_query: bool) -> Result<(), Error> {
    if has_query || lists.iter().any(|list| !list.is_empty()) {
        return Ok(());
    }
    Err(Error::invalid("missing evidence: expected at least one id"))
}

model! {
    /// The evidence that the service is about to add or remove.
    pub struct EvidenceChange {
        /// The case's id.
        case_id!: String,
        /// The ids of detections.
        detection_ids: Vec<String>,
        /// A query of detections.
        detections_search_query: String,
        /// The ids of events.
        event_ids: Vec<String>,
        /// The ids of assets.
        asset_ids: Vec<String>,
        /// The ids of saved queries.
        search_queries: Vec<String>,
        /// The ids of hosts.
        host_ids: Vec<String>,
    }
}

model! {
    /// The evidence of a case.
    pub struct CaseEvidence {
        /// The case's id.
        id!: String,
        /// The detections.
        detections_evidence: Vec<CaseDetection>,
        /// The number of detections.
        detections_evidence_count: u64,
        /// The events.
        events_evidence: Vec<CaseEvent>,
        /// The number of events.
        events_evidence_count: u64,
        /// The assets.
        assets_evidence: Vec<CaseAsset>,
        /// The number of assets.
        assets_evidence_count: u64,
        /// The saved queries.
        search_queries_evidence: Vec<CaseSearchQuery>,
        /// The number of saved queries.
        search_queries_evidence_count: u64,
    }
}

model! {
    /// A detection in the evidence of a case.
    pub struct CaseDetection {
        /// The entry's id.
        id!: String,
        /// The case's id.
        case_id as id: String,
        /// The id of the tenant.
        tenant_id as id: String,
        /// The time at which it was attached.
        created_at: Timestamp,
        /// The id of the actor that attached it.
        created_by as id: String,
        /// Whether the case was created with it.
        is_genesis: bool,
        /// The detection's id.
        detection_id as id: String,
    }
}

model! {
    /// An event in the evidence of a case.
    pub struct CaseEvent {
        /// The entry's id.
        id!: String,
        /// The case's id.
        case_id as id: String,
        /// The id of the tenant.
        tenant_id as id: String,
        /// The time at which it was attached.
        created_at: Timestamp,
        /// The id of the actor that attached it.
        created_by as id: String,
        /// Whether the case was created with it.
        is_genesis: bool,
        /// The event's id.
        event_id as id: String,
    }
}

model! {
    /// An asset in the evidence of a case.
    pub struct CaseAsset {
        /// The entry's id.
        id!: String,
        /// The case's id.
        case_id as id: String,
        /// The id of the tenant.
        tenant_id as id: String,
        /// The time at which it was attached.
        created_at: Timestamp,
        /// The id of the actor that attached it.
        created_by as id: String,
        /// The asset's id.
        asset_id as id: String,
    }
}

model! {
    /// A saved query in the evidence of a case.
    pub struct CaseSearchQuery {
        /// The entry's id.
        id!: String,
        /// The case's id.
        case_id as id: String,
        /// The id of the tenant.
        tenant_id as id: String,
        /// The time at which it was attached.
        created_at: Timestamp,
        /// The id of the actor that attached it.
        created_by as id: String,
        /// Whether the case was created with it.
        is_genesis: bool,
        /// The query's id.
        search_query_id as id: String,
    }
}

documents! { GetCaseEvidence AddEvidenceToCase RemoveEvidenceFromCase }
