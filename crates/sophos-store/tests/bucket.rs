//! Writes to a bucket whose server is on loopback and gives scripted responses: an
//! existing object, a conflict, a busy server, a store that ignores conditions.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use object_store::{ClientOptions, aws::AmazonS3Builder};
use sophos_store::{Store, StoreError};
use tokio::net::TcpListener;

const CONFLICT: ScriptedResponse = ScriptedResponse::Status(409, "ConditionalRequestConflict");
const PRECONDITION_FAILED: ScriptedResponse = ScriptedResponse::Status(412, "PreconditionFailed");
const SLOW_DOWN: ScriptedResponse = ScriptedResponse::Status(503, "SlowDown");
const DENIED: ScriptedResponse = ScriptedResponse::Status(403, "AccessDenied");
const OK: ScriptedResponse = ScriptedResponse::Status(200, "");

const PROBE: &str = "/bucket/prefix/_probe/if-none-match";

#[derive(Debug, Clone, Copy)]
enum ScriptedResponse {
    Status(u16, &'static str),
    /// The connection ends without a response.
    ConnectionDropped,
    /// No response; the connection stays open.
    Hanging,
}

/// More than the default number of attempts.
static SLOW_DOWN_MANY_TIMES: [ScriptedResponse; 21] = {
    let mut responses = [SLOW_DOWN; 21];
    responses[20] = OK;
    responses
};

/// The received writes, each with its path and its body.
type Writes = Arc<Mutex<Vec<(String, Bytes)>>>;

fn count_writes(writes: &Writes, path: &str) -> usize {
    writes.lock().expect("no panic").iter().filter(|(at, _)| at == path).count()
}

/// A bucket whose server has scripted responses for writes of `a` and for the probe. The
/// last response repeats.
async fn bucket(
    responses: &'static [ScriptedResponse],
    probe: &'static [ScriptedResponse],
) -> (Store, Writes) {
    // No other timer than those of the store: the clock of these tests moves to the
    // next one whenever all tasks wait.
    let options = ClientOptions::new().with_timeout_disabled().with_connect_timeout_disabled();
    serve(responses, probe, options).await
}

async fn serve(
    responses: &'static [ScriptedResponse],
    probe: &'static [ScriptedResponse],
    options: ClientOptions,
) -> (Store, Writes) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let writes = Writes::default();
    let recorded = Arc::clone(&writes);
    let respond = move |request: Request<Incoming>| {
        let recorded = Arc::clone(&recorded);
        async move {
            let path = request.uri().path().to_owned();
            assert_eq!(request.method(), Method::PUT);
            assert_eq!(request.headers()["if-none-match"], "*");
            assert!(request.headers().contains_key("x-amz-checksum-sha256"));
            let body = request.into_body().collect().await.expect("a body").to_bytes();
            let responses = if path == PROBE { probe } else { responses };
            let scripted = responses[count_writes(&recorded, &path).min(responses.len() - 1)];
            recorded.lock().expect("no panic").push((path, body));
            let (status, code) = match scripted {
                ScriptedResponse::Status(status, code) => (status, code),
                ScriptedResponse::ConnectionDropped => return Err(io::Error::other("no response")),
                ScriptedResponse::Hanging => std::future::pending().await,
            };
            let body = Full::<Bytes>::from(format!("<Error><Code>{code}</Code></Error>"));
            let response = Response::builder().status(status).header("etag", "\"1\"").body(body);
            Ok(response.expect("a response"))
        }
    };
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let connection =
                http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(respond.clone()));
            tokio::spawn(connection);
        }
    });
    let builder = AmazonS3Builder::new()
        .with_endpoint(format!("http://{address}"))
        .with_client_options(options.with_allow_http(true))
        .with_allow_http(true)
        .with_region("eu-west-1")
        .with_access_key_id("AKIALOOPBACK")
        .with_secret_access_key("a-secret-key-of-the-tests");
    (
        Store::from_s3_builder(builder, "s3://bucket/prefix", Duration::from_secs(45)).expect("a bucket"),
        writes,
    )
}

async fn create(responses: &'static [ScriptedResponse]) -> (Result<bool, StoreError>, usize) {
    let (store, writes) = bucket(responses, &[PRECONDITION_FAILED]).await;
    let created = store.create("a", b"one".to_vec()).await;
    let writes = writes.lock().expect("no panic");
    let own: Vec<_> = writes.iter().filter(|(path, _)| path == "/bucket/prefix/a").collect();
    assert!(own.iter().all(|(_, body)| body == "one"), "{writes:?}");
    (created, own.len())
}

#[tokio::test(start_paused = true)]
async fn create_retries_a_conflict() {
    for (responses, created) in [
        (&[CONFLICT, OK][..], true),
        (&[CONFLICT, CONFLICT, CONFLICT, OK], true),
        // The concurrent request has written the object.
        (&[CONFLICT, PRECONDITION_FAILED], false),
    ] {
        let (outcome, writes) = create(responses).await;
        assert_eq!((outcome.expect("a response"), writes), (created, responses.len()), "{responses:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn create_does_not_retry_a_definite_response() {
    for (responses, created) in [(&[PRECONDITION_FAILED][..], false), (&[OK], true)] {
        let (outcome, writes) = create(responses).await;
        assert_eq!((outcome.expect("a response"), writes), (created, 1), "{responses:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn create_fails_after_repeated_conflicts() {
    let begun = tokio::time::Instant::now();
    let (outcome, writes) = create(&[CONFLICT]).await;
    let error = outcome.expect_err("nothing is known");
    assert!(matches!(&error, StoreError::Conflict { path } if path == "prefix/a"), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("writing prefix/a failed: concurrent requests (409 ConditionalRequestConflict); retry"),
        "{error}"
    );
    assert_eq!((writes, begun.elapsed().as_millis()), (6, 1_550), "each waits twice as long");
}

#[tokio::test(start_paused = true)]
async fn store_probes_the_bucket_once_before_the_first_write() {
    for (probe, requests) in [
        (&[OK, PRECONDITION_FAILED][..], 2),
        (&[PRECONDITION_FAILED], 1),
        (&[CONFLICT, PRECONDITION_FAILED], 2),
        (&[SLOW_DOWN, OK, CONFLICT, PRECONDITION_FAILED], 4),
    ] {
        let (store, writes) = bucket(&[OK], probe).await;
        let clone = store.clone();
        let both = tokio::join!(store.create("a", Vec::new()), clone.create("b", Vec::new()));
        assert!(both.0.expect("created") && both.1.expect("created"));
        assert!(store.create("c", Vec::new()).await.expect("created"));
        assert_eq!(count_writes(&writes, PROBE), requests, "{probe:?}");
        assert_eq!(writes.lock().expect("no panic")[0].0, PROBE, "before all else");
    }
}

#[tokio::test(start_paused = true)]
async fn store_rejects_a_bucket_that_ignores_conditions() {
    let (store, writes) = bucket(&[OK], &[OK]).await;
    for error in [
        store.create("a", Vec::new()).await.expect_err("refused"),
        store.write("a", Vec::new()).await.expect_err("refused"),
    ] {
        assert!(
            matches!(&error, StoreError::ConditionalWritesUnsupported { url } if url == "s3://bucket/prefix"),
            "{error:?}"
        );
        assert!(error.to_string().contains("ignores If-None-Match; use Amazon S3"), "{error}");
    }
    assert_eq!(count_writes(&writes, "/bucket/prefix/a"), 0, "nothing was overwritten");
}

#[tokio::test(start_paused = true)]
async fn probe_error_names_the_missing_permission() {
    let (store, _) = bucket(&[OK], &[DENIED]).await;
    let error = store.create("a", Vec::new()).await.expect_err("denied").to_string();
    assert!(error.contains("conditional writes at prefix/_probe/if-none-match failed"), "{error}");
    assert!(error.ends_with("allow s3:PutObject there"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn store_retries_slow_down_by_time_not_by_count() {
    let begun = tokio::time::Instant::now();
    let (outcome, writes) = create(&SLOW_DOWN_MANY_TIMES).await;
    assert_eq!((outcome.expect("it is not busy for ever"), writes), (true, SLOW_DOWN_MANY_TIMES.len()));
    // The longest outage of a bucket, and the number of requests meanwhile.
    assert!(begun.elapsed().as_secs() > 5, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn create_retries_when_the_response_is_lost() {
    for (responses, created) in [
        (&[ScriptedResponse::Hanging, OK][..], true),
        (&[ScriptedResponse::ConnectionDropped, OK], true),
        // The first request succeeded, and its response was lost.
        (&[ScriptedResponse::Hanging, PRECONDITION_FAILED], false),
    ] {
        let options = ClientOptions::new().with_timeout(Duration::from_millis(300));
        let (store, writes) = serve(responses, &[PRECONDITION_FAILED], options).await;
        let outcome = store.create("a", Vec::new()).await;
        assert_eq!(outcome.expect("a response"), created, "{responses:?}");
        assert_eq!(count_writes(&writes, "/bucket/prefix/a"), responses.len(), "{responses:?}");
    }
}
