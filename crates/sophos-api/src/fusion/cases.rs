//! Cases of tenants on Sophos Fusion.
//!
//! The types, statuses and verdicts of a case are reference data of the tenant: send
//! [`ListCaseTypes`] and its siblings for their ids. The ids of cases are UUIDs; the
//! short ids, such as `CSE00001`, only serve in a query: `shortId = 'CSE00001'`. A case
//! cannot be deleted: close it, then archive it, by [`UpdateCase`].
//!
//! ```
//! use sophos_api::{ApiClient, Error, TenantClient, Transport, fusion::cases::ListCases};
//!
//! /// The title of the case with this short id.
//! async fn title<T: Transport>(tenant: &TenantClient<T>, id: &str) -> Result<Option<String>, Error> {
//!     let page = tenant.send(&ListCases::new().query(format!("shortId = '{id}'"))).await?;
//!     let Some(case) = page.cases.into_iter().next() else { return Ok(None) };
//!     Ok(case.parse()?.into_inner().title)
//! }
//! ```

mod case;
mod case_comments;
mod case_evidence;
mod case_fields;
mod case_page;
mod case_reference_data;

pub use case::{CreateCase, GetCase, ListCases, UpdateCase};
pub use case_comments::{
    AddCaseComment, CaseComment, CaseCommentPage, CommentVisibility, DeleteCaseComment, ListCaseComments,
    SortOrder, UpdateCaseComment,
};
pub use case_evidence::{
    AddEvidenceToCase, CaseAsset, CaseDetection, CaseEvent, CaseEvidence, CaseSearchQuery, EvidenceChange,
    GetCaseEvidence, RemoveEvidenceFromCase,
};
pub use case_fields::{
    Case, CaseLink, CaseManager, CaseQueue, CaseSeverity, DocumentType, KeyFindings, ProcessingState,
    ProcessingStatus,
};
pub use case_page::{CasePage, CasePageInfo, CasesPagination};
pub use case_reference_data::{
    CaseLabel, CasePrimaryStatus, CasePrimaryStatuses, CasePrimaryVerdicts, CaseSecondaryStatus,
    CaseSecondaryStatuses, CaseSecondaryVerdicts, CaseSources, CaseType, CaseTypes, ListCasePrimaryStatuses,
    ListCasePrimaryVerdicts, ListCaseSecondaryStatuses, ListCaseSecondaryVerdicts, ListCaseSources,
    ListCaseTypes,
};

/// The most cases or comments in a page.
pub const MAX_PAGE_SIZE: u32 = 100;

/// The longest title of a case, in characters. The service cuts a longer one.
pub const MAX_TITLE_LEN: usize = 256;

#[cfg(test)]
pub(crate) const DOCUMENTS: &[&[&str]] =
    &[case::DOCUMENTS, case_comments::DOCUMENTS, case_evidence::DOCUMENTS, case_reference_data::DOCUMENTS];
