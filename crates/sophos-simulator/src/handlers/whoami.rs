//! `GET /whoami/v1`

use serde_json::json;

use crate::call::Context;
use crate::config::CredentialKind;
use crate::hash::uuid_text;
use crate::response::{ApiError, ApiResponse};

pub(crate) fn whoami(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let who = context.credential()?;
    let addresses = context.central.addresses();
    let mut id = uuid_text(who.principal_id);
    if who.kind != CredentialKind::Tenant {
        id.make_ascii_uppercase();
    }
    let mut body = json!({
        "id": id,
        "idType": who.kind.as_str(),
        "apiHosts": { "global": addresses.global },
    });
    if let Some(tenant) = who.tenant {
        let region = context.central.accounts.tenant_at(tenant).region.name();
        body["apiHosts"]["dataRegion"] = json!(addresses.regions.get(region));
    }
    Ok(ApiResponse::json(200, &body))
}
