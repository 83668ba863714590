//! The exported `wasi:http/incoming-handler`.

use std::time::Duration;

use sophos_isolation::webhook::{MAX_BODY_LEN, Request, Response};

use super::{
    audit_log,
    receive::{self, ClientIpSource},
};
use crate::{
    Component,
    bindings::{
        exports::wasi::http::incoming_handler::Guest,
        wasi::{
            http::types::{
                Fields, IncomingBody, IncomingRequest, Method, OutgoingBody, OutgoingResponse,
                ResponseOutparam,
            },
            io::streams::StreamError,
        },
    },
    transport::{Deadline, write_body},
};

/// The maximum time to receive a request, and to send its response.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(30);

/// The maximum length of one read, in bytes.
const CHUNK_LEN: u64 = 64 << 10;

impl Guest for Component {
    fn handle(request: IncomingRequest, response_out: ResponseOutparam) {
        let response = match read_request(&request) {
            Ok(request) => receive::handle_request(request, ClientIpSource::Header),
            Err((status, problem)) => {
                let response = Response::error(status, problem);
                audit_log::record_problem(&response, problem);
                response
            }
        };
        drop(request);
        send_response(response_out, &response);
    }
}

/// Reads a request.
///
/// # Errors
/// The status and text of the response, if the request is incomplete.
fn read_request(incoming: &IncomingRequest) -> Result<Request, (u16, &'static str)> {
    let target = incoming.path_with_query().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let body =
        incoming.consume().map_err(|()| (400, "the request body is missing; send the request again"))?;
    let headers = merge_headers(incoming.headers().entries());
    Ok(Request {
        method: method_name(incoming.method()),
        path: path.to_owned(),
        query: query.to_owned(),
        body: read_bounded_body(&body, &headers)?,
        headers,
        source_ip: None,
        client_certificate: None,
    })
}

/// Merges repeated headers with commas, and converts names to lower case.
fn merge_headers(entries: Vec<(String, Vec<u8>)>) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::with_capacity(entries.len());
    for (name, value) in entries {
        let value = String::from_utf8_lossy(&value);
        let name = name.to_ascii_lowercase();
        match headers.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => {
                values.push(',');
                values.push_str(&value);
            }
            None => headers.push((name, value.into_owned())),
        }
    }
    headers
}

/// Reads the body. It stops one byte above [`MAX_BODY_LEN`], which the webhook then
/// rejects.
fn read_bounded_body(
    body: &IncomingBody,
    headers: &[(String, String)],
) -> Result<Vec<u8>, (u16, &'static str)> {
    let interrupted = (400, "the request body was interrupted; send the request again");
    let stream = body.stream().map_err(|()| interrupted)?;
    let ready = stream.subscribe();
    let deadline = Deadline::after(CLIENT_TIMEOUT);
    let mut content = Vec::new();
    while content.len() <= MAX_BODY_LEN {
        let room = (MAX_BODY_LEN + 1 - content.len()) as u64;
        match stream.read(CHUNK_LEN.min(room)) {
            Ok(chunk) if chunk.is_empty() => {
                deadline
                    .wait_for(&ready)
                    .map_err(|_| (408, "the request body took too long; send the request again"))?;
            }
            Ok(chunk) => content.extend_from_slice(&chunk),
            Err(StreamError::Closed) => {
                let length = headers.iter().find(|(name, _)| name == "content-length");
                let length = length.and_then(|(_, value)| value.parse::<usize>().ok());
                return if length.is_some_and(|length| content.len() < length) {
                    Err(interrupted)
                } else {
                    Ok(content)
                };
            }
            Err(StreamError::LastOperationFailed(_)) => return Err(interrupted),
        }
    }
    Ok(content)
}

fn method_name(method: Method) -> String {
    match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Connect => "CONNECT",
        Method::Options => "OPTIONS",
        Method::Trace => "TRACE",
        Method::Patch => "PATCH",
        Method::Other(name) => return name.to_ascii_uppercase(),
    }
    .to_owned()
}

/// Sends the response. A lost connection does not affect the decisions.
fn send_response(out: ResponseOutparam, response: &Response) {
    let fields = Fields::new();
    let length = response.body.len().to_string();
    let length = ("content-length", length.as_str());
    let headers = response.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in headers.chain([length]) {
        // The response is sent even if the host rejects a header.
        let _ = fields.append(name, value.as_bytes());
    }
    let outgoing = OutgoingResponse::new(fields);
    let _ = outgoing.set_status_code(response.status);
    let body = outgoing.body();
    ResponseOutparam::set(out, Ok(outgoing));
    if let Ok(body) = body {
        write_response_body(body, response.body.as_bytes());
    }
}

fn write_response_body(body: OutgoingBody, content: &[u8]) {
    let _ = write_body(body, content, &Deadline::after(CLIENT_TIMEOUT));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_headers_are_joined_with_commas() {
        let entry = |name: &str, value: &[u8]| (name.to_owned(), value.to_vec());
        let entries = vec![
            entry("X-A", b"1"),
            entry("Host", b"h"),
            entry("x-a", b"2"),
            entry("x-b", b"\xff"),
            entry("X-a", b""),
        ];
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(merge_headers(entries), [pair("x-a", "1,2,"), pair("host", "h"), pair("x-b", "\u{fffd}")]);
    }

    #[test]
    fn method_is_converted_to_upper_case() {
        assert_eq!(method_name(Method::Post), "POST");
        assert_eq!(method_name(Method::Other("purge".into())), "PURGE");
    }
}
