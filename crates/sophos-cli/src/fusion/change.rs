//! Changes at Sophos Fusion: the question, the dry run, and the requests.

use serde::Serialize;
use sophos_api::{ApiClient, Error, Operation, RequestTarget};

use crate::{
    confirm::Change,
    connect::CliTenant,
    context::Context,
    exit::Failure,
    fusion::fusion_host,
    json::Json,
    verb::{confirm_and_send, print_request},
};

/// Asks, then sends the operations and writes the responses; with `--dry-run` it only shows
/// the requests.
///
/// # Errors
/// When a value is invalid, and without consent; [`Partial`](crate::exit::Exit::Partial)
/// when some of several requests failed.
pub(super) async fn send_changes<O>(
    context: &Context,
    tenant: &CliTenant,
    change: &Change,
    operations: &[O],
) -> Result<(), Failure>
where
    O: Operation,
    O::Response: Serialize,
{
    let target = RequestTarget::with_id(fusion_host(context).await?, tenant.id().as_str());
    let requests =
        operations.iter().map(|operation| operation.to_request(&target)).collect::<Result<Vec<_>, _>>()?;
    if context.globals.dry_run {
        context.note(&format!("Dry run: this would {}", change.sentence()));
        requests.iter().for_each(print_request);
        return Ok(());
    }
    confirm_and_send(context, change, operations, async |operation: &O| {
        let response = tenant.send(operation).await?;
        Json::from_serialize(&response)
            .map_err(|error| Error::malformed(format!("the response is not JSON: {error}")))
    })
    .await
}

/// A change of objects of this noun.
pub(super) fn change(action: &str, noun: &str, objects: Vec<String>) -> Change {
    Change { action: action.to_owned(), noun: noun.to_owned(), objects }
}
