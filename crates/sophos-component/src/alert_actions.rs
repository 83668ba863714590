//! Doing something about alerts.

use sophos_api::{Caller, Error, models::AlertActionKind, operations::alerts::ActOnAlert};

use crate::{
    Component,
    bindings::{
        exports::sophos::central::{
            alert_actions::{Action, Guest},
            tenants::TenantBorrow,
        },
        sophos::central::types::Failure,
    },
    json::{Unread, id, parts, text},
    session::call,
    tenants::Tenant,
};

impl Guest for Component {
    fn act(
        tenant: TenantBorrow<'_>,
        alert_id: String,
        action: String,
        message: Option<String>,
    ) -> Result<Action, Failure> {
        let tenant: &Tenant = tenant.get();
        call(async |client| {
            let action = AlertActionKind::from(action.as_str());
            let operation = Unread(ActOnAlert { alert_id, action, message });
            let (answer, raw) = parts(tenant.through(client).send(&operation).await?)?;
            Ok(Action {
                id: id(&answer).map_err(Error::malformed)?,
                status: text(&answer, &["status"]),
                requested_at: text(&answer, &["requestedAt"]),
                raw,
            })
        })
    }
}
