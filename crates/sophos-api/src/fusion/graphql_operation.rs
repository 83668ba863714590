use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;

use crate::{
    error::Error,
    fusion::graphql_response::parse_response,
    operation::{Operation, RequestTarget, Route, request::build_request},
};

/// The kind of a GraphQL operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GraphqlKind {
    /// A query: it reads, and a repetition has no effect.
    Query,
    /// A mutation: it changes the state of the service.
    Mutation,
}

/// An operation of Sophos Fusion: a GraphQL document with one field and one variable.
///
/// The variable is the argument of the field, and holds the fields of the struct. One
/// document has one field: the service fails with `conn busy` for two of the same case.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use sophos_api::{Operation, RequestTarget, fusion::{GraphqlKind, GraphqlOperation}};
///
/// /// Gets a template of cases.
/// #[derive(Debug, Serialize)]
/// struct GetCaseTemplate {
///     id: String,
/// }
///
/// #[derive(Deserialize)]
/// struct CaseTemplate {
///     title: Option<String>,
/// }
///
/// impl GraphqlOperation for GetCaseTemplate {
///     type Response = CaseTemplate;
///     const KIND: GraphqlKind = GraphqlKind::Query;
///     const FIELD: &'static str = "caseTemplate";
///     const ARGUMENT: &'static str = "arguments";
///     const DOCUMENT: &'static str = "query GetCaseTemplate($arguments: CaseTemplateArguments!) \
///         { caseTemplate(arguments: $arguments) { title } }";
/// }
///
/// let target = RequestTarget::with_id("https://api.taegis.sophos.com".parse()?, "a tenant's id");
/// let request = GetCaseTemplate { id: "7".to_owned() }.to_request(&target)?;
/// assert_eq!(request.uri(), "https://api.taegis.sophos.com/graphql");
/// # Ok::<(), sophos_api::Error>(())
/// ```
pub trait GraphqlOperation: Serialize + std::fmt::Debug + Send + Sync {
    /// The type of the field's value.
    type Response: DeserializeOwned + Send + 'static;

    /// Whether the document is a query or a mutation.
    const KIND: GraphqlKind;

    /// The field of the document.
    const FIELD: &'static str;

    /// The argument of the field, which is also the name of the document's variable.
    const ARGUMENT: &'static str;

    /// The document.
    const DOCUMENT: &'static str;

    /// The path of an error after which a repetition is safe and helps, although the
    /// operation is a mutation.
    const REPEATABLE_PATH: Option<&'static str> = None;

    /// Checks the values before anything is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid), with the value and the expected
    /// ones.
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Checks a response for a failure that the service reports as data.
    ///
    /// # Errors
    /// The failure of the service.
    fn check_response(_response: &Self::Response) -> Result<(), Error> {
        Ok(())
    }
}

impl<O: GraphqlOperation> Operation for O {
    type Response = <O as GraphqlOperation>::Response;
    const ROUTE: Route = Route::graphql(O::FIELD, matches!(O::KIND, GraphqlKind::Query));

    fn validate(&self) -> Result<(), Error> {
        self.check()
    }

    fn to_request(&self, target: &RequestTarget) -> Result<http::Request<Vec<u8>>, Error> {
        self.check()?;
        let variables = serde_json::to_value(self).map(|fields| json!({ O::ARGUMENT: fields }));
        let body = variables.map(|variables| json!({ "query": O::DOCUMENT, "variables": variables }));
        build_request(&Self::ROUTE, body, target)
    }

    fn parse_response(response: &http::Response<Bytes>) -> Result<Self::Response, Error> {
        parse_response::<O>(response)
    }
}
