//! What is known of an endpoint's isolation.

use sophos_api::{
    Caller, Error,
    operations::{endpoints::GetEndpoint, isolation::GetIsolation},
};

use crate::{
    Component,
    bindings::{
        exports::sophos::central::{
            isolation::{Guest, State},
            tenants::TenantBorrow,
        },
        sophos::central::types::Failure,
    },
    endpoints::reports_isolation,
    json::{Unread, id, parts, text, truth},
    session::call,
    tenants::Tenant,
};

impl Guest for Component {
    fn inspect(tenant: TenantBorrow<'_>, endpoint_id: String) -> Result<State, Failure> {
        let tenant: &Tenant = tenant.get();
        call(async |client| {
            let tenant = tenant.through(client);
            let question = Unread(GetIsolation { endpoint_id: endpoint_id.clone() });
            let (asked, raw) = parts(tenant.send(&question).await?)?;
            let (endpoint, _) = parts(tenant.send(&Unread(GetEndpoint::full(endpoint_id))).await?)?;
            Ok(State {
                endpoint_id: id(&endpoint).map_err(Error::malformed)?,
                requested: truth(&asked, &["enabled"]),
                reported: reports_isolation(&endpoint),
                self_isolated: truth(&endpoint, &["isolation", "selfIsolated"]),
                isolated_at: text(&asked, &["lastEnabledAt"]),
                released_at: text(&asked, &["lastDisabledAt"]),
                comment: text(&asked, &["comment"]),
                online: truth(&endpoint, &["online"]),
                last_seen_at: text(&endpoint, &["lastSeenAt"]),
                raw,
            })
        })
    }
}
