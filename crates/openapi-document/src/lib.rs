//! The REST operations of Sophos Central as an OpenAPI 3.1 document, from the catalog of
//! the client.

mod component_names;
mod operation;
mod schema;
mod text;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use sophos_api::{DATA_REGIONS, catalog};

use crate::{component_names::ComponentNames, operation::RestOperation};

/// The name of the security scheme.
const CLIENT_CREDENTIALS: &str = "clientCredentials";

/// The scope headers: the name of the component, the header, whether it is required, and
/// its description.
const SCOPE_HEADERS: [(&str, &str, bool, &str); 6] = [
    ("TenantId", "X-Tenant-ID", true, "The tenant's id."),
    ("PartnerId", "X-Partner-ID", true, "The partner's id."),
    ("OrganizationId", "X-Organization-ID", true, "The organization's id."),
    ("DistributorId", "X-Distributor-ID", true, "The distributor's id."),
    (
        "OptionalTenantId",
        "X-Tenant-ID",
        false,
        "The tenant's id. Without it the operation covers the owner of the credential, or the partner that \
         `X-Partner-ID` names.",
    ),
    ("OptionalPartnerId", "X-Partner-ID", false, "The partner's id, instead of `X-Tenant-ID`."),
];

/// Builds the document. It is the same for the same operations.
pub fn document() -> Value {
    let mut generator = schema::generator();
    let mut names = ComponentNames::default();
    let mut operations = Vec::new();
    for described in catalog::operations().filter(|described| described.route().graphql_field.is_none()) {
        operations.push(RestOperation::new(described, &mut generator));
        names.record(&generator, described.family());
    }

    let families: BTreeSet<_> = operations.iter().map(|operation| operation.family).collect();
    let tags: Vec<_> = families.into_iter().map(|family| json!({ "name": family })).collect();
    let mut paths = Map::new();
    for operation in operations {
        let path = paths.entry(operation.path()).or_insert_with(|| json!({}));
        let method = operation.method();
        path[method] = operation.into_openapi();
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Sophos Central",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The REST operations of Sophos Central, as the client `sophos-api` sends them. \
                Sophos does not publish this document. An optional field is absent rather than null.",
            "license": { "name": "Apache 2.0", "identifier": "Apache-2.0" },
        },
        "externalDocs": { "url": "https://developer.sophos.com/apis" },
        "servers": [regional_server(), global_server()],
        "security": [{ CLIENT_CREDENTIALS: ["token"] }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schema::definitions(&mut generator),
            "parameters": scope_headers(),
            "responses": { "Error": error_response() },
            "securitySchemes": { CLIENT_CREDENTIALS: client_credentials() },
        },
    });
    names.rename_ambiguous(&mut document);
    document
}

/// The host of a tenant's data region.
fn regional_server() -> Value {
    let regions: Vec<_> = DATA_REGIONS.iter().map(ToString::to_string).collect();
    json!({
        "url": "https://api-{region}.central.sophos.com",
        "description": "The host of the tenant's data region",
        "variables": { "region": {
            "default": "eu01",
            "description": format!(
                "The data region. The tenant's record and `GET /whoami/v1` name the host. Documented regions: {}.",
                regions.join(", "),
            ),
        } },
    })
}

/// The host of the operations without a data region.
pub(crate) fn global_server() -> Value {
    json!({ "url": "https://api.central.sophos.com", "description": "The global host" })
}

fn scope_headers() -> Value {
    let headers = SCOPE_HEADERS.into_iter().map(|(component, name, required, description)| {
        let header = json!({
            "name": name,
            "in": "header",
            "required": required,
            "description": description,
            "schema": { "type": "string" },
        });
        (component.to_owned(), header)
    });
    Value::Object(headers.collect())
}

fn client_credentials() -> Value {
    json!({
        "type": "oauth2",
        "description": "The client id and the secret of an API credential, in the body of the request.",
        "flows": { "clientCredentials": {
            "tokenUrl": "https://id.sophos.com/api/v2/oauth2/token",
            "scopes": { "token": "All operations that the role of the credential permits." },
        } },
    })
}

/// The response for a status that is not 2xx. Gateways in front of the service send only a
/// message.
fn error_response() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    json!({
        "description": "An error. With the status 429 and some others the header `Retry-After` states the \
            seconds to wait.",
        "content": { "application/json": { "schema": {
            "type": "object",
            "properties": {
                "error": text("The error, such as `BadRequest`."),
                "message": text("The explanation."),
                "code": text("The code of the error."),
                "correlationId": text("The id of the request across services."),
                "requestId": text("The id of the request."),
                "createdAt": { "type": "string", "format": "date-time", "description": "The time of the error." },
            },
        } } },
    })
}
