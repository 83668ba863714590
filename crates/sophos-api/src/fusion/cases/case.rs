//! Cases: `cases`, `case`, `createCase`, `updateCase`.

use crate::{
    Error, Paged, Raw, WithRaw,
    fusion::{
        cases::{
            MAX_TITLE_LEN,
            case_fields::{Case, CaseManager, CaseQueue, CaseSeverity, KeyFindings},
            case_page::{CasePage, CasesPagination},
        },
        graphql_macro::{documents, graphql},
    },
    operation::checks::check_count,
};

/// The members that a listing and a single case have.
macro_rules! case_members {
    () => {
        "id shortId tenantId title severity tags \
         type { id name title } \
         primaryStatus { id name title isClosed } \
         secondaryStatus { id name title } secondaryStatusReason \
         primaryVerdict { id name title } secondaryVerdict { id name title } \
         source { id name title } managedBy assigneeId incidentAdvisorId contributorIds \
         queue { referenceId name } \
         createdAt createdById updatedAt updatedById closedAt closedById closeReason archivedAt \
         riskScore ruleId isCreatedByPartner isCreatedByMDRProvider isCreatedByParent \
         processingStatus { detections events assets } \
         links { id url title type reference isInternal createdAt createdById updatedAt updatedById }"
    };
}

/// The members of a single case. A listing does not have the key findings, and the
/// counts would slow it down.
macro_rules! whole_case {
    () => {
        concat!(
            case_members!(),
            " keyFindings { documentType documentVersion content } detectionsCount eventsCount assetsCount"
        )
    };
}

graphql! {
    /// Lists the cases of a tenant, the newest first.
    ///
    /// The cases of a page have no key findings and no counts: get a single case for them.
    query ListCases = cases(arguments: CasesArguments) in "camelCase" -> CasePage {
        /// The query in the query language of the service, such as
        /// `severity >= 8 and closedAt is null | sort updatedAt desc`. It refers to types,
        /// statuses and verdicts by their ids.
        query: String,
        /// The labels of services: only cases of tenants with one of them.
        tenant_service_filters: [String],
        /// The page. Default: the first 100 cases, by cursor.
        pagination: CasesPagination = CasesPagination::default(),
    } [
        "totalCount pageInfo { startCursor endCursor hasNextPage hasPreviousPage } cases { ",
        case_members!(), " }"
    ] {
        fn check(&self) -> Result<(), Error> {
            self.pagination.check()
        }
    }
}

impl Paged for ListCases {
    type Item = Case;

    fn next_page(&self, page: &CasePage) -> Result<Option<Self>, Error> {
        let next = self.pagination.next(&page.page_info)?;
        Ok(next.map(|pagination| Self { pagination, ..self.clone() }))
    }

    fn items(page: CasePage) -> Vec<Raw<Case>> {
        page.cases
    }
}

graphql! {
    /// Gets a case.
    query GetCase = case(arguments: CaseArguments) in "camelCase" -> WithRaw<Case> {
        /// The case's id, a UUID.
        id!: String,
    } [whole_case!()]
}

graphql! {
    /// Creates a case.
    ///
    /// The service often fails at `partnerPreferences` without effect; the client repeats
    /// the request then.
    mutation CreateCase = createCase(input: CreateCaseInput) in "camelCase" -> WithRaw<Case> {
        /// The id of the type.
        type_id!: String,
        /// The severity.
        severity!: CaseSeverity,
        /// The title, of at most [`MAX_TITLE_LEN`](super::MAX_TITLE_LEN) characters.
        title!: String,
        /// The id of the primary status.
        primary_status_id!: String,
        /// The id of the secondary status.
        secondary_status_id: String,
        /// The reasons, from those that the secondary status allows.
        secondary_status_reason: [String],
        /// The id of the primary verdict, for a case that is closed at once.
        primary_verdict_id: String,
        /// The id of the secondary verdict, which the primary verdict must support.
        secondary_verdict_id: String,
        /// The tags.
        tags: [String],
        /// The key findings.
        key_findings: KeyFindings,
        /// The id of the assignee.
        assignee_id: String,
        /// The manager of the case, which cannot be changed later. By default, the type's.
        managed_by: CaseManager,
        /// The id of the incident advisor.
        incident_advisor_id: String,
        /// The id of the source.
        source_id: String,
        /// The routing queue, for partners alone.
        queue: CaseQueue,
        /// The ids of detections.
        detection_ids: [String],
        /// A query of detections, of which the service attaches the first 50,000.
        detections_search_query: String,
        /// The ids of events.
        event_ids: [String],
        /// The ids of saved queries.
        search_queries: [String],
        /// The ids of hosts, whose assets the service attaches.
        host_ids: [String],
    } [whole_case!()] {
        const REPEATABLE_PATH: Option<&'static str> = Some("partnerPreferences");

        fn check(&self) -> Result<(), Error> {
            check_title(Some(&self.title))?;
            self.severity.check()
        }
    }
}

graphql! {
    /// Changes the given members of a case.
    ///
    /// To close a case, set a status that [is closed](super::CasePrimaryStatus) and the
    /// verdict. A closed case can be archived.
    mutation UpdateCase = updateCase(input: UpdateCaseInput) in "camelCase" -> WithRaw<Case> {
        /// The case's id, a UUID.
        id!: String,
        /// The id of the type.
        type_id: String,
        /// The severity.
        severity: CaseSeverity,
        /// The title, of at most [`MAX_TITLE_LEN`](super::MAX_TITLE_LEN) characters.
        title: String,
        /// The tags, which replace the ones of the case.
        tags: Vec<String>,
        /// The key findings.
        key_findings: KeyFindings,
        /// The id of the primary status.
        primary_status_id: String,
        /// The id of the secondary status.
        secondary_status_id: String,
        /// The reasons, from those that the secondary status allows.
        secondary_status_reason: Vec<String>,
        /// The id of the primary verdict of a closed case.
        primary_verdict_id: String,
        /// The id of the secondary verdict, which the primary verdict must support.
        secondary_verdict_id: String,
        /// The id of the assignee; empty for none.
        assignee_id: String,
        /// The manager of a case that has none. It cannot be changed later.
        managed_by: CaseManager,
        /// The id of the incident advisor; empty for none.
        incident_advisor_id: String,
        /// The reason for closing the case.
        close_reason: String,
        /// Whether the case is archived. It must be closed.
        is_archived: bool,
        /// The id of the source.
        source_id: String,
        /// The routing queue, for partners alone.
        queue: CaseQueue,
    } [whole_case!()] {
        fn check(&self) -> Result<(), Error> {
            check_title(self.title.as_deref())?;
            self.severity.map_or(Ok(()), CaseSeverity::check)
        }
    }
}

impl UpdateCase {
    /// Closes a case: sets a closed status and the verdict.
    pub fn close(
        id: impl Into<String>,
        primary_status_id: impl Into<String>,
        primary_verdict_id: impl Into<String>,
    ) -> Self {
        Self::new(id).primary_status_id(primary_status_id).primary_verdict_id(primary_verdict_id)
    }

    /// Archives a closed case.
    pub fn archive(id: impl Into<String>) -> Self {
        Self::new(id).is_archived(true)
    }
}

fn check_title(title: Option<&str>) -> Result<(), Error> {
    title.map_or(Ok(()), |title| check_count("title", title.chars().count(), 1..=MAX_TITLE_LEN))
}

documents! { ListCases GetCase CreateCase UpdateCase }
