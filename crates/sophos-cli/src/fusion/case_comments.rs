//! Comments on cases.

use clap::Args;
use sophos_api::fusion::cases::{AddCaseComment, DeleteCaseComment, ListCaseComments, UpdateCaseComment};

use crate::{
    connect::SelectedTenant,
    context::Context,
    exit::{Exit, Failure},
    fusion::{
        cases::CaseArg,
        change::{change, send_changes},
        list::list_of,
        moved_tenant,
    },
};

const COLUMNS: [&str; 5] =
    ["created=/createdAt", "author=/authorId", "comment", "internal=/isInternal", "id"];

#[derive(Debug, Args)]
pub(super) struct AddCommentArgs {
    /// The case, by id or short id, such as CSE00001
    case: CaseArg,
    /// The text
    text: String,
    /// Shows the comment to users of the partner alone
    #[arg(long)]
    internal: bool,
}

#[derive(Debug, Args)]
pub(super) struct UpdateCommentArgs {
    /// The id of the comment
    #[arg(value_name = "COMMENT")]
    id: String,
    /// The text, which only the author may change
    #[arg(required_unless_present = "mark_as_read")]
    text: Option<String>,
    /// Marks the comment as read
    #[arg(long)]
    mark_as_read: bool,
}

/// Lists the comments on a case.
///
/// # Errors
/// When the case does not exist, or a request fails.
pub(super) async fn list(case: CaseArg, context: &Context) -> Result<(), Failure> {
    let tenant = moved_tenant(context).await?;
    let operation = ListCaseComments::new(case.resolve(&tenant).await?.id);
    let tenants = vec![SelectedTenant { name: tenant.id().to_string(), client: Ok(tenant) }];
    list_of(context, tenants, &operation, &COLUMNS, "comment").await
}

/// Adds a comment to a case.
///
/// # Errors
/// Without consent, or when the request fails.
pub(super) async fn add(args: AddCommentArgs, context: &Context) -> Result<(), Failure> {
    let tenant = moved_tenant(context).await?;
    let case = args.case.resolve(&tenant).await?;
    let mut operation = AddCaseComment::new(case.id, args.text);
    operation.is_internal = args.internal.then_some(true);
    send_changes(context, &tenant, &change("add a comment to", "case", vec![case.name]), &[operation]).await
}

/// Changes a comment.
///
/// # Errors
/// As for [`add`].
pub(super) async fn update(args: UpdateCommentArgs, context: &Context) -> Result<(), Failure> {
    let mut operation = UpdateCaseComment::new(&args.id);
    operation.comment = args.text;
    operation.mark_as_read = args.mark_as_read.then_some(true);
    let tenant = moved_tenant(context).await?;
    let change = change("update", "comment", vec![args.id]);
    send_changes(context, &tenant, &change, &[operation]).await.map_err(with_next_step)
}

/// Deletes comments.
///
/// # Errors
/// As for [`add`].
pub(super) async fn delete(ids: Vec<String>, context: &Context) -> Result<(), Failure> {
    let operations: Vec<_> = ids.iter().map(DeleteCaseComment::new).collect();
    let tenant = moved_tenant(context).await?;
    let change = change("delete", "comment", ids);
    send_changes(context, &tenant, &change, &operations).await.map_err(with_next_step)
}

fn with_next_step(failure: Failure) -> Failure {
    if failure.exit == Exit::NotFound {
        return failure.hint("run `sophos fusion cases comments CASE`");
    }
    failure
}
