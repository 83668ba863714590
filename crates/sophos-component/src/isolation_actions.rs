//! The exported `isolation-actions`.

use sophos_api::{ApiClient, operations::endpoint::isolation::UpdateIsolations};

use crate::{
    Component,
    bindings::{
        exports::sophos::central::{
            isolation_actions::{Guest, IsolationResult},
            tenants::TenantBorrow,
        },
        sophos::central::types::Failure,
    },
    json::{RawOperation, array, into_value_and_text},
    session::run_call,
    tenants::Tenant,
};

impl Guest for Component {
    fn isolate(
        tenant: TenantBorrow<'_>,
        endpoint_ids: Vec<String>,
        comment: String,
    ) -> Result<IsolationResult, Failure> {
        update_isolation(&tenant, endpoint_ids, true, comment)
    }

    fn release(
        tenant: TenantBorrow<'_>,
        endpoint_ids: Vec<String>,
        comment: String,
    ) -> Result<IsolationResult, Failure> {
        update_isolation(&tenant, endpoint_ids, false, comment)
    }
}

fn update_isolation(
    tenant: &TenantBorrow<'_>,
    ids: Vec<String>,
    enabled: bool,
    comment: String,
) -> Result<IsolationResult, Failure> {
    let tenant: &Tenant = tenant.get();
    run_call(async |client| {
        let mut operation = RawOperation(UpdateIsolations::new(ids, enabled));
        operation.0.comment = Some(comment).filter(|comment| !comment.is_empty());
        let (response, _) = into_value_and_text(tenant.with_client(client).send(&operation).await?)?;
        let accepted: Vec<_> = array(&response, &["items"]).filter_map(|item| item["id"].as_str()).collect();
        // An id that was not requested is ignored.
        let ids = operation.0.ids.into_iter();
        let (accepted_ids, skipped_ids) =
            ids.partition(|id| accepted.iter().any(|accepted| accepted.eq_ignore_ascii_case(id)));
        Ok(IsolationResult { accepted_ids, skipped_ids })
    })
}
