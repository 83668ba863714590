//! The exported `isolation`.

use sophos_api::{
    ApiClient, Error,
    operations::{endpoint::endpoints::GetEndpoint, endpoint::isolation::GetIsolation},
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
    json::{RawOperation, boolean, id, into_value_and_text, string},
    session::run_call,
    tenants::Tenant,
};

impl Guest for Component {
    fn inspect(tenant: TenantBorrow<'_>, endpoint_id: String) -> Result<State, Failure> {
        let tenant: &Tenant = tenant.get();
        run_call(async |client| {
            let tenant = tenant.with_client(client);
            let request = RawOperation(GetIsolation::new(endpoint_id.as_str()));
            let (requested, raw) = into_value_and_text(tenant.send(&request).await?)?;
            let (endpoint, _) =
                into_value_and_text(tenant.send(&RawOperation(GetEndpoint::full(endpoint_id))).await?)?;
            Ok(State {
                endpoint_id: id(&endpoint).map_err(Error::malformed)?,
                requested: boolean(&requested, &["enabled"]),
                reported: reports_isolation(&endpoint),
                self_isolated: boolean(&endpoint, &["isolation", "selfIsolated"]),
                isolated_at: string(&requested, &["lastEnabledAt"]),
                released_at: string(&requested, &["lastDisabledAt"]),
                comment: string(&requested, &["comment"]),
                online: boolean(&endpoint, &["online"]),
                last_seen_at: string(&endpoint, &["lastSeenAt"]),
                raw,
            })
        })
    }
}
