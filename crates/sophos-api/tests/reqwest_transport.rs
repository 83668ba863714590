//! The native transport with faulty servers on real sockets.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use sophos_api::{ReqwestTransport, Transport, TransportErrorKind};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket},
};

const TIMEOUT: Duration = Duration::from_secs(20);

/// A server that sends these bytes on each connection and closes it. Without bytes it
/// never responds.
async fn server(answer: Option<&'static str>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 4096];
                while stream.read(&mut request).await.is_ok_and(|read| read > 0) {
                    if let Some(answer) = answer {
                        let _ = stream.write_all(answer.as_bytes()).await;
                        return;
                    }
                }
            });
        }
    });
    address
}

fn get(address: SocketAddr) -> http::Request<Vec<u8>> {
    http::Request::get(format!("http://{address}/siem/v1/events?cursor=private"))
        .body(Vec::new())
        .expect("a request")
}

async fn send_error(answer: Option<&'static str>, timeout: Duration) -> (TransportErrorKind, String) {
    let transport = ReqwestTransport::new().expect("a transport");
    let address = server(answer).await;
    let error = transport.send(get(address), timeout).await.expect_err("a failure");
    (error.kind(), error.to_string())
}

#[tokio::test]
async fn transport_returns_responses_of_any_status() {
    let transport = ReqwestTransport::new().expect("a transport");
    let address = server(Some("HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nbusy")).await;
    let answer = transport.send(get(address), TIMEOUT).await.expect("a response");
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["retry-after"], "7");
    assert_eq!(answer.body().as_ref(), b"busy");
}

#[tokio::test]
async fn transport_does_not_follow_redirects() {
    let transport = ReqwestTransport::new().expect("a transport");
    let address =
        server(Some("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"))
            .await;
    assert_eq!(transport.send(get(address), TIMEOUT).await.expect("a response").status(), 302);
}

#[tokio::test]
async fn transport_fails_when_the_body_is_truncated() {
    let (kind, text) =
        send_error(Some("HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{\"items\":["), TIMEOUT).await;
    assert_eq!(kind, TransportErrorKind::Interrupted);
    assert!(!text.contains("private"), "{text}");
}

#[tokio::test]
async fn transport_fails_when_the_connection_closes() {
    assert_eq!(send_error(Some(""), TIMEOUT).await.0, TransportErrorKind::Interrupted);
}

/// The result of a response with a limit of 400 bytes.
async fn send_with_limit(answer: &'static str) -> Result<usize, (TransportErrorKind, String)> {
    let transport = ReqwestTransport::new().expect("a transport").with_max_response_len(400);
    let address = server(Some(answer)).await;
    match transport.send(get(address), TIMEOUT).await {
        Ok(answer) => Ok(answer.body().len()),
        Err(error) => Err((error.kind(), error.to_string())),
    }
}

#[tokio::test]
async fn transport_rejects_responses_beyond_the_limit() {
    let body: &str = "x".repeat(401).leak();
    let declared = format!("HTTP/1.1 200 OK\r\nContent-Length: 401\r\n\r\n{body}").leak();
    // The body is not needed: its length is enough.
    let promised = "HTTP/1.1 200 OK\r\nContent-Length: 1099511627776\r\n\r\n";
    let chunked =
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n191\r\n{body}\r\n0\r\n\r\n").leak();
    let unbounded = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{body}").leak();
    for answer in [declared, promised, chunked, unbounded] {
        let (kind, text) = send_with_limit(answer).await.expect_err("too large");
        assert_eq!(kind, TransportErrorKind::TooLarge, "{answer}");
        assert!(text.contains("more than 400 bytes"), "{text}");
    }
    let body = &body[1..];
    let declared = format!("HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{body}").leak();
    let chunked =
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n190\r\n{body}\r\n0\r\n\r\n").leak();
    for answer in [declared, chunked] {
        assert_eq!(send_with_limit(answer).await, Ok(400), "{answer}");
    }
}

#[tokio::test]
async fn transport_rejects_compressed_responses() {
    for encoding in ["gzip", "br", "deflate", "zstd", "gzip, gzip"] {
        let answer =
            format!("HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: 2\r\n\r\n{{}}");
        let (kind, _) = send_with_limit(answer.leak()).await.expect_err("compressed");
        assert_eq!(kind, TransportErrorKind::UnsupportedEncoding, "{encoding}");
    }
    let plain = "HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}";
    assert_eq!(send_with_limit(plain).await, Ok(2));
}

#[tokio::test]
async fn transport_times_out_when_the_server_is_silent() {
    assert_eq!(send_error(None, Duration::from_millis(50)).await.0, TransportErrorKind::Timeout);
}

#[tokio::test]
async fn transport_reports_refused_connections_as_connect() {
    let transport = ReqwestTransport::new().expect("a transport");
    // Bound and without a listener: no other socket takes the port.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a port");
    let address = socket.local_addr().expect("its address");
    let error = transport.send(get(address), TIMEOUT).await.expect_err("no server");
    assert_eq!(error.kind(), TransportErrorKind::Connect);
}
