//! HTTP without a library, for servers that violate the protocol.

use std::io;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// The path of the next request without its query; `None` at the end of the connection.
///
/// # Errors
/// When the connection fails.
pub async fn request_path(stream: &mut TcpStream) -> io::Result<Option<String>> {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(None);
        }
    }
    let request = String::from_utf8_lossy(&request);
    let target = request.split(' ').nth(1).unwrap_or_default();
    Ok(Some(target.split('?').next().unwrap_or_default().to_owned()))
}

/// Sends a response with a body of known length and closes the connection. `head` is the status
/// and further headers, each with its line break.
///
/// # Errors
/// When the connection fails.
pub async fn respond(stream: &mut TcpStream, head: &str, body: &[u8]) -> io::Result<()> {
    let head = format!("HTTP/1.1 {head}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body).await?;
    stream.shutdown().await
}
