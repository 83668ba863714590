//! What S3 answers when an object that must not be there is written: that it is
//! there, or that another request for it is under way. The server is on loopback,
//! and answers what it is told to.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
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

const CONFLICT: (u16, &str) = (409, "ConditionalRequestConflict");
const THERE: (u16, &str) = (412, "PreconditionFailed");
const WRITTEN: (u16, &str) = (200, "");

/// A bucket whose server answers each write in turn, the last answer for ever, and
/// the bodies of the writes.
async fn bucket(answers: &'static [(u16, &'static str)]) -> (Store, Arc<Mutex<Vec<Bytes>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let writes = Arc::<Mutex<Vec<Bytes>>>::default();
    let seen = Arc::clone(&writes);
    let answer = move |request: Request<Incoming>| {
        let seen = Arc::clone(&seen);
        async move {
            assert_eq!((request.method(), request.uri().path()), (&Method::PUT, "/bucket/prefix/a"));
            assert_eq!(request.headers()["if-none-match"], "*");
            let body = request.into_body().collect().await.expect("a body").to_bytes();
            let mut seen = seen.lock().expect("no panic");
            let (status, code) = answers[seen.len().min(answers.len() - 1)];
            seen.push(body);
            let body = Full::<Bytes>::from(format!("<Error><Code>{code}</Code></Error>"));
            let answer = Response::builder().status(status).header("etag", "\"1\"").body(body);
            Ok::<_, Infallible>(answer.expect("an answer"))
        }
    };
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let connection =
                http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer.clone()));
            tokio::spawn(connection);
        }
    });
    // No other timer than those of the store: the clock of these tests moves to the
    // next one whenever everybody waits.
    let options = ClientOptions::new().with_timeout_disabled().with_connect_timeout_disabled();
    let builder = AmazonS3Builder::new()
        .with_endpoint(format!("http://{address}"))
        .with_client_options(options.with_allow_http(true))
        .with_allow_http(true)
        .with_region("eu-west-1")
        .with_access_key_id("AKIALOOPBACK")
        .with_secret_access_key("a-secret-key-of-the-tests");
    (Store::in_bucket(builder, "s3://bucket/prefix").expect("a bucket"), writes)
}

async fn create(answers: &'static [(u16, &'static str)]) -> (Result<bool, StoreError>, usize) {
    let (store, writes) = bucket(answers).await;
    let created = store.create("a", b"one".to_vec()).await;
    let writes = writes.lock().expect("no panic");
    assert!(writes.iter().all(|body| body == "one"), "{writes:?}");
    (created, writes.len())
}

#[tokio::test(start_paused = true)]
async fn a_write_that_meets_another_is_repeated() {
    for (answers, created) in [
        (&[CONFLICT, WRITTEN][..], true),
        (&[CONFLICT, CONFLICT, CONFLICT, WRITTEN], true),
        // The other one has written it.
        (&[CONFLICT, THERE], false),
    ] {
        let (outcome, writes) = create(answers).await;
        assert_eq!((outcome.expect("an answer"), writes), (created, answers.len()), "{answers:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_there_is_there_at_once() {
    for (answers, created) in [(&[THERE][..], false), (&[WRITTEN], true)] {
        let (outcome, writes) = create(answers).await;
        assert_eq!((outcome.expect("an answer"), writes), (created, 1), "{answers:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn writes_that_always_meet_another_are_no_answer() {
    let begun = tokio::time::Instant::now();
    let (outcome, writes) = create(&[CONFLICT]).await;
    let error = outcome.expect_err("nothing is known");
    assert!(matches!(&error, StoreError::Conflict { path } if path == "prefix/a"), "{error:?}");
    assert!(
        error.to_string().contains("prefix/a are under way (409 ConditionalRequestConflict); try again"),
        "{error}"
    );
    assert_eq!((writes, begun.elapsed().as_millis()), (6, 1_550), "each waits twice as long");
}
