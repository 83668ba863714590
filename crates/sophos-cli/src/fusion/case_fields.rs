//! New cases and changes of cases.

use clap::{Args, ValueEnum};
use sophos_api::{
    Operation,
    fusion::cases::{CaseManager, CaseSeverity, CreateCase, KeyFindings, UpdateCase},
};

use crate::{
    connect::CliTenant,
    context::Context,
    exit::Failure,
    fusion::{
        cases::CaseArg,
        change::{change, send_changes},
        moved_tenant,
        reference_data::{ReferenceList, find},
    },
};

/// The severity of a case, or its number at the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Severity {
    #[value(alias = "2")]
    Informational,
    #[value(alias = "4")]
    Low,
    #[value(alias = "6")]
    Medium,
    #[value(alias = "8")]
    High,
    #[value(alias = "10")]
    Critical,
}

impl From<Severity> for CaseSeverity {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Informational => Self::INFORMATIONAL,
            Severity::Low => Self::LOW,
            Severity::Medium => Self::MEDIUM,
            Severity::High => Self::HIGH,
            Severity::Critical => Self::CRITICAL,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Manager {
    Provider,
    Customer,
}

impl From<Manager> for CaseManager {
    fn from(manager: Manager) -> Self {
        match manager {
            Manager::Provider => Self::Provider,
            Manager::Customer => Self::Customer,
        }
    }
}

/// The fields that a new case and a change have in common.
#[derive(Debug, Clone, Args)]
struct CommonFields {
    /// The secondary status, by title, name or id
    #[arg(long, value_name = "STATUS")]
    secondary_status: Option<String>,
    /// The verdict on a closed case, by title, name or id
    #[arg(long, value_name = "VERDICT")]
    verdict: Option<String>,
    /// The secondary verdict, by title, name or id
    #[arg(long, value_name = "VERDICT")]
    secondary_verdict: Option<String>,
    /// The source, by title, name or id
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
    /// The id of the assignee; '' for none
    #[arg(long, value_name = "ID")]
    assignee: Option<String>,
    /// The manager, which cannot be changed later
    #[arg(long, value_name = "VALUE")]
    managed_by: Option<Manager>,
    /// The tags, which replace those of the case; '' for none
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    tags: Option<Vec<String>>,
    /// The key findings, in Markdown
    #[arg(long, value_name = "TEXT")]
    key_findings: Option<String>,
}

impl CommonFields {
    fn tags(&self) -> Option<Vec<String>> {
        let tags = self.tags.as_ref()?;
        Some(tags.iter().filter(|tag| !tag.is_empty()).cloned().collect())
    }
}

/// The ids of the common fields that refer to the tenant's reference data.
struct CommonIds {
    secondary_status: Option<String>,
    verdict: Option<String>,
    secondary_verdict: Option<String>,
    source: Option<String>,
}

impl CommonIds {
    async fn find(tenant: &CliTenant, fields: &CommonFields) -> Result<Self, Failure> {
        let verdict = fields.secondary_verdict.as_ref();
        Ok(Self {
            secondary_status: find(
                tenant,
                ReferenceList::SecondaryStatuses,
                fields.secondary_status.as_ref(),
            )
            .await?,
            verdict: find(tenant, ReferenceList::Verdicts, fields.verdict.as_ref()).await?,
            secondary_verdict: find(tenant, ReferenceList::SecondaryVerdicts, verdict).await?,
            source: find(tenant, ReferenceList::Sources, fields.source.as_ref()).await?,
        })
    }
}

#[derive(Debug, Args)]
pub(super) struct CreateArgs {
    /// The title
    #[arg(long, value_name = "TEXT")]
    title: String,
    /// The type, by title, name or id
    #[arg(long = "type", value_name = "TYPE")]
    case_type: String,
    /// The severity
    #[arg(long, value_name = "VALUE")]
    severity: Severity,
    /// The status, by title, name or id
    #[arg(long, value_name = "STATUS")]
    status: String,
    #[command(flatten)]
    common: CommonFields,
    /// The ids of detections, as evidence
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    detection_ids: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct UpdateArgs {
    /// The cases, by id or short id, such as CSE00001
    #[arg(required = true, value_name = "CASE")]
    cases: Vec<CaseArg>,
    /// The title
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// The type, by title, name or id
    #[arg(long = "type", value_name = "TYPE")]
    case_type: Option<String>,
    /// The severity
    #[arg(long, value_name = "VALUE")]
    severity: Option<Severity>,
    /// The status, by title, name or id
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    #[command(flatten)]
    common: CommonFields,
    /// The reason for closing the case
    #[arg(long, value_name = "TEXT")]
    close_reason: Option<String>,
    /// Whether the case, which must be closed, is archived
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    archived: Option<bool>,
}

/// Creates a case.
///
/// # Errors
/// When a value is unknown, without consent, or when the request fails.
pub(super) async fn create(args: CreateArgs, context: &Context) -> Result<(), Failure> {
    let CreateArgs { title, case_type, severity, status, common, detection_ids } = args;
    let mut operation = CreateCase::new(case_type, severity.into(), &title, status);
    operation.validate()?;
    let tenant = moved_tenant(context).await?;
    operation.type_id = ReferenceList::Types.find(&tenant, &operation.type_id).await?;
    operation.primary_status_id = ReferenceList::Statuses.find(&tenant, &operation.primary_status_id).await?;
    let ids = CommonIds::find(&tenant, &common).await?;
    operation.secondary_status_id = ids.secondary_status;
    operation.primary_verdict_id = ids.verdict;
    operation.secondary_verdict_id = ids.secondary_verdict;
    operation.source_id = ids.source;
    operation.tags = common.tags().unwrap_or_default();
    operation.assignee_id = common.assignee;
    operation.managed_by = common.managed_by.map(Into::into);
    operation.key_findings = common.key_findings.map(KeyFindings::markdown);
    operation.detection_ids = detection_ids;
    send_changes(context, &tenant, &change("create", "case", vec![title]), &[operation]).await
}

/// Changes cases.
///
/// # Errors
/// As for [`create`], and without a field to change.
pub(super) async fn update(args: UpdateArgs, context: &Context) -> Result<(), Failure> {
    let UpdateArgs { cases, title, case_type, severity, status, common, close_reason, archived } = args;
    let mut operation = UpdateCase::new(String::new());
    operation.title = title;
    operation.severity = severity.map(Into::into);
    operation.close_reason = close_reason;
    operation.is_archived = archived;
    operation.tags = common.tags();
    operation.managed_by = common.managed_by.map(Into::into);
    operation.key_findings = common.key_findings.clone().map(KeyFindings::markdown);
    operation.assignee_id = common.assignee.clone();
    let named = [&case_type, &status, &common.secondary_status, &common.verdict];
    let mut named = named.into_iter().chain([&common.secondary_verdict, &common.source]);
    if operation == UpdateCase::new(String::new()) && named.all(Option::is_none) {
        return Err(Failure::usage("missing change: expected at least one option, such as --status"));
    }
    operation.validate()?;
    let tenant = moved_tenant(context).await?;
    operation.type_id = find(&tenant, ReferenceList::Types, case_type.as_ref()).await?;
    operation.primary_status_id = find(&tenant, ReferenceList::Statuses, status.as_ref()).await?;
    let ids = CommonIds::find(&tenant, &common).await?;
    operation.secondary_status_id = ids.secondary_status;
    operation.primary_verdict_id = ids.verdict;
    operation.secondary_verdict_id = ids.secondary_verdict;
    operation.source_id = ids.source;
    let (mut names, mut operations) = (Vec::new(), Vec::new());
    for case in cases {
        let case = case.resolve(&tenant).await?;
        let mut operation = operation.clone();
        operation.id = case.id;
        operations.push(operation);
        names.push(case.name);
    }
    send_changes(context, &tenant, &change("update", "case", names), &operations).await
}
