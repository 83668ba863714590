//! Tests of endless responses of a service or gateway: the function reports the error, and fits
//! into Lambda's smallest memory.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use end_to_end::{TestEnv, raw_http};
use flate2::{Compression, write::GzEncoder};
use local_lambda::InvocationOutcome;
use serde_json::{Value, json};
use sophos_simulator::{Config, CredentialConfig, CredentialKind, Owner, Role, TenantGroup};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};

const TENANTS: usize = 4;

/// Of 128 MB; the rest is for Lambda's own processes.
const MAX_RSS: u64 = 110 << 20;

/// The response of the feed.
#[derive(Clone)]
enum FeedResponse {
    /// A declared length, and as many bytes as the client reads.
    Declared(u64),
    /// Endless chunks.
    Endless,
    /// A complete response: status, headers and body.
    Complete(&'static str, Arc<Vec<u8>>),
}

#[derive(Clone)]
struct OversizedServer {
    feed: Arc<Mutex<FeedResponse>>,
    address: String,
}

impl OversizedServer {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("its address"));
        let giant = Self { feed: Arc::new(Mutex::new(FeedResponse::Endless)), address };
        let serving = giant.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let giant = serving.clone();
                // The function closes a connection after it has read enough.
                tokio::spawn(async move { drop(giant.respond(stream).await) });
            }
        });
        giant
    }

    async fn respond(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let Some(path) = raw_http::request_path(&mut stream).await? else { return Ok(()) };
        let tenant = |number: usize| json!({ "id": format!("0afef0e6-5df7-4cc0-b8d4-068cfd6820d{number}"), "apiHost": self.address });
        let small = match path.as_str() {
            "/api/v2/oauth2/token" => json!({ "access_token": "opaque-access-token", "expires_in": 3600 }),
            "/whoami/v1" => json!({
                "id": "5ac55058-622d-4929-8e5d-8ff554f312fe", "idType": "partner",
                "apiHosts": { "global": self.address },
            }),
            "/partner/v1/tenants" => json!({
                "items": (0..TENANTS).map(tenant).collect::<Vec<_>>(), "pages": { "current": 1, "total": 1 },
            }),
            _ => Value::Null,
        };
        let feed = self.feed.lock().expect("a feed").clone();
        match feed {
            _ if !small.is_null() => {
                raw_http::respond(&mut stream, "200 OK\r\n", small.to_string().as_bytes()).await
            }
            FeedResponse::Complete(status, body) => raw_http::respond(&mut stream, status, &body).await,
            FeedResponse::Declared(length) => {
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
                stream.write_all(head.as_bytes()).await?;
                write_endless(&mut stream, &[b' '; 65_536]).await
            }
            FeedResponse::Endless => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await?;
                let chunk = [b"10000\r\n".as_slice(), &[b' '; 65_536], b"\r\n"].concat();
                write_endless(&mut stream, &chunk).await
            }
        }
    }
}

async fn write_endless(stream: &mut TcpStream, part: &[u8]) -> std::io::Result<()> {
    loop {
        stream.write_all(part).await?;
    }
}

/// A compressed gigabyte of spaces.
fn gzip_bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let part = vec![b' '; 1 << 20];
    for _ in 0..1_024 {
        encoder.write_all(&part).expect("memory");
    }
    encoder.finish().expect("memory")
}

/// The largest page that the export reads by default, full of events.
fn max_size_page() -> Vec<u8> {
    let event = |number: usize| {
        json!({
            "id": format!("event-{number}"), "created_at": "2026-11-23T09:00:00.000Z", "type": "Event::Test",
            "name": "x".repeat(150),
        })
    };
    let items: Vec<_> = (0..20_000).map(event).collect();
    let mut page = json!({ "items": items, "has_more": false, "next_cursor": "c" }).to_string().into_bytes();
    assert!(page.len() < 6 << 20, "{}", page.len());
    page.resize(6 << 20, b' ');
    page
}

#[tokio::test(flavor = "multi_thread")]
async fn export_survives_giant_responses_in_128_mb() {
    let config = Config {
        tenants: vec![TenantGroup::new(Owner::Partner, 1)],
        credentials: vec![CredentialConfig::new(CredentialKind::Partner, Role::ReadOnly)],
        ..Config::default()
    };
    let env = TestEnv::start(config, CredentialKind::Partner).await.expect("a simulator");
    let giant = OversizedServer::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let function = env.export_function(&folder.path().to_string_lossy());
    let function =
        function.env("SOPHOS_IDENTITY_URL", &giant.address).env("SOPHOS_GLOBAL_URL", &giant.address);
    let mut sandbox = function.start().await.expect("the function starts");
    let pid = sandbox.pid();

    let odd = format!(r#"{{"error":[{}0],"message":"{}"}}"#, "0,".repeat(2 << 20), "x".repeat(1 << 20));
    let feeds = [
        ("a gigabyte", FeedResponse::Declared(1 << 30), "too large: more than 6291456 bytes"),
        ("a little too much", FeedResponse::Declared((6 << 20) + 1), "too large: more than 6291456 bytes"),
        ("no end", FeedResponse::Endless, "too large: more than 6291456 bytes"),
        (
            "a bomb",
            FeedResponse::Complete("200 OK\r\ncontent-encoding: gzip\r\n", gzip_bomb().into()),
            "unreadable: unexpected compression",
        ),
        ("a large error", FeedResponse::Complete("403 Forbidden\r\n", odd.into_bytes().into()), "(403): xxx"),
        ("the longest page", FeedResponse::Complete("200 OK\r\n", max_size_page().into()), ""),
    ];
    for (what, feed, expected) in feeds {
        *giant.feed.lock().expect("a feed") = feed;
        match sandbox.invoke(&TestEnv::schedule_event()).await {
            InvocationOutcome::Ok(report) if expected.is_empty() => {
                let all = report["streams"].as_array().map(Vec::len).unwrap_or_default();
                assert_eq!((all, &report["failed"]), (2 * TENANTS, &json!(0)), "{what}: {report}");
            }
            InvocationOutcome::FunctionError { message, .. } if !expected.is_empty() => {
                assert!(message.contains(expected), "{what}: {message}");
            }
            outcome => panic!("{what}: {outcome:?}"),
        }
        let peak = sandbox.peak_rss_bytes();
        assert!(peak.is_none_or(|peak| peak < MAX_RSS), "{what}: {peak:?}");
        println!("{what}: {peak:?}");
    }
    assert_eq!(sandbox.pid(), pid);
}
