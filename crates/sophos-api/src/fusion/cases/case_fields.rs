//! A case and its parts.

use serde::{Deserialize, Serialize};

use crate::{
    Error, Timestamp,
    fusion::cases::case_reference_data::{CaseLabel, CasePrimaryStatus, CaseSecondaryStatus, CaseType},
    models::macros::{model, open_enum},
};

model! {
    /// A case.
    pub struct Case {
        /// The case's id, a UUID.
        id!: String,
        /// The short id, such as `CSE00001`.
        short_id as id: String,
        /// The id of the tenant.
        tenant_id as id: String,
        /// The title.
        title: String,
        /// The key findings. A listing does not have them.
        key_findings: KeyFindings,
        /// The severity.
        severity: CaseSeverity,
        /// The tags.
        tags: Vec<String>,
        /// The type.
        r#type: CaseType,
        /// The primary status.
        primary_status: CasePrimaryStatus,
        /// The secondary status.
        secondary_status: CaseSecondaryStatus,
        /// The reasons of the secondary status.
        secondary_status_reason: Vec<String>,
        /// The primary verdict of a closed case.
        primary_verdict: CaseLabel,
        /// The secondary verdict of a closed case.
        secondary_verdict: CaseLabel,
        /// The source.
        source: CaseLabel,
        /// The manager of the case.
        managed_by: CaseManager,
        /// The id of the assignee; empty or missing for none.
        assignee_id as id: String,
        /// The id of the incident advisor.
        incident_advisor_id as id: String,
        /// The ids of the contributors.
        contributor_ids: Vec<String>,
        /// The routing queue.
        queue: CaseQueue,
        /// The time of creation.
        created_at: Timestamp,
        /// The id of the creator.
        created_by_id as id: String,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The id of the actor of the last change.
        updated_by_id as id: String,
        /// The time at which the case was closed.
        closed_at: Timestamp,
        /// The id of the actor that closed it.
        closed_by_id as id: String,
        /// The reason for closing it.
        close_reason: String,
        /// The time at which the case was archived.
        archived_at: Timestamp,
        /// The risk score.
        risk_score: f64,
        /// The id of the rule that created the case.
        rule_id as id: String,
        /// Whether the tenant's parent created the case as a partner.
        is_created_by_partner: bool,
        /// Whether the provider of MDR created the case.
        #[serde(rename = "isCreatedByMDRProvider")]
        is_created_by_mdr_provider: bool,
        /// Whether a parent tenant created the case.
        is_created_by_parent: bool,
        /// The state of the jobs that attach evidence.
        processing_status: ProcessingStatus,
        /// The links to other systems.
        links: Vec<CaseLink>,
        /// The number of detections. A listing does not have it.
        detections_count: u64,
        /// The number of events. A listing does not have it.
        events_count: u64,
        /// The number of assets. A listing does not have it.
        assets_count: u64,
    }
}

/// The severity of a case: 2, 4, 6, 8 or 10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "catalog", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct CaseSeverity(pub i64);

impl CaseSeverity {
    /// Informational.
    pub const INFORMATIONAL: Self = Self(2);
    /// Low.
    pub const LOW: Self = Self(4);
    /// Medium.
    pub const MEDIUM: Self = Self(6);
    /// High.
    pub const HIGH: Self = Self(8);
    /// Critical.
    pub const CRITICAL: Self = Self(10);

    pub(crate) fn check(self) -> Result<(), Error> {
        if matches!(self.0, 2 | 4 | 6 | 8 | 10) {
            return Ok(());
        }
        Err(Error::invalid(format!("invalid severity \"{}\": expected 2, 4, 6, 8 or 10", self.0)))
    }
}

open_enum! {
    /// The manager of a case.
    pub enum CaseManager {
        /// The provider, such as Sophos MDR.
        Provider = "PROVIDER",
        /// The customer.
        Customer = "CUSTOMER",
    }
}

/// The key findings of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "catalog", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct KeyFindings {
    /// The format.
    pub document_type: DocumentType,
    /// The version of the format.
    pub document_version: String,
    /// The text, or the JSON of a structured document.
    pub content: String,
}

impl KeyFindings {
    /// Key findings in Markdown.
    pub fn markdown(content: impl Into<String>) -> Self {
        Self::new(DocumentType::Markdown, "1.0", content)
    }

    /// Key findings in another format.
    pub fn new(
        document_type: DocumentType,
        document_version: impl Into<String>,
        content: impl Into<String>,
    ) -> Self {
        Self { document_type, document_version: document_version.into(), content: content.into() }
    }
}

open_enum! {
    /// The format of key findings.
    pub enum DocumentType {
        /// Markdown.
        Markdown = "MARKDOWN",
        /// The JSON of an editor.
        RichText = "RICH_TEXT",
    }
}

model! {
    /// The routing queue of a case.
    pub struct CaseQueue with setters {
        /// The id in the system that owns the queue.
        reference_id as id: String,
        /// The name.
        name: String,
    }
}

model! {
    /// The state of the jobs that attach evidence to a case.
    pub struct ProcessingStatus {
        /// The job for detections.
        detections: ProcessingState,
        /// The job for events.
        events: ProcessingState,
        /// The job for assets.
        assets: ProcessingState,
    }
}

open_enum! {
    /// The state of a job.
    pub enum ProcessingState {
        /// Done.
        Success = "SUCCESS",
        /// Failed.
        Failed = "FAILED",
        /// Running.
        Running = "RUNNING",
    }
}

model! {
    /// A link of a case to another system.
    pub struct CaseLink {
        /// The link's id.
        id!: String,
        /// The URL.
        url: String,
        /// The title.
        title: String,
        /// The type, such as the name of a ticket system.
        r#type: String,
        /// The id in the other system.
        reference: String,
        /// Whether only internal users see it.
        is_internal: bool,
        /// The time of creation.
        created_at: Timestamp,
        /// The id of the creator.
        created_by_id as id: String,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The id of the actor of the last change.
        updated_by_id as id: String,
    }
}
