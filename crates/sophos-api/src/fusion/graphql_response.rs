//! Parsing the responses of the GraphQL service: data, errors, or both.

use std::{borrow::Cow, collections::BTreeMap};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{
    error::{Error, ErrorKind},
    fusion::graphql_operation::{GraphqlKind, GraphqlOperation},
    operation::parse_json,
};

/// The most errors of one response that are kept.
const MAX_ERRORS: usize = 20;

/// The data of a response, and the errors beside it.
///
/// ```
/// use sophos_api::{Error, TenantClient, Transport, fusion::cases::{Case, GetCase}};
///
/// /// Gets a case, even if the service fails to read a part of it.
/// async fn case<T: Transport>(tenant: &TenantClient<T>, id: &str) -> Result<Case, Error> {
///     let partial = tenant.send_partial(&GetCase::new(id)).await?;
///     for error in &partial.errors {
///         eprintln!("{} is missing: {error}", error.path().unwrap_or("a member"));
///     }
///     Ok(partial.data.into_inner())
/// }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PartialData<R> {
    /// The data. A member that the service failed to read is missing.
    pub data: R,
    /// One error for each member that is missing, at most 20.
    pub errors: Vec<Error>,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    data: Option<Box<RawValue>>,
    #[serde(default)]
    errors: Option<Box<RawValue>>,
}

/// A response with its errors, before a decision on what it means.
struct Outcome<R> {
    data: Option<R>,
    errors: Vec<Error>,
}

/// Parses a response. Any error is a failure.
pub(crate) fn parse_response<O: GraphqlOperation>(
    response: &http::Response<Bytes>,
) -> Result<O::Response, Error> {
    let Outcome { data, errors } = parse_outcome::<O>(response)?;
    if errors.is_empty() {
        data.ok_or_else(null_field::<O>)
    } else {
        Err(to_failure::<O>(errors, data.is_some()))
    }
}

/// Parses a response. Errors beside data are no failure.
pub(crate) fn parse_partial<O: GraphqlOperation>(
    response: &http::Response<Bytes>,
) -> Result<PartialData<O::Response>, Error> {
    match parse_outcome::<O>(response)? {
        Outcome { data: Some(data), errors } => Ok(PartialData { data, errors }),
        Outcome { data: None, errors } if errors.is_empty() => Err(null_field::<O>()),
        Outcome { data: None, errors } => Err(to_failure::<O>(errors, false)),
    }
}

fn parse_outcome<O: GraphqlOperation>(
    response: &http::Response<Bytes>,
) -> Result<Outcome<O::Response>, Error> {
    if !response.status().is_success() {
        return Err(from_rejection(response));
    }
    let status = response.status().as_u16();
    let envelope: Envelope = parse_json(response)?;
    let errors = envelope.errors.as_deref().map(|errors| parse_errors(errors, status)).unwrap_or_default();
    let malformed = |what: &str| Error::malformed(what).with_status(status);
    let field = match envelope.data.as_deref().filter(|data| !is_null(data)) {
        Some(data) => {
            let mut fields: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(data.get())
                .map_err(|_| malformed("the data of the response is not an object"))?;
            fields.remove(O::FIELD).filter(|field| !is_null(field))
        }
        None if errors.is_empty() => return Err(malformed("the response has neither data nor errors")),
        None => None,
    };
    let Some(field) = field else { return Ok(Outcome { data: None, errors }) };
    match serde_json::from_str(field.get()) {
        Ok(data) => {
            if errors.is_empty() {
                O::check_response(&data).map_err(|error| error.with_status(status))?;
            }
            Ok(Outcome { data: Some(data), errors })
        }
        // The errors tell more than an incomplete object.
        Err(_) if !errors.is_empty() => Ok(Outcome { data: None, errors }),
        Err(error) => Err(malformed(&format!(
            "{} of {} bytes is not as documented ({:?} error at column {})",
            O::FIELD,
            field.get().len(),
            error.classify(),
            error.column()
        ))),
    }
}

fn is_null(value: &RawValue) -> bool {
    value.get() == "null"
}

/// The failure of a response that has no error and null in place of the field.
fn null_field<O: GraphqlOperation>() -> Error {
    let message = format!("the service returned null for {}", O::FIELD);
    match O::KIND {
        GraphqlKind::Query => Error::new(ErrorKind::NotFound).with_message(message),
        GraphqlKind::Mutation => Error::malformed(message),
    }
}

/// The failure of a response with errors: the first of them. It is repeatable if it is
/// at the operation's own path of such, and nothing was executed.
fn to_failure<O: GraphqlOperation>(errors: Vec<Error>, has_data: bool) -> Error {
    let repeatable = O::REPEATABLE_PATH.is_some_and(|path| {
        let first = errors.first().and_then(Error::path);
        !has_data && first.and_then(|first| first.split('.').next()) == Some(path)
    });
    let more = errors.len().saturating_sub(1);
    let Some(mut first) = errors.into_iter().next() else { return null_field::<O>() };
    if more > 0 {
        first = first.with_remedy(&format!("{more} more errors beside it"));
    }
    if repeatable { first.with_kind(ErrorKind::Unavailable).repeatable() } else { first }
}

/// The error of a status other than 2xx. A rejected document is 400 with `errors`.
fn from_rejection(response: &http::Response<Bytes>) -> Error {
    let error = Error::from_response(response);
    let envelope: Option<Envelope> =
        std::str::from_utf8(response.body()).ok().and_then(|body| serde_json::from_str(body).ok());
    let errors = envelope.and_then(|envelope| envelope.errors);
    let entries: Vec<Value> =
        errors.and_then(|list| serde_json::from_str(list.get()).ok()).unwrap_or_default();
    match entries.first() {
        Some(entry) if !error.has_message() => describe(error, entry),
        _ => error,
    }
}

/// The errors of a response. Anything but null and an empty list is at least one error.
fn parse_errors(errors: &RawValue, status: u16) -> Vec<Error> {
    let entries: Value = serde_json::from_str(errors.get()).unwrap_or_default();
    let entries = match entries {
        Value::Null if is_null(errors) => return Vec::new(),
        Value::Array(entries) => entries,
        other => vec![other],
    };
    let to_error = |entry: &Value| {
        let text = entry["message"].as_str().unwrap_or_default();
        let kind = if text.to_ascii_lowercase().contains("record not found") {
            ErrorKind::NotFound
        } else {
            ErrorKind::Graphql
        };
        describe(Error::new(kind).with_status(status), entry)
    };
    entries.iter().take(MAX_ERRORS).map(to_error).collect()
}

/// Adds the message, the code and the path of an entry of `errors`.
fn describe(error: Error, entry: &Value) -> Error {
    let message = entry["message"].as_str().or(entry.as_str()).unwrap_or("an error without a message");
    let code = entry["extensions"]["code"].as_str().filter(|code| !code.is_empty());
    let segments = entry["path"].as_array().map(Vec::as_slice).unwrap_or_default();
    let path: Vec<Cow<'_, str>> = segments
        .iter()
        .map(|segment| segment.as_str().map_or_else(|| segment.to_string().into(), Cow::from))
        .collect();
    let path = (!path.is_empty()).then(|| path.join("."));
    error.with_message(message).with_graphql(code, path.as_deref())
}
