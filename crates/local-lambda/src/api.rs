//! The Runtime API as the function sees it.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Instant, SystemTime},
};

use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{Path, State},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::json;
use tokio::sync::{Notify, oneshot, watch};

use crate::{MAX_PAYLOAD_LEN, ids, outcome::InvocationOutcome, process};

/// The state of the function's initialization.
#[derive(Clone, Debug)]
pub(crate) enum Phase {
    Starting,
    /// The function polled for work, for the first time at this instant.
    Ready(Instant),
    Failed(InvocationOutcome),
}

/// One event on its way to the function.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) id: String,
    pub(crate) event: Vec<u8>,
    pub(crate) deadline: SystemTime,
    pub(crate) responder: oneshot::Sender<InvocationOutcome>,
}

/// The state that the handlers and the sandbox share.
#[derive(Debug)]
pub(crate) struct Api {
    arn: String,
    queue: Mutex<VecDeque<Invocation>>,
    queued: Notify,
    running: Mutex<HashMap<String, oneshot::Sender<InvocationOutcome>>>,
    phase: watch::Sender<Phase>,
    pid: Mutex<Option<u32>>,
    peak: AtomicU64,
}

impl Api {
    pub(crate) fn new(arn: String) -> Self {
        Self {
            arn,
            queue: Mutex::default(),
            queued: Notify::new(),
            running: Mutex::default(),
            phase: watch::Sender::new(Phase::Starting),
            pid: Mutex::default(),
            peak: AtomicU64::new(0),
        }
    }

    pub(crate) fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next_invocation))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(invocation_response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(invocation_error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .with_state(self)
    }

    pub(crate) fn phase(&self) -> watch::Receiver<Phase> {
        self.phase.subscribe()
    }

    pub(crate) fn set_pid(&self, pid: u32) {
        *lock(&self.pid) = Some(pid);
    }

    pub(crate) fn has_process(&self) -> bool {
        lock(&self.pid).is_some()
    }

    /// Forgets the process id. The system may reuse it after the process is reaped.
    pub(crate) fn clear_pid(&self) {
        *lock(&self.pid) = None;
    }

    /// The peak memory so far. Each response updates it, because an ended process no longer
    /// reports it.
    pub(crate) fn peak_rss_bytes(&self) -> Option<u64> {
        let now = lock(&self.pid).and_then(process::peak_rss_bytes).unwrap_or(0);
        let before = self.peak.fetch_max(now, Ordering::Relaxed);
        Some(now.max(before)).filter(|bytes| *bytes > 0)
    }

    pub(crate) fn push(&self, invocation: Invocation) {
        lock(&self.queue).push_back(invocation);
        self.queued.notify_one();
    }

    /// Whether the function has received this event.
    pub(crate) fn is_delivered(&self, id: &str) -> bool {
        lock(&self.running).contains_key(id)
    }

    /// The next event whose caller still waits.
    fn pop(&self) -> Option<Invocation> {
        let mut queue = lock(&self.queue);
        std::iter::from_fn(|| queue.pop_front()).find(|invocation| !invocation.responder.is_closed())
    }

    fn finish(&self, id: &str, outcome: InvocationOutcome) -> bool {
        let Some(responder) = lock(&self.running).remove(id) else {
            return false;
        };
        self.peak_rss_bytes();
        // The caller may have dropped the invocation; the function may still finish it.
        let _ = responder.send(outcome);
        true
    }
}

async fn next_invocation(State(api): State<Arc<Api>>) -> Response {
    api.phase.send_if_modified(|phase| {
        let first = matches!(phase, Phase::Starting);
        if first {
            *phase = Phase::Ready(Instant::now());
        }
        first
    });
    let invocation = loop {
        match api.pop() {
            Some(invocation) => break invocation,
            None => api.queued.notified().await,
        }
    };
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (HeaderName::from_static("lambda-runtime-aws-request-id"), invocation.id.clone()),
        (
            HeaderName::from_static("lambda-runtime-deadline-ms"),
            ids::since_epoch(invocation.deadline).as_millis().to_string(),
        ),
        (HeaderName::from_static("lambda-runtime-invoked-function-arn"), api.arn.clone()),
        (HeaderName::from_static("lambda-runtime-trace-id"), ids::trace_id()),
    ];
    lock(&api.running).insert(invocation.id, invocation.responder);
    (headers, invocation.event).into_response()
}

async fn invocation_response(State(api): State<Arc<Api>>, Path(id): Path<String>, body: Body) -> Response {
    // The body is read to its end even if it is too long. A cut connection would hide the
    // error response.
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return error_response(StatusCode::BAD_REQUEST, "InvalidRequest", "incomplete body");
    };
    if body.len() > MAX_PAYLOAD_LEN {
        api.finish(&id, InvocationOutcome::response_too_large(MAX_PAYLOAD_LEN));
        let message = format!("Exceeded maximum allowed payload size ({MAX_PAYLOAD_LEN} bytes).");
        return error_response(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", &message);
    }
    acknowledge(api.finish(&id, InvocationOutcome::from_response(&body)))
}

async fn invocation_error(
    State(api): State<Arc<Api>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    acknowledge(api.finish(&id, InvocationOutcome::from_error(error_type(&headers), &body)))
}

async fn init_error(State(api): State<Arc<Api>>, headers: HeaderMap, body: Body) -> Response {
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let outcome = InvocationOutcome::from_error(error_type(&headers), &body);
    api.phase.send_if_modified(|phase| {
        let starting = matches!(phase, Phase::Starting);
        if starting {
            *phase = Phase::Failed(outcome);
        }
        starting
    });
    acknowledge(true)
}

fn error_type(headers: &HeaderMap) -> Option<&str> {
    headers.get("lambda-runtime-function-error-type")?.to_str().ok()
}

fn acknowledge(known: bool) -> Response {
    if known {
        (StatusCode::ACCEPTED, Json(json!({ "status": "OK" }))).into_response()
    } else {
        error_response(StatusCode::BAD_REQUEST, "InvalidRequestID", "Invalid request ID")
    }
}

fn error_response(status: StatusCode, kind: &str, message: &str) -> Response {
    (status, Json(json!({ "errorType": kind, "errorMessage": message }))).into_response()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
