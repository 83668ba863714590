//! Requests as a `wasi:http` server brings them.

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

/// How long a caller may take to send its request, and to take its answer.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(30);

/// What is asked for at once.
const CHUNK_LEN: u64 = 64 << 10;

impl Guest for Component {
    fn handle(request: IncomingRequest, response_out: ResponseOutparam) {
        let answer = match read_request(&request) {
            Ok(request) => receive::handle_request(request, ClientIpSource::Header),
            Err((status, problem)) => {
                let answer = Response::error(status, problem);
                audit_log::record_problem(&answer, problem);
                answer
            }
        };
        drop(request);
        send_response(response_out, &answer);
    }
}

/// Reads a request, or says what to answer instead.
fn read_request(incoming: &IncomingRequest) -> Result<Request, (u16, &'static str)> {
    let target = incoming.path_with_query().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let body = incoming.consume().map_err(|()| (400, "the body is gone"))?;
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

/// Headers by their names in lower case, of each name one.
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

/// The body; of one that is larger than is read, just so much that this shows.
fn read_bounded_body(
    body: &IncomingBody,
    headers: &[(String, String)],
) -> Result<Vec<u8>, (u16, &'static str)> {
    let broken = (400, "the body broke off; send it again");
    let stream = body.stream().map_err(|()| broken)?;
    let ready = stream.subscribe();
    let deadline = Deadline::after(CLIENT_TIMEOUT);
    let mut content = Vec::new();
    while content.len() <= MAX_BODY_LEN {
        let room = (MAX_BODY_LEN + 1 - content.len()) as u64;
        match stream.read(CHUNK_LEN.min(room)) {
            Ok(chunk) if chunk.is_empty() => {
                deadline.wait_for(&ready).map_err(|_| (408, "the body took too long; send it again"))?;
            }
            Ok(chunk) => content.extend_from_slice(&chunk),
            Err(StreamError::Closed) => {
                let length = headers.iter().find(|(name, _)| name == "content-length");
                let length = length.and_then(|(_, value)| value.parse::<usize>().ok());
                return if length.is_some_and(|length| content.len() < length) {
                    Err(broken)
                } else {
                    Ok(content)
                };
            }
            Err(StreamError::LastOperationFailed(_)) => return Err(broken),
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

/// Gives the answer. Whoever has hung up gets none, and what was decided stands.
fn send_response(out: ResponseOutparam, answer: &Response) {
    let fields = Fields::new();
    let length = answer.body.len().to_string();
    let length = ("content-length", length.as_str());
    let headers = answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in headers.chain([length]) {
        // A host that refuses a header still gives the answer.
        let _ = fields.append(name, value.as_bytes());
    }
    let response = OutgoingResponse::new(fields);
    let _ = response.set_status_code(answer.status);
    let body = response.body();
    ResponseOutparam::set(out, Ok(response));
    if let Ok(body) = body {
        write_response_body(body, answer.body.as_bytes());
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
