//! All operations as data, for programs that choose one at run time.
//!
//! The crate's macros derive it from the operations themselves. The schemas are JSON
//! Schema 2020-12, with the doc comments as descriptions.
//!
//! ```
//! use sophos_api::catalog;
//!
//! let operation = catalog::operation("common", "ListRoles").expect("an operation");
//! assert_eq!(operation.route().path, "/common/v1/roles");
//! assert!(operation.documentation().starts_with("Lists the roles"));
//! ```

mod doc_text;
mod wire_types;

use std::{borrow::Cow, collections::BTreeSet};

pub(crate) use doc_text::{doc_text, join_lines, joined_len};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    error::Error,
    operation::{
        Operation, RequestTarget, Route, parse_json_or_null,
        request::{build_request, camel_case},
    },
    operations,
    send::TypedExchange,
};

/// All operations of the enabled families, by family and file.
pub fn operations() -> impl Iterator<Item = &'static OperationDescription> {
    operations::DESCRIBED.iter().copied().flatten().copied().flatten()
}

/// The operation of a family, such as `common` and `ListRoles`. Upper and lower case of
/// the name are the same.
pub fn operation(family: &str, name: &str) -> Option<&'static OperationDescription> {
    operations().find(|operation| operation.family() == family && operation.name.eq_ignore_ascii_case(name))
}

/// The manner in which an operation lists its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Paging {
    /// One response holds everything.
    None,
    /// By page number, in the field `page`.
    Number,
    /// By the key of the page, in the field `pageFromKey`.
    Key,
    /// By cursor, in the field `cursor`.
    Cursor,
}

/// The part of a request that holds a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ParameterLocation {
    /// A segment of the path.
    Path,
    /// The query; a list is joined by commas.
    Query,
    /// The header of [`Route::header`].
    Header,
    /// A field of the JSON body.
    Body,
}

/// The description of an operation, which its macro knows.
pub(crate) trait Described {
    /// The doc comment.
    const DOCUMENTATION: &'static str;
    /// The names of the parameters.
    const PARAMETERS: &'static [ParameterName];
    /// The manner in which it lists its items.
    const PAGING: Paging;
}

/// The name of a parameter on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParameterName {
    /// The name of a Rust field, which is camelCase on the wire.
    CamelCase(&'static str),
    /// The name itself.
    Exact(&'static str),
    /// Any name, such as the settings of a policy: the service checks it.
    Any,
}

impl ParameterName {
    fn on_the_wire(self) -> Option<Cow<'static, str>> {
        match self {
            Self::CamelCase(field) => Some(camel_case(field).into()),
            Self::Exact(name) => Some(name.into()),
            Self::Any => None,
        }
    }
}

/// One operation as data.
#[derive(Debug)]
pub struct OperationDescription {
    name: &'static str,
    route: Route,
    documentation: &'static str,
    parameters: &'static [ParameterName],
    paging: Paging,
    check: fn(Value) -> Result<(), Error>,
    schemas: fn(&mut SchemaGenerator) -> OperationSchemas,
}

/// The schemas of one operation; named models are definitions of the generator.
#[derive(Debug)]
#[non_exhaustive]
pub struct OperationSchemas {
    /// The object of all parameters: those of the path, the query and the body.
    pub parameters: Schema,
    /// The body of the response.
    pub response: Schema,
}

impl OperationDescription {
    pub(crate) const fn new<O>(name: &'static str) -> Self
    where
        O: Operation + Described + DeserializeOwned + JsonSchema,
        O::Response: JsonSchema,
    {
        Self {
            name,
            route: O::ROUTE,
            documentation: O::DOCUMENTATION,
            parameters: O::PARAMETERS,
            paging: O::PAGING,
            check: |fields| {
                let operation: O =
                    serde_json::from_value(fields).map_err(|error| Error::invalid(error.to_string()))?;
                operation.validate()
            },
            schemas: |generator| OperationSchemas {
                parameters: O::json_schema(generator),
                response: generator.subschema_for::<O::Response>(),
            },
        }
    }

    /// The name of the operation's type, such as `ListRoles`. It is unique in its family.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The method, path, host and scope header.
    pub fn route(&self) -> &Route {
        &self.route
    }

    /// The manner in which it lists its items.
    pub fn paging(&self) -> Paging {
        self.paging
    }

    /// The family: the first segment of the path, such as `common`.
    pub fn family(&self) -> &'static str {
        self.route.path.split('/').nth(1).unwrap_or_default()
    }

    /// The part of the request that holds the parameter of this name on the wire.
    pub fn parameter_location(&self, parameter: &str) -> ParameterLocation {
        let is_parameter = |field: &str| camel_case(field) == parameter;
        if self.route.path.split('/').any(|segment| segment.strip_prefix(':') == Some(parameter)) {
            ParameterLocation::Path
        } else if self.route.header.is_some_and(|(field, _)| is_parameter(field)) {
            ParameterLocation::Header
        } else if !self.route.has_body() || self.route.query.iter().any(|field| is_parameter(field)) {
            ParameterLocation::Query
        } else {
            ParameterLocation::Body
        }
    }

    /// The doc comment of the operation.
    pub fn documentation(&self) -> &'static str {
        self.documentation
    }

    /// The schemas, with named models as definitions of `generator`.
    pub fn schemas(&self, generator: &mut SchemaGenerator) -> OperationSchemas {
        (self.schemas)(generator)
    }

    /// The parameters as a JSON schema by itself, with its definitions.
    pub fn parameters(&self) -> Value {
        let mut generator = SchemaGenerator::default();
        let mut schema = self.schemas(&mut generator).parameters;
        schema.insert("$defs".to_owned(), Value::Object(generator.take_definitions(true)));
        schema.to_value()
    }

    /// Prepares a request with these parameters, by their names on the wire.
    ///
    /// ```
    /// use serde_json::json;
    /// use sophos_api::{RequestTarget, catalog};
    ///
    /// let get_role = catalog::operation("common", "GetRole").expect("an operation");
    /// let parameters = json!({ "roleId": "7" }).as_object().cloned().expect("an object");
    /// let target = RequestTarget::with_id("https://api-eu01.central.sophos.com".parse()?, "a tenant's id");
    /// let request = get_role.request(parameters)?.to_request(&target)?;
    /// assert_eq!(request.uri().path(), "/common/v1/roles/7");
    /// # Ok::<(), sophos_api::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for an unknown, missing or
    /// invalid parameter.
    pub fn request(&'static self, fields: Map<String, Value>) -> Result<DescribedRequest, Error> {
        if !self.parameters.contains(&ParameterName::Any) {
            self.check_names(&fields)
                .and_then(|()| (self.check)(Value::Object(fields.clone())))
                .map_err(|error| error.with_operation(self.route.to_string()))?;
        }
        Ok(DescribedRequest { operation: self, fields })
    }

    /// Rejects a parameter that the operation does not have.
    fn check_names(&self, fields: &Map<String, Value>) -> Result<(), Error> {
        let known: BTreeSet<_> = self.parameters.iter().filter_map(|name| name.on_the_wire()).collect();
        let Some(unknown) = fields.keys().find(|name| !known.contains(name.as_str())) else { return Ok(()) };
        let expected = known.into_iter().collect::<Vec<_>>().join(", ");
        Err(Error::invalid(format!("unknown field `{unknown}`: expected {expected}")))
    }
}

/// An operation with its parameters, both chosen at run time.
///
/// [`ApiClient::send_described`](crate::ApiClient::send_described) sends it.
///
/// ```
/// use serde_json::{Map, Value};
/// use sophos_api::{ApiClient, Error, TenantClient, Transport, catalog::OperationDescription};
///
/// async fn all_pages<T: Transport>(
///     tenant: &TenantClient<T>,
///     operation: &'static OperationDescription,
/// ) -> Result<Vec<Value>, Error> {
///     let mut pages = Vec::new();
///     let mut request = Some(operation.request(Map::new())?);
///     while let Some(current) = request {
///         let page = tenant.send_described(&current).await?;
///         request = current.next_page(&page)?;
///         pages.push(page);
///     }
///     Ok(pages)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct DescribedRequest {
    operation: &'static OperationDescription,
    fields: Map<String, Value>,
}

impl DescribedRequest {
    /// The operation.
    pub fn operation(&self) -> &'static OperationDescription {
        self.operation
    }

    /// The method, path, host and scope header.
    pub fn route(&self) -> &'static Route {
        &self.operation.route
    }

    /// Converts it into a request without the token.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when a field of the path is empty.
    pub fn to_request(&self, target: &RequestTarget) -> Result<http::Request<Vec<u8>>, Error> {
        build_request(self.route(), Ok(Value::Object(self.fields.clone())), target)
    }

    pub(crate) fn exchange<R: DeserializeOwned>(&self) -> TypedExchange<'_, Self, R> {
        TypedExchange::new(self.route(), self, Self::to_request, parse_json_or_null)
    }

    /// The request for the page after this one's; `None` at the end of the listing, and
    /// for an operation without pages.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) when the page refers to
    /// itself.
    pub fn next_page(&self, page: &Value) -> Result<Option<Self>, Error> {
        let (name, next) = match self.operation.paging {
            Paging::None => return Ok(None),
            Paging::Number => {
                let current = self.fields.get("page").and_then(Value::as_u64).unwrap_or(1);
                let more = match page["pages"]["total"].as_u64() {
                    Some(total) => current < total,
                    None => page["items"].as_array().is_some_and(|items| !items.is_empty()),
                };
                ("page", more.then(|| Value::from(current + 1)))
            }
            Paging::Key => ("pageFromKey", text(&page["pages"]["nextKey"])),
            Paging::Cursor if page["has_more"] == true => ("cursor", text(&page["next_cursor"])),
            Paging::Cursor => return Ok(None),
        };
        let Some(next) = next else { return Ok(None) };
        let mut fields = self.fields.clone();
        // A cursor replaces the start of the interval.
        if self.operation.paging == Paging::Cursor {
            fields.remove("from_date");
        }
        if fields.insert(name.to_owned(), next.clone()) == Some(next) {
            return Err(
                Error::malformed("the next page is this page").with_operation(self.route().to_string())
            );
        }
        Ok(Some(Self { operation: self.operation, fields }))
    }
}

fn text(value: &Value) -> Option<Value> {
    value.as_str().filter(|text| !text.is_empty()).map(Value::from)
}
