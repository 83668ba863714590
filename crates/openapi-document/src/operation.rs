//! One operation of the document.

use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use sophos_api::{
    ApiHost, Route, ScopeHeader,
    catalog::{OperationDescription, ParameterLocation},
    models::IdType,
};

use crate::{global_server, schema, text};

/// An operation and its schemas, which refer to the components of the document.
pub(crate) struct RestOperation {
    /// The first segment of the path.
    pub(crate) family: &'static str,
    name: &'static str,
    route: Route,
    documentation: String,
    parameters: Vec<Parameter>,
    /// The schema of further fields of the body, or `false`.
    other_fields: Value,
    response: Schema,
}

struct Parameter {
    /// The name on the wire.
    name: String,
    location: ParameterLocation,
    is_required: bool,
    schema: Schema,
}

impl RestOperation {
    pub(crate) fn new(described: &OperationDescription, generator: &mut SchemaGenerator) -> Self {
        let mut schemas = described.schemas(generator);
        schema::simplify(&mut schemas.parameters);
        schema::simplify(&mut schemas.response);
        let mut object = schemas.parameters.to_value();
        let required = object["required"].take();
        let is_required = |name: &str| {
            required.as_array().is_some_and(|names| names.iter().any(|required| required == name))
        };
        let other_fields = match object["additionalProperties"].take() {
            Value::Null => Value::Bool(false),
            schema => schema,
        };
        let properties = match object["properties"].take() {
            Value::Object(properties) => properties,
            _ => Map::new(),
        };
        let parameters = properties.into_iter().map(|(name, schema)| Parameter {
            location: described.parameter_location(&name),
            is_required: is_required(&name),
            schema: Schema::try_from(schema).unwrap_or_default(),
            name,
        });
        Self {
            family: described.family(),
            name: described.name(),
            route: described.route().clone(),
            documentation: object["description"].as_str().unwrap_or_default().to_owned(),
            parameters: parameters.collect(),
            other_fields,
            response: schemas.response,
        }
    }

    /// The path with `{name}` for each parameter in it.
    pub(crate) fn path(&self) -> String {
        let segments = self.route.path.split('/').map(|segment| match segment.strip_prefix(':') {
            Some(name) => format!("{{{name}}}"),
            None => segment.to_owned(),
        });
        segments.collect::<Vec<_>>().join("/")
    }

    pub(crate) fn method(&self) -> String {
        self.route.method.as_str().to_ascii_lowercase()
    }

    /// The operation object.
    pub(crate) fn into_openapi(mut self) -> Value {
        let (body, parameters) =
            self.parameters.into_iter().partition(|parameter| parameter.location == ParameterLocation::Body);
        self.parameters = parameters;
        let summary = text::summary(&self.documentation);
        let callers: Vec<_> = self.route.callers().iter().map(IdType::as_str).collect();
        let mut operation = json!({
            "operationId": text::camel_case(self.family) + self.name,
            "tags": [self.family],
            "summary": summary,
            "responses": {
                "2XX": {
                    "description": "Success",
                    "content": { "application/json": { "schema": self.response } },
                },
                "default": { "$ref": "#/components/responses/Error" },
            },
            "x-credential-types": callers,
        });
        if self.documentation.trim_end_matches('.') != summary {
            operation["description"] = self.documentation.into();
        }
        if self.route.host == ApiHost::Global {
            operation["servers"] = json!([global_server()]);
        }
        let scope = scope_components(self.route.scope).iter();
        let mut all: Vec<_> =
            scope.map(|name| json!({ "$ref": format!("#/components/parameters/{name}") })).collect();
        let header = self.route.header.map(|(_, name)| name);
        all.extend(self.parameters.into_iter().map(|parameter| parameter.into_openapi(header)));
        if !all.is_empty() {
            operation["parameters"] = all.into();
        }
        if self.route.has_body() {
            let content = json!({ "application/json": { "schema": body_schema(body, self.other_fields) } });
            operation["requestBody"] = json!({ "required": true, "content": content });
        }
        if let Some(permission) = self.route.permission {
            operation["x-soph-permissions"] = json!([permission]);
        }
        operation
    }
}

impl Parameter {
    /// The parameter object of a path, a query or a header. `header` is the header's name.
    fn into_openapi(mut self, header: Option<&str>) -> Value {
        let description = self.schema.remove("description");
        let is_list = self.schema.get("type").is_some_and(|kind| kind == "array");
        let (place, name) = match self.location {
            ParameterLocation::Path => ("path", self.name.as_str()),
            ParameterLocation::Header => ("header", header.unwrap_or(&self.name)),
            _ => ("query", self.name.as_str()),
        };
        let mut parameter = json!({ "name": name, "in": place, "schema": self.schema });
        if self.is_required || self.location == ParameterLocation::Path {
            parameter["required"] = true.into();
        }
        if let Some(description) = description {
            parameter["description"] = description;
        }
        // The service expects a list as one value, joined by commas.
        if is_list && place == "query" {
            parameter["style"] = "form".into();
            parameter["explode"] = false.into();
        }
        parameter
    }
}

/// The schema of a body with these fields, and `other_fields` by any name.
fn body_schema(fields: Vec<Parameter>, other_fields: Value) -> Value {
    let required: Vec<_> = fields
        .iter()
        .filter(|field| field.is_required)
        .map(|field| Value::from(field.name.as_str()))
        .collect();
    let properties: Map<_, _> =
        fields.into_iter().map(|field| (field.name, field.schema.to_value())).collect();
    let mut schema =
        json!({ "type": "object", "properties": properties, "additionalProperties": other_fields });
    if !required.is_empty() {
        schema["required"] = required.into();
    }
    schema
}

/// The components of the headers that name the owner of the data.
fn scope_components(scope: ScopeHeader) -> &'static [&'static str] {
    match scope {
        ScopeHeader::Tenant => &["TenantId"],
        ScopeHeader::Partner => &["PartnerId"],
        ScopeHeader::Organization => &["OrganizationId"],
        ScopeHeader::Distributor => &["DistributorId"],
        ScopeHeader::TenantOrPartner => &["OptionalTenantId", "OptionalPartnerId"],
        ScopeHeader::TenantOrOwner => &["OptionalTenantId"],
        _ => &[],
    }
}
