//! The exported `alert-actions`.

use sophos_api::{ApiClient, Error, models::AlertActionKind, operations::common::alerts::ActOnAlert};

use crate::{
    Component,
    bindings::{
        exports::sophos::central::{
            alert_actions::{Action, Guest},
            tenants::TenantBorrow,
        },
        sophos::central::types::Failure,
    },
    json::{RawOperation, id, into_value_and_text, string},
    session::run_call,
    tenants::Tenant,
};

impl Guest for Component {
    fn perform(
        tenant: TenantBorrow<'_>,
        alert_id: String,
        action: String,
        message: Option<String>,
    ) -> Result<Action, Failure> {
        let tenant: &Tenant = tenant.get();
        run_call(async |client| {
            let action = AlertActionKind::from(action.as_str());
            let mut operation = RawOperation(ActOnAlert::new(alert_id, action));
            operation.0.message = message;
            let (response, raw) = into_value_and_text(tenant.with_client(client).send(&operation).await?)?;
            Ok(Action {
                id: id(&response).map_err(Error::malformed)?,
                status: string(&response, &["status"]),
                requested_at: string(&response, &["requestedAt"]),
                raw,
            })
        })
    }
}
