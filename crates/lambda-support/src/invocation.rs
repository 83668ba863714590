use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::Serialize;
use serde_json::Value;
use tracing::Instrument;

use crate::InvocationError;

/// What a function is invoked with.
#[derive(Debug)]
#[non_exhaustive]
pub struct Invocation {
    /// The event.
    pub event: Value,
    /// Names the invocation.
    pub request_id: String,
    /// When Lambda ends it, in time since the Unix epoch.
    pub deadline: Duration,
}

/// Serves invocations one after the other, until the sandbox is stopped. What
/// `handle` logs has the invocation's id, and so has the record of its failure.
///
/// # Errors
/// When the Runtime API cannot be reached.
pub async fn serve<H, F, A>(handle: H) -> Result<(), Error>
where
    H: Fn(Invocation) -> F,
    F: Future<Output = Result<A, InvocationError>>,
    A: Serialize,
{
    let handle = &handle;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        let LambdaEvent { payload: event, context } = event;
        let span = tracing::info_span!("invocation", request_id = context.request_id);
        let deadline = Duration::from_millis(context.deadline);
        let invocation = Invocation { event, request_id: context.request_id, deadline };
        // On the heap: it holds the state of every request that it can make.
        let outcome = Box::pin(handle(invocation)).instrument(span.clone()).await;
        if let Err(error) = &outcome {
            span.in_scope(|| tracing::error!(event = "invocation_failed", %error, error_kind = error.kind(), "the invocation failed"));
        }
        outcome
    }))
    .await
}
