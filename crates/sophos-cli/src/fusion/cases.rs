//! `sophos fusion cases`.

use clap::Subcommand;
use sophos_api::{
    ApiClient,
    fusion::cases::{GetCase, ListCases},
};

use crate::{
    connect::{CliTenant, is_id},
    context::Context,
    exit::{Exit, Failure},
    fusion::{
        CHANGE_HELP,
        case_comments::{self, AddCommentArgs, UpdateCommentArgs},
        case_evidence::{self, AddEvidenceArgs, RemoveEvidenceArgs},
        case_fields::{self, CreateArgs, UpdateArgs},
        list::list,
        moved_tenant, parse, reference_data,
    },
    json::Json,
    verb::write_one,
};

const COLUMNS: [&str; 7] = [
    "title",
    "severity",
    "status=/primaryStatus/title",
    "type=/type/title",
    "created=/createdAt",
    "short-id=/shortId",
    "id",
];

#[derive(Debug, Subcommand)]
pub(super) enum CaseCommand {
    /// Lists cases, the newest first
    #[command(
        after_help = "Examples:\n  sophos fusion cases list --tenant Globex\n  sophos fusion cases list 'severity >= 8'"
    )]
    List {
        /// A query, such as 'severity >= 8 and closedAt is null'
        query: Option<String>,
    },
    /// Shows a case
    Get {
        /// The case, by id or short id, such as CSE00001
        case: CaseArg,
    },
    /// Creates a case
    #[command(after_help = CHANGE_HELP)]
    Create(CreateArgs),
    /// Changes cases, closes or archives them
    #[command(after_help = UPDATE_HELP)]
    Update(UpdateArgs),
    /// Lists the comments on a case
    Comments {
        /// The case, by id or short id, such as CSE00001
        case: CaseArg,
    },
    /// Adds a comment to a case
    #[command(after_help = CHANGE_HELP)]
    AddComment(AddCommentArgs),
    /// Changes a comment
    #[command(after_help = CHANGE_HELP)]
    UpdateComment(UpdateCommentArgs),
    /// Deletes comments for good
    #[command(after_help = CHANGE_HELP)]
    DeleteComment {
        /// The ids of the comments
        #[arg(required = true, value_name = "COMMENT")]
        ids: Vec<String>,
    },
    /// Lists the evidence of a case
    Evidence {
        /// The case, by id or short id, such as CSE00001
        case: CaseArg,
    },
    /// Adds evidence to a case
    #[command(after_help = CHANGE_HELP)]
    AddEvidence(AddEvidenceArgs),
    /// Removes evidence from a case
    #[command(after_help = CHANGE_HELP)]
    RemoveEvidence(RemoveEvidenceArgs),
    /// Lists the tenant's types, statuses, verdicts and sources of cases
    ReferenceData,
}

const UPDATE_HELP: &str = "\
It says what it will do and asks; --yes agrees, --dry-run shows the requests.

Examples:
  sophos fusion cases update CSE00001 --status Active --severity high
  sophos fusion cases update CSE00001 --status Closed --verdict 'False Positive'
  sophos fusion cases update CSE00001 --archived";

/// A case in the arguments: an id or a short id.
#[derive(Debug, Clone)]
pub(super) struct CaseArg(String);

impl From<String> for CaseArg {
    fn from(value: String) -> Self {
        Self(value)
    }
}

/// A case of a tenant.
#[derive(Debug)]
pub(super) struct CaseRef {
    pub(super) id: String,
    /// The short id with the id, or the id alone.
    pub(super) name: String,
}

impl CaseArg {
    /// Finds the case.
    ///
    /// # Errors
    /// When it does not exist.
    pub(super) async fn resolve(&self, tenant: &CliTenant) -> Result<CaseRef, Failure> {
        let value = &self.0;
        if is_id(value) {
            return Ok(CaseRef { id: value.clone(), name: value.clone() });
        }
        let short_id = value.to_ascii_uppercase();
        let number = short_id.strip_prefix("CSE").unwrap_or_default();
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            let expected = "expected an id or a short id, such as CSE00001";
            return Err(Failure::usage(format!("invalid case \"{value}\": {expected}"))
                .hint("run `sophos fusion cases list`"));
        }
        let page = tenant.send(&ListCases::new().query(format!("shortId = '{short_id}'"))).await?;
        let unknown = || Failure::new(Exit::NotFound, format!("unknown case \"{value}\""));
        let case = parse(page.cases.first().ok_or_else(unknown)?.json())?;
        let id = case.get("id").and_then(Json::as_str).ok_or_else(unknown)?.to_owned();
        Ok(CaseRef { name: format!("{short_id} ({id})"), id })
    }
}

/// Runs a command.
///
/// # Errors
/// When the tenant has not moved, or a request fails.
pub(super) async fn run(command: CaseCommand, context: &Context) -> Result<(), Failure> {
    match command {
        CaseCommand::List { query } => {
            let mut operation = ListCases::new();
            operation.query = query;
            list(context, &operation, &COLUMNS, "case").await
        }
        CaseCommand::Get { case } => {
            let tenant = moved_tenant(context).await?;
            let case = tenant.send(&GetCase::new(case.resolve(&tenant).await?.id)).await?;
            write_one(context, parse(case.raw())?)
        }
        CaseCommand::Create(args) => case_fields::create(args, context).await,
        CaseCommand::Update(args) => case_fields::update(args, context).await,
        CaseCommand::Comments { case } => case_comments::list(case, context).await,
        CaseCommand::AddComment(args) => case_comments::add(args, context).await,
        CaseCommand::UpdateComment(args) => case_comments::update(args, context).await,
        CaseCommand::DeleteComment { ids } => case_comments::delete(ids, context).await,
        CaseCommand::Evidence { case } => case_evidence::list(case, context).await,
        CaseCommand::AddEvidence(args) => case_evidence::add(args, context).await,
        CaseCommand::RemoveEvidence(args) => case_evidence::remove(args, context).await,
        CaseCommand::ReferenceData => reference_data::show(context).await,
    }
}
