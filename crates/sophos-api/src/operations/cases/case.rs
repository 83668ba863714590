//! Cases of a tenant: `/cases/v1/cases`.

use crate::{
    NumberedPage, Timestamp,
    models::{
        Actor, Deleted, Reference,
        macros::{model, open_enum},
    },
    operation::macros::{listed, operation},
    operations::detections::queries::Detection,
};

operation! {
    /// Lists the cases of a tenant.
    ///
    /// For a tenant that moved to the Fusion XDR API it lists only the cases from before.
    pub struct ListCases = GET "/cases/v1/cases"
        (tenant replaced_by "fusion::cases::ListCases") -> NumberedPage<Case> {
        /// The manager of the case.
        managed_by: CaseManagedBy,
        /// The type.
        r#type: CaseType,
        /// The severity.
        severity: CaseSeverity,
        /// The statuses to match.
        status: [CaseStatus],
        /// The email address of the assignee, `Unassigned`, or `MDR Ops` for a case of Sophos.
        assignee: String,
        /// The name.
        name: String,
        /// The text in the overview.
        overview_contains: String,
        /// The UTC time, or the ISO 8601 duration before now, of the earliest creation.
        created_after: String,
        /// The UTC time, or the ISO 8601 duration before now, of the latest creation.
        created_before: String,
        /// Whether the case was escalated.
        escalated: bool,
        /// The verdict.
        verdict: CaseVerdict,
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// The order, such as `name:asc`.
        sort: [String],
    }
}

operation! {
    /// Creates a case from a detection.
    ///
    /// Fails if the detection does not exist or the case has no assignee.
    pub struct CreateCase = POST "/cases/v1/cases"
        (tenant replaced_by "fusion::cases::CreateCase") -> Case {
        /// The name.
        name!: String,
        /// The type.
        r#type!: CaseType,
        /// The severity.
        severity!: CaseSeverity,
        /// The email address of the assignee, or `Unassigned`.
        assignee!: String,
        /// The id of the first detection.
        initial_detection_id!: String,
        /// The manager of the case.
        managed_by: CaseManagedBy,
        /// The status.
        status: CaseStatus,
        /// The ids of further detections.
        other_detection_ids: [String],
        /// The overview.
        overview: String,
    }
}

operation! {
    /// Deletes a case that the tenant manages.
    pub struct DeleteCase = DELETE "/cases/v1/cases/:caseId"
        (tenant replaced_by "fusion::cases::UpdateCase") -> Deleted {
        /// The case's id, such as `ABC-123`.
        case_id!: String,
    }
}

operation! {
    /// Returns a case.
    pub struct GetCase = GET "/cases/v1/cases/:caseId"
        (tenant replaced_by "fusion::cases::GetCase") -> Case {
        /// The case's id, such as `ABC-123`.
        case_id!: String,
    }
}

operation! {
    /// Changes a case.
    pub struct UpdateCase = PATCH "/cases/v1/cases/:caseId"
        (tenant replaced_by "fusion::cases::UpdateCase") -> Case {
        /// The case's id, such as `ABC-123`.
        case_id!: String,
        /// The name.
        name: String,
        /// The type.
        r#type: CaseType,
        /// The severity.
        severity: CaseSeverity,
        /// The status.
        status: CaseStatus,
        /// The email address of the assignee, or `Unassigned`.
        assignee: String,
        /// The overview.
        overview: String,
    }
}

model! {
    /// A case.
    pub struct Case {
        /// The case's id, such as `ABC-123`.
        id!: String,
        /// The type.
        r#type: CaseType,
        /// The name.
        name: String,
        /// The tenant.
        tenant: Reference,
        /// The time of creation.
        created_at: Timestamp,
        /// The status.
        status: CaseStatus,
        /// The manager of the case.
        managed_by: CaseManagedBy,
        /// The actor that created it.
        created_by: Actor,
        /// The time of the last change.
        updated_at: Timestamp,
        /// The severity.
        severity: CaseSeverity,
        /// The first detection.
        initial_detection: Detection,
        /// The assignee.
        assignee: Actor,
        /// The time of the assignment.
        assigned_at: Timestamp,
        /// The overview.
        overview: String,
        /// The number of detections.
        detection_count: i64,
        /// The verdict.
        verdict: CaseVerdict,
        /// Whether the case was escalated.
        escalated: bool,
        /// The time of the resolution.
        resolved_at: Timestamp,
    }
}

open_enum! {
    /// The manager of a case.
    pub enum CaseManagedBy {
        /// The tenant itself.
        Itself = "self",
        /// Sophos.
        Sophos = "sophos",
    }
}

open_enum! {
    /// The type of a case.
    pub enum CaseType {
        /// Active threat.
        ActiveThreat = "activeThreat",
        /// Customer request.
        CustomerRequest = "customerRequest",
        /// Duplicate.
        Duplicate = "duplicate",
        /// Exposure.
        Exposure = "exposure",
        /// General request.
        GeneralRequest = "generalRequest",
        /// Hunt.
        Hunt = "hunt",
        /// Incident.
        Incident = "incident",
        /// Investigation.
        Investigation = "investigation",
        /// Managed risk.
        ManagedRisk = "managedRisk",
    }
}

open_enum! {
    /// The severity of a case.
    pub enum CaseSeverity {
        /// Critical.
        Critical = "critical",
        /// High.
        High = "high",
        /// Medium.
        Medium = "medium",
        /// Low.
        Low = "low",
        /// Informational.
        Informational = "informational",
        /// Not set.
        NotSet = "notSet",
    }
}

open_enum! {
    /// The status of a case. A case of Sophos may have other statuses than a case of the tenant.
    pub enum CaseStatus {
        /// New.
        New = "new",
        /// Investigating.
        Investigating = "investigating",
        /// In progress.
        InProgress = "inProgress",
        /// On hold.
        OnHold = "onHold",
        /// Sophos waits for the tenant.
        ActionRequired = "actionRequired",
        /// Resolved.
        Resolved = "resolved",
    }
}

open_enum! {
    /// The verdict on a case.
    pub enum CaseVerdict {
        /// False positive.
        FalsePositive = "falsePositive",
        /// True positive.
        TruePositive = "truePositive",
    }
}

listed! {
    ListCases
    CreateCase
    DeleteCase
    GetCase
    UpdateCase
}
