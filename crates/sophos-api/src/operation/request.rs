//! Building of the request of an operation, from its fields as JSON.

use http::{HeaderValue, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::{
    error::Error,
    operation::{RequestTarget, Route},
};

/// The characters that are not encoded in a path segment or a query value.
pub(crate) const UNRESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Builds the request of a route from the fields of an operation. It is not generic,
/// so that it is compiled once.
pub(crate) fn build_request(
    route: &Route,
    fields: serde_json::Result<Value>,
    target: &RequestTarget,
) -> Result<http::Request<Vec<u8>>, Error> {
    let Ok(Value::Object(mut fields)) = fields else {
        return Err(Error::invalid("an operation must serialize as a JSON object"));
    };
    let header = route.header.map(|(field, name)| {
        let field = camel_case(field);
        let value = fields.remove(&field).as_ref().and_then(Value::as_str).map(HeaderValue::try_from);
        let value = value.and_then(Result::ok).filter(|value| !value.is_empty());
        let invalid = || Error::invalid(format!("missing {field}: expected the value of a header"));
        Ok((name, value.ok_or_else(invalid)?))
    });
    let header = header.transpose()?;
    let mut url = target.base.join(&build_path(route.path, &mut fields)?);
    push_query(&mut url, route, &mut fields);
    // The service expects `{}` rather than an empty body.
    let body = if route.has_body() { Value::Object(fields).to_string().into_bytes() } else { Vec::new() };
    let mut request = http::Request::new(body);
    *request.method_mut() = route.method.clone();
    *request.uri_mut() =
        url.parse().map_err(|error: http::uri::InvalidUri| Error::invalid(error.to_string()))?;
    let headers = request.headers_mut();
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    headers.insert(header::ACCEPT, JSON);
    let scope = target.scope.unwrap_or(route.scope);
    if let (Some(name), Some(id)) = (scope.name(), &target.id) {
        let id = HeaderValue::try_from(id.as_str()).map_err(|error| Error::invalid(error.to_string()))?;
        headers.insert(name, id);
    }
    if route.has_body() {
        headers.insert(header::CONTENT_TYPE, JSON);
    }
    if let Some((name, value)) = header {
        headers.insert(name, value);
    }
    Ok(request)
}

fn build_path(template: &str, fields: &mut Map<String, Value>) -> Result<String, Error> {
    let mut path = String::with_capacity(template.len() + 40);
    for segment in template.split('/').skip(1) {
        path.push('/');
        let Some(name) = segment.strip_prefix(':') else {
            path.push_str(segment);
            continue;
        };
        match fields.remove(name) {
            // A segment of dots would leave the path.
            Some(Value::String(value)) if !value.chars().all(|character| character == '.') => {
                path.extend(utf8_percent_encode(&value, UNRESERVED));
            }
            Some(Value::Number(value)) => path.push_str(&value.to_string()),
            _ => return Err(Error::invalid(format!("missing {name}: expected a value that is not empty"))),
        }
    }
    Ok(path)
}

/// The name of a field as the service writes it.
pub(crate) fn camel_case(field: &str) -> String {
    let mut words = field.trim_start_matches("r#").split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut characters = word.chars();
        name.extend(characters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(characters.as_str());
    }
    name
}

/// Moves the fields of the query to the URL. Those of the body remain, without nulls and
/// empty lists.
fn push_query(url: &mut String, route: &Route, fields: &mut Map<String, Value>) {
    let mut separator = '?';
    fields.retain(|name, value| {
        if value.is_null() || value.as_array().is_some_and(Vec::is_empty) {
            return false;
        }
        let in_body = route.has_body() && !route.query.iter().any(|field| camel_case(field) == *name);
        if !in_body {
            url.push(separator);
            separator = '&';
            url.push_str(name);
            url.push('=');
            push_value(url, value);
        }
        in_body
    });
}

fn push_value(url: &mut String, value: &Value) {
    let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            url.push(',');
        }
        match item {
            Value::String(text) => url.extend(utf8_percent_encode(text, UNRESERVED)),
            other => url.extend(utf8_percent_encode(&other.to_string(), UNRESERVED)),
        }
    }
}
