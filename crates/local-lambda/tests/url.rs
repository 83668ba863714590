//! Tests of a function binary behind HTTP.

mod support;

use std::{sync::Arc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use local_lambda::{FunctionUrl, LogSink, MAX_PAYLOAD_LEN, StartError};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
};

use crate::support::echo_function;

/// A raw response.
struct Response {
    status: u16,
    head: Vec<String>,
    body: Vec<u8>,
}

impl Response {
    fn header(&self, name: &str) -> Vec<&str> {
        let pairs = self.head.iter().filter_map(|line| line.split_once(": "));
        pairs.filter(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&self.body)))
    }
}

/// Sends a request byte for byte; no client library would send some of these.
async fn exchange(url: &FunctionUrl, request: Vec<u8>) -> Response {
    let url = url.url();
    let address = url.strip_prefix("http://").and_then(|url| url.strip_suffix('/')).expect("an address");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(&request).await.expect("a request");
    let mut response = Vec::new();
    stream.read_to_end(&mut response).await.expect("a response");
    let end = response.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8_lossy(&response[..end]).into_owned();
    let mut head = head.split("\r\n").map(str::to_owned);
    let status = head.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status");
    Response { status, head: head.collect(), body: response[end + 4..].to_vec() }
}

async fn send(url: &FunctionUrl, line: &str, headers: &[&str], body: &[u8]) -> Response {
    let mut request = format!("{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
    for header in headers {
        request.push_str(&format!("{header}\r\n"));
    }
    if !body.is_empty() {
        request.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    exchange(url, [request.as_bytes(), b"\r\n", body].concat()).await
}

/// The event of a function for this request.
async fn event(url: &FunctionUrl, line: &str, headers: &[&str], body: &[u8]) -> Value {
    let response = send(url, line, headers, body).await;
    assert_eq!(response.status, 200, "{line}");
    response.json()
}

async fn post_instruction(url: &FunctionUrl, instruction: &Value) -> Response {
    let body = instruction.to_string();
    send(url, "POST /", &["content-type: application/json"], body.as_bytes()).await
}

async fn start_echo_url() -> FunctionUrl {
    FunctionUrl::start(echo_function().env("AWS_REGION", "eu-west-1"), 1).await.expect("the function starts")
}

#[tokio::test]
async fn request_becomes_a_payload_format_2_event() {
    let url = start_echo_url().await;
    let headers = [
        "User-Agent: probe/1",
        "X-Tag: one",
        "X-TAG: two",
        "Cookie: a=1; b=2",
        "cookie: c=3",
        "content-type: application/json; charset=utf-8",
    ];
    let line = "POST /hooks/acme%2Fx/?kind=a%20b&kind=c&empty&plus=1+1";
    let mut event = event(&url, line, &headers, "{\"é\":1}".as_bytes()).await;

    let context = event["requestContext"].as_object_mut().unwrap();
    let id = context.remove("requestId").unwrap();
    assert_eq!(id.as_str().unwrap().len(), 36);
    let epoch = context.remove("timeEpoch").unwrap().as_i64().unwrap();
    let time = jiff::Timestamp::from_millisecond(epoch).unwrap();
    assert!((jiff::Timestamp::now().as_millisecond() - epoch).abs() < 60_000);
    let expected = time.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string();
    assert_eq!(context.remove("time").unwrap(), json!(expected));

    assert_eq!(
        event,
        json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": "/hooks/acme%2Fx/",
            "rawQueryString": "kind=a%20b&kind=c&empty&plus=1+1",
            "cookies": ["a=1", "b=2", "c=3"],
            "headers": {
                "connection": "close",
                "content-length": "8",
                "content-type": "application/json; charset=utf-8",
                "host": "localhost",
                "user-agent": "probe/1",
                "x-tag": "one,two",
            },
            "queryStringParameters": { "kind": "a b,c", "empty": "", "plus": "1 1" },
            "requestContext": {
                "accountId": "anonymous",
                "apiId": "local",
                "domainName": "local.lambda-url.eu-west-1.on.aws",
                "domainPrefix": "local",
                "http": {
                    "method": "POST",
                    "path": "/hooks/acme%2Fx/",
                    "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1",
                    "userAgent": "probe/1",
                },
                "routeKey": "$default",
                "stage": "$default",
            },
            "body": "{\"é\":1}",
            "isBase64Encoded": false,
        })
    );
}

#[tokio::test]
async fn event_omits_absent_members() {
    let url = start_echo_url().await;
    let event = event(&url, "GET /", &[], b"").await;
    for absent in ["cookies", "queryStringParameters", "body"] {
        assert_eq!(event.get(absent), None, "{absent}");
    }
    assert_eq!(event["isBase64Encoded"], false);
    assert_eq!(event["rawQueryString"], "");
    assert_eq!(event["requestContext"]["http"]["userAgent"], "");
}

#[tokio::test]
async fn binary_bodies_are_base64_encoded() {
    let url = start_echo_url().await;
    let text: &[u8] = b"a=1&b=2";
    let binary: &[u8] = b"\x00\xff\xfe";
    for (kind, body, encoded) in [
        ("content-type: text/plain", text, false),
        ("content-type: Application/JSON", text, false),
        ("content-type: application/cloudevents+json; charset=utf-8", text, false),
        ("content-type: application/xml", text, false),
        ("content-type: application/x-www-form-urlencoded", text, true),
        ("content-type: application/octet-stream", text, true),
        ("content-type: application/jsonp", text, true),
        ("content-type: \u{e9}", text, true),
        ("x-none: 1", text, true),
        ("content-type: text/plain", binary, true),
        ("content-type: application/json", binary, true),
    ] {
        let event = event(&url, "POST /", &[kind], body).await;
        assert_eq!(event["isBase64Encoded"], encoded, "{kind}");
        let sent = event["body"].as_str().unwrap();
        let sent = if encoded { BASE64_STANDARD.decode(sent).unwrap() } else { sent.as_bytes().to_vec() };
        assert_eq!(sent, body, "{kind}");
    }
}

#[tokio::test]
async fn source_ip_is_the_peer_unless_forwarded_for_is_trusted() {
    let url = start_echo_url().await;
    let source = async |header: &str| {
        let event = event(&url, "GET /", &[header], b"").await;
        event["requestContext"]["http"]["sourceIp"].as_str().unwrap().to_owned()
    };
    assert_eq!(source("x-forwarded-for: 203.0.113.9").await, "127.0.0.1");
    url.trust_forwarded_for(true);
    assert_eq!(source("x-forwarded-for: 203.0.113.9, 10.0.0.1").await, "203.0.113.9");
    assert_eq!(source("x-forwarded-for: 2001:db8::1").await, "2001:db8::1");
    assert_eq!(source("x-forwarded-for: nonsense").await, "127.0.0.1");
    assert_eq!(source("x-other: 1").await, "127.0.0.1");
}

#[tokio::test]
async fn function_result_becomes_an_http_response() {
    let url = start_echo_url().await;
    let answer = json!({
        "statusCode": 201,
        "headers": {
            "Content-Type": "text/html",
            "X-Number": 7,
            "X-True": true,
            "content-length": "1",
            "Connection": "x",
        },
        "cookies": ["a=1; Secure", "b=2"],
        "body": "<p>grüezi",
    });
    let response = post_instruction(&url, &json!({"do": "answer", "answer": answer})).await;
    assert_eq!(response.status, 201);
    assert_eq!(response.body, "<p>grüezi".as_bytes());
    assert_eq!(response.header("content-type"), ["text/html"]);
    assert_eq!(response.header("content-length"), [response.body.len().to_string()]);
    assert_eq!(response.header("x-number"), ["7"]);
    assert_eq!(response.header("x-true"), ["true"]);
    assert_eq!(response.header("set-cookie"), ["a=1; Secure", "b=2"]);

    let answer = json!({"statusCode": 200, "body": "AP8=", "isBase64Encoded": true});
    let response = post_instruction(&url, &json!({"do": "answer", "answer": answer})).await;
    assert_eq!(response.body, b"\x00\xff");
    assert_eq!(response.header("content-type"), ["application/json"]);

    let response = post_instruction(&url, &json!({"do": "answer", "answer": {"statusCode": 204}})).await;
    assert_eq!((response.status, response.body.as_slice()), (204, &b""[..]));
}

#[tokio::test]
async fn result_without_a_status_code_becomes_the_body() {
    let url = start_echo_url().await;
    for answer in [json!({"body": "x"}), json!("hello"), json!(null), json!([1]), json!({"statusCode": null})]
    {
        let response = post_instruction(&url, &json!({"do": "answer", "answer": answer})).await;
        assert_eq!((response.status, response.json()), (200, answer));
        assert_eq!(response.header("content-type"), ["application/json"]);
    }
}

#[tokio::test]
async fn function_error_returns_502_and_the_next_request_succeeds() {
    let url = start_echo_url().await;
    let answer = |answer: Value| json!({"do": "answer", "answer": answer});
    for misfortune in [
        json!({"do": "fail"}),
        json!({"do": "panic"}),
        json!({"do": "exit"}),
        json!({"do": "abort"}),
        json!({"do": "large", "bytes": MAX_PAYLOAD_LEN}),
        answer(json!({"statusCode": "200"})),
        answer(json!({"statusCode": 101})),
        answer(json!({"statusCode": 70_000})),
        answer(json!({"statusCode": 200, "body": {}})),
        answer(json!({"statusCode": 200, "body": "%", "isBase64Encoded": true})),
        answer(json!({"statusCode": 200, "headers": {"a b": "c"}})),
        answer(json!({"statusCode": 200, "headers": {"a": "b\r\nc: d"}})),
        answer(json!({"statusCode": 200, "headers": {"a": ["b"]}})),
        answer(json!({"statusCode": 200, "headers": "a"})),
        answer(json!({"statusCode": 200, "cookies": [1]})),
    ] {
        let response = post_instruction(&url, &misfortune).await;
        assert_eq!(response.status, 502, "{misfortune}");
        assert_eq!(response.json(), json!({"Message": "Internal Server Error"}));
        assert_eq!(post_instruction(&url, &json!({"do": "say who"})).await.status, 200, "after {misfortune}");
    }
}

#[tokio::test]
async fn timeout_returns_502() {
    let function = echo_function().timeout(Duration::from_millis(100));
    let url = FunctionUrl::start(function, 1).await.unwrap();
    assert_eq!(post_instruction(&url, &json!({"do": "sleep", "ms": 60_000})).await.status, 502);
    assert_eq!(post_instruction(&url, &json!({"do": "say who"})).await.status, 200);
}

#[tokio::test]
async fn requests_above_the_lambda_limit_are_rejected() {
    let url = start_echo_url().await;
    // Three bytes of binary are four of the event.
    for (kind, bytes, status) in [
        ("content-type: text/plain", MAX_PAYLOAD_LEN / 2, 200),
        ("content-type: text/plain", MAX_PAYLOAD_LEN + 1, 413),
        ("content-type: text/plain", MAX_PAYLOAD_LEN, 413),
        ("content-type: image/png", MAX_PAYLOAD_LEN / 4 * 3, 413),
    ] {
        let response = send(&url, "POST /", &[kind], &vec![b'x'; bytes]).await;
        assert_eq!(response.status, status, "{kind}, {bytes} bytes");
    }
    assert_eq!(post_instruction(&url, &json!({"do": "say who"})).await.status, 200);
}

#[tokio::test]
async fn malformed_requests_do_not_stop_the_server() {
    let url = start_echo_url().await;
    let bytes = [b"GET /x HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-odd: a\xff\xe9b\r\n\r\n".to_vec()];
    for request in bytes {
        let event = exchange(&url, request).await.json();
        assert_eq!(event["headers"]["x-odd"], "a\u{fffd}\u{fffd}b");
    }
    let head = send(&url, "HEAD /", &[], b"").await;
    assert_eq!((head.status, head.body.as_slice()), (200, &b""[..]));

    let path = format!("/{}", "a".repeat(30_000));
    assert_eq!(event(&url, &format!("GET {path}"), &[], b"").await["rawPath"], path);
    let huge = format!("GET /{}", "a".repeat(80_000));
    assert!((400..500).contains(&send(&url, &huge, &[], b"").await.status));

    let event_of = event(&url, "OPTIONS *", &[], b"").await;
    assert_eq!(event_of["requestContext"]["http"]["method"], "OPTIONS");
    let event_of = event(&url, "BREW //a/../b?%zz&=&&=1", &[], b"").await;
    assert_eq!(event_of["rawPath"], "//a/../b");
    assert_eq!(exchange(&url, b"nonsense\r\n\r\n".to_vec()).await.status, 400);
    assert_eq!(url.pids().len(), 1);
}

#[tokio::test]
async fn kill_during_a_request_returns_502() {
    let working = Arc::new(Notify::new());
    let sink = LogSink::callback({
        let working = working.clone();
        move |line| {
            if line.contains("sleep") {
                working.notify_one();
            }
        }
    });
    let url = Arc::new(FunctionUrl::start(echo_function().log_to(sink), 2).await.unwrap());
    let request = tokio::spawn({
        let url = url.clone();
        async move { post_instruction(&url, &json!({"do": "sleep", "ms": 60_000})).await.status }
    });
    working.notified().await;
    let pid = url.pids()[0];
    assert_eq!(url.kill_one(), Some(pid));
    assert_eq!(request.await.unwrap(), 502);
    assert!(!url.kill(pid));

    let next = post_instruction(&url, &json!({"do": "say who"})).await.json()["pid"].as_u64().unwrap();
    assert_eq!(url.pids().into_iter().map(u64::from).collect::<Vec<_>>(), [next]);
    assert_eq!(url.logs(), ["starting", "doing \"sleep\"", "starting", "doing \"say who\""]);
    let url = Arc::into_inner(url).unwrap();
    let signals: Vec<_> = url.stop().await.into_iter().map(|stopped| stopped.signal).collect();
    assert_eq!(signals, [Some(9), Some(15)]);
}

#[tokio::test]
async fn dropping_the_url_closes_the_listener() {
    let url = start_echo_url().await;
    let address = url.url();
    let address = address.trim_start_matches("http://").trim_end_matches('/').to_owned();
    // An open connection must not keep the function alive.
    let mut kept = TcpStream::connect(&address).await.unwrap();
    kept.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert!(kept.read(&mut [0; 64]).await.unwrap() > 0);
    let process = format!("/proc/{}", url.pids()[0]);
    drop(url);
    for _ in 0..200 {
        let status = std::fs::read_to_string(format!("{process}/status")).unwrap_or_default();
        if status.is_empty() || status.contains("State:\tZ") {
            assert!(TcpStream::connect(&address).await.is_err());
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("still running");
}

#[tokio::test]
async fn url_returns_the_start_error_when_a_function_exits() {
    let error = FunctionUrl::start(echo_function().env("START_BEHAVIOR", "exit"), 1).await.unwrap_err();
    assert!(matches!(error, StartError::Exited { code: Some(7), .. }), "{error:?}");
}
