//! Hostile requests, for the built function and for the component.

use std::{collections::BTreeSet, io, time::Duration};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{Delivery, IsolationEnv, SECRETS, TENANT, unix_now, webhook_secret};

const RESPONSE_TIMEOUT: Duration = Duration::from_secs(20);

const HOST: &[u8] = b"host: localhost";
const JSON: &[u8] = b"content-type: application/json";

/// A raw request, and the acceptable statuses of its response.
#[derive(Debug, Clone)]
pub struct HostileRequest {
    /// The description in the message of a failed test.
    pub description: String,
    /// The bytes to send.
    pub bytes: Vec<u8>,
    /// The acceptable statuses.
    pub statuses: &'static [u16],
}

/// The sources of the hostile requests, in addition to a policy with `soar`.
pub fn hostile_sources() -> String {
    format!(
        "[sources.elastic]\ntool = \"elastic\"\ntenants = [\"{TENANT}\"]\n\
         verify = {{ scheme = \"basic\", secret = \"webhooks/elastic\", user = \"elastic\" }}\n\
         [sources.splunk]\ntool = \"splunk\"\ntenants = [\"{TENANT}\"]\n\
         verify = {{ scheme = \"path\", secret = \"webhooks/splunk\" }}\n\
         [sources.vip]\ntool = \"generic\"\ntenants = [\"{TENANT}\"]\napprove = \"always\"\n\
         verify = {{ scheme = \"bearer\", secret = \"webhooks/defender\" }}\n\
         [approve]\nsecret = \"isolation/approval\"\n"
    )
}

/// Sends bytes to an address and returns the status and the whole response. The status is 0
/// without a status line, as in HTTP/0.9.
///
/// # Errors
/// When no response arrives in time.
pub async fn send_bytes(url: &str, bytes: &[u8]) -> io::Result<(u16, String)> {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        // A server may respond and close the connection before all is sent.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let mut part = [0; 4_096];
        while !is_complete(&answer, bytes.starts_with(b"HEAD ")) {
            match stream.read(&mut part).await {
                Ok(0) => break,
                Ok(read) => answer.extend_from_slice(&part[..read]),
                // The response before the error counts.
                Err(_) if !answer.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        let answer = String::from_utf8_lossy(&answer).into_owned();
        if answer.is_empty() {
            return Err(io::Error::other("no response"));
        }
        let status = answer.strip_prefix("HTTP/1.").and_then(|line| line.split(' ').nth(1));
        Ok((status.and_then(|status| status.parse().ok()).unwrap_or_default(), answer))
    };
    tokio::time::timeout(RESPONSE_TIMEOUT, exchange).await.map_err(io::Error::other)?
}

/// Whether the head and the body are complete. For `HEAD`, the length is that of the omitted
/// body.
fn is_complete(answer: &[u8], is_head: bool) -> bool {
    let text = String::from_utf8_lossy(answer).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    match length.and_then(|length| length.trim().parse::<usize>().ok()) {
        _ if is_head => true,
        Some(length) => body.len() >= length,
        // Chunked, or until the end of the connection.
        None => body.ends_with("0\r\n\r\n"),
    }
}

/// A complete request with its length.
fn request(method: &str, target: &str, headers: &[&[u8]], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{method} {target} HTTP/1.1\r\ncontent-length: {}\r\n", body.len()).into_bytes();
    for header in headers {
        bytes.extend_from_slice(header);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// An authenticated request with another body and additional headers.
fn authenticated_request(body: &[u8], more: &[&[u8]]) -> Vec<u8> {
    let secret = Delivery::basic("elastic", "", "elastic", webhook_secret("webhooks/elastic"));
    let authorization = secret.headers.iter().find(|(name, _)| *name == "authorization");
    let line = format!("authorization: {}", authorization.expect("a header").1);
    let mut headers = vec![HOST, line.as_bytes()];
    headers.extend(more);
    request("POST", "/hooks/elastic", &headers, body)
}

/// Hostile requests of every kind. Only those with a password are authenticated, and none names
/// a machine.
pub fn hostile_requests() -> Vec<HostileRequest> {
    let deep = [b"[".repeat(10_000), b"]".repeat(10_000)].concat();
    let deep_object = [br#"{"a":"#.repeat(10_000), b"1".to_vec(), b"}".repeat(10_000)].concat();
    let query = (0..5_000).map(|number| format!("q{number}=%ff")).collect::<Vec<_>>().join("&");
    let path = |path: &str| request("POST", path, &[HOST, JSON], b"{}");
    let hosts: [&[u8]; 5] =
        [b"host: a b", b"host: //\\", b"host: [::1", b"host: \xff\xfe", b"host: x:99999999/../%00?#"];
    let mut requests: Vec<(String, Vec<u8>, &'static [u16])> = vec![
        ("a large body".into(), authenticated_request(&vec![b' '; 2 << 20], &[JSON]), &[413]),
        ("compressed rubbish".into(), authenticated_request(b"\x1f\x8b\x08\x00\xff\xff", &[JSON, b"content-encoding: gzip"]), &[415, 422]),
        ("deep lists".into(), authenticated_request(&deep, &[JSON]), &[200, 202, 422]),
        ("deep objects".into(), authenticated_request(&deep_object, &[JSON]), &[422]),
        ("no type".into(), authenticated_request(b"{}", &[]), &[415]),
        ("a wrong type".into(), authenticated_request(b"{}", &[b"content-type: text/html"]), &[415]),
        ("a type of bytes".into(), authenticated_request(b"{}", &[b"content-type: \xff\xff"]), &[415]),
        ("no JSON".into(), authenticated_request(b"\xff\xfe{}", &[JSON]), &[422]),
        ("an empty body".into(), authenticated_request(b"", &[JSON]), &[200, 202, 422]),
        ("nothing but null".into(), authenticated_request(b"null", &[JSON]), &[422]),
        ("numbers without end".into(), authenticated_request(&[b"{\"a\":1", b"0".repeat(5_000).as_slice(), b"}"].concat(), &[JSON]), &[422]),
        ("a name twice".into(), authenticated_request(b"{}", &[b"authorization: Basic eDp5", JSON]), &[401]),
        ("chunks".into(), b"POST /hooks/soar HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\n{ }\r\n0\r\n\r\n".to_vec(), &[401]),
        ("no length".into(), b"POST /hooks/soar HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(), &[401]),
        ("an old protocol".into(), b"POST /hooks/soar HTTP/1.0\r\n\r\n".to_vec(), &[401]),
        ("no HTTP".into(), b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(), &[400]),
        ("a null".into(), path("/hooks/%00"), &[401]),
        ("two dots".into(), path("/hooks/../../etc/passwd"), &[404]),
        ("dots in escapes".into(), path("/hooks/%2e%2e/%2f"), &[401]),
        ("half an escape".into(), path("/hooks/soar%"), &[401]),
        ("bytes in escapes".into(), path("/hooks/%ff%fe"), &[401]),
        ("slashes".into(), path("////hooks////soar////"), &[401]),
        ("a long path".into(), path(&format!("/{}", "a/".repeat(4_000))), &[404]),
        ("a long query".into(), path(&format!("/hooks/soar?{query}")), &[401]),
        ("a whole address".into(), path("http://a:b@c/hooks/soar"), &[401]),
        ("an approval of nothing".into(), path(&format!("/approvals/iso-{}?{query}", "0".repeat(24))), &[403]),
        ("a wrong approval".into(), path("/approvals/..%2f..?until=99999999999999999999&signature=%00"), &[403]),
        ("a challenge of bytes".into(), request("GET", "/hooks/soar", &[HOST, b"x-okta-verification-challenge: \xff"], b""), &[405]),
    ];
    requests.extend(hosts.iter().map(|host| {
        let what = format!("{}", String::from_utf8_lossy(host));
        (what, request("POST", "/hooks/soar", &[host, JSON], b"{}"), &[400, 401][..])
    }));
    requests
        .extend(["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", "post"].map(
            |method| (method.to_owned(), request(method, "/hooks/soar", &[HOST], b""), &[401, 405][..]),
        ));
    let many: Vec<_> = (0..80).map(|number| format!("x-{number}: {}", "v".repeat(50))).collect();
    let mut headers = vec![HOST, JSON];
    headers.extend(many.iter().map(String::as_bytes));
    requests.push(("many headers".into(), request("POST", "/hooks/soar", &headers, b"{}"), &[401, 431]));
    for control in [0x01_u8, 0x0b, 0x7f] {
        let value = [b"x-sophos-signature: v1=".as_slice(), &[control], b"00"].concat();
        let request = request("POST", "/hooks/soar", &[HOST, JSON, &value], b"{}");
        requests.push((format!("byte {control} in a header"), request, &[400, 401]));
    }
    let request = |(what, bytes, statuses)| HostileRequest { description: what, bytes, statuses };
    requests.into_iter().map(request).collect()
}

/// Deliveries that name a machine without a valid signature. The webhook must reject all.
pub fn forgeries(hostname: &str) -> Vec<(&'static str, Delivery)> {
    let event = |id: &str| json!({ "event_id": id, "target": { "hostname": hostname }, "title": "beacon" });
    let (own, now) = (webhook_secret("webhooks/generic"), unix_now());
    let signed = || Delivery::generic("soar", &event("forged"), own, now);
    let changed = |change: &dyn Fn(&mut Delivery)| {
        let mut delivery = signed();
        change(&mut delivery);
        delivery
    };
    let header = |name: &'static str, value: &'static str| {
        changed(&|delivery| {
            delivery.headers.retain(|(own, _)| *own != name);
            delivery.headers.push((name, value.to_owned()));
        })
    };
    vec![
        ("no proof", Delivery::unsigned("/hooks/soar", event("forged").to_string())),
        ("another key", Delivery::generic("soar", &event("forged"), "another key", now)),
        ("an empty key", Delivery::generic("soar", &event("forged"), "", now)),
        (
            "the key of another source",
            Delivery::generic("soar", &event("forged"), webhook_secret("webhooks/splunk"), now),
        ),
        ("an old signature", Delivery::generic("soar", &event("forged"), own, now - 3_600)),
        ("a signature of tomorrow", Delivery::generic("soar", &event("forged"), own, now + 86_400)),
        ("another body", changed(&|delivery| delivery.body = event("other").to_string())),
        ("one byte more", changed(&|delivery| delivery.body.push(' '))),
        ("another time", header("x-sophos-timestamp", "1")),
        ("an invalid time", header("x-sophos-timestamp", "-1e9")),
        ("an empty signature", header("x-sophos-signature", "")),
        ("a signature without a version", header("x-sophos-signature", "00")),
        ("a short signature", header("x-sophos-signature", "v1=00")),
        ("a signature of another version", header("x-sophos-signature", "v0=00")),
        (
            "a signature that is cut",
            changed(&|delivery| {
                for (name, value) in &mut delivery.headers {
                    if *name == "x-sophos-signature" {
                        value.truncate(value.len() - 2);
                    }
                }
            }),
        ),
        ("another source", changed(&|delivery| delivery.path = "/hooks/elastic".to_owned())),
        ("no source", changed(&|delivery| delivery.path = "/hooks/unknown".to_owned())),
        ("a wrong secret in the path", Delivery::splunk("splunk", &event("forged"), "splunk-secret")),
        ("no secret in the path", Delivery::splunk("splunk", &event("forged"), "")),
        ("a wrong token", Delivery::bearer("vip", &event("forged"), "defender-token")),
        ("an empty token", Delivery::bearer("vip", &event("forged"), "")),
        ("a wrong password", Delivery::basic("elastic", &event("forged").to_string(), "elastic", "x")),
        (
            "a wrong user",
            Delivery::basic(
                "elastic",
                &event("forged").to_string(),
                "Elastic",
                webhook_secret("webhooks/elastic"),
            ),
        ),
    ]
}

impl IsolationEnv {
    /// The texts that no output may contain: secrets, the prefix of tokens, and the
    /// signatures of these deliveries.
    pub fn secrets_to_find(&self, deliveries: &[Delivery]) -> BTreeSet<String> {
        let mut needles: BTreeSet<_> = SECRETS.iter().map(|(_, value)| (*value).to_owned()).collect();
        needles.insert(self.credential().client_secret.clone());
        needles.extend(["eyJhbGci", "Bearer ", "client_secret=", "signature="].map(str::to_owned));
        for (name, value) in deliveries.iter().flat_map(|delivery| &delivery.headers) {
            if name.contains("signature") || *name == "authorization" {
                let part = value.rsplit([' ', '=']).find(|part| part.len() > 8).unwrap_or(value);
                if part.len() > 8 {
                    needles.insert(part.to_owned());
                }
            }
        }
        needles
    }
}
