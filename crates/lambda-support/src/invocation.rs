use std::{process::ExitCode, time::Duration};

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use tracing::Instrument;

use crate::{InvocationError, logging, panic};

/// One invocation of a function.
#[derive(Debug)]
#[non_exhaustive]
pub struct Invocation {
    /// The event.
    pub event: Value,
    /// The id of the invocation.
    pub request_id: String,
    /// The end of the invocation by Lambda, in time since the Unix epoch.
    pub deadline: Duration,
}

/// A Lambda function. Its value lives as long as the sandbox.
pub trait Handler {
    /// Handles one invocation and returns its response.
    ///
    /// # Errors
    /// When the invocation fails; Lambda's caller receives the error.
    fn handle(&self, invocation: Invocation) -> impl Future<Output = Result<Value, InvocationError>>;
}

/// Runs a Lambda function: sets up logging, starts the function, and serves invocations
/// until the sandbox is stopped.
///
/// An error of `start`, such as an invalid configuration, leaves one log record
/// (`init_failed`) and ends the process. An error of an invocation, or a panic in it,
/// leaves one log record (`invocation_failed`) and fails that invocation only.
///
/// Records of `log_targets`, the function's own crates, follow
/// [`LEVEL_VARIABLE`](logging::LEVEL_VARIABLE). Those of other crates are written
/// from `warn` on.
pub async fn run<H: Handler>(
    log_targets: &[&str],
    start: impl Future<Output = Result<H, Error>>,
) -> ExitCode {
    logging::init(log_targets);
    panic::install_hook();
    let served = match start.await {
        Ok(handler) => serve(&handler).await,
        Err(error) => Err(error),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(event = "init_failed", %error, "initialization failed");
            ExitCode::FAILURE
        }
    }
}

async fn serve<H: Handler>(handler: &H) -> Result<(), Error> {
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        let LambdaEvent { payload: event, context } = event;
        let deadline = Duration::from_millis(context.deadline);
        invoke(handler, Invocation { event, request_id: context.request_id, deadline }).await
    }))
    .await
}

/// Handles one invocation. Its log records carry the request's id. A failure or a
/// panic leaves one record.
async fn invoke<H: Handler>(handler: &H, invocation: Invocation) -> Result<Value, InvocationError> {
    let request_id = invocation.request_id.clone();
    let span = tracing::info_span!("invocation", request_id);
    // On the heap: it holds the state of every request that it can make.
    let handling = Box::pin(async { handler.handle(invocation).await });
    let handled = panic::catch(handling.instrument(span.clone())).await;
    let response = handled.unwrap_or_else(|panic| Err(InvocationError::new("Panic", panic)));
    if let Err(error) = &response {
        let error_kind = error.kind();
        span.in_scope(|| {
            tracing::error!(event = "invocation_failed", request_id, error_kind, %error, "the invocation failed");
        });
    }
    response
}

#[cfg(test)]
mod tests {
    use tracing::level_filters::LevelFilter;

    use super::*;
    use crate::logging::tests::LogBuffer;

    struct Failing;

    impl Handler for Failing {
        async fn handle(&self, invocation: Invocation) -> Result<Value, InvocationError> {
            match invocation.event.as_str() {
                Some("fail") => Err(InvocationError::invalid_event("unknown event")),
                Some("panic") => panic!("the queue of {} is gone", "acme"),
                _ => Ok(invocation.event),
            }
        }
    }

    /// The response to an event, and the log records of its invocation.
    fn invoke_with(event: &str) -> (Result<Value, InvocationError>, Vec<Value>) {
        let records = LogBuffer::default();
        let writer = records.clone();
        let subscriber = logging::subscriber(&[], LevelFilter::INFO, move || writer.clone());
        let invocation =
            Invocation { event: event.into(), request_id: "request-1".into(), deadline: Duration::MAX };
        let response = tracing::subscriber::with_default(subscriber, || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let response = runtime.block_on(invoke(&Failing, invocation));
            if let Err(error) = &response {
                // The runtime's own record of the same failure.
                tracing::error!(target: "lambda_runtime::layers::panic", "{error:?}");
            }
            response
        });
        (response, records.records())
    }

    #[test]
    fn invocation_leaves_no_record_when_it_succeeds() {
        let (response, records) = invoke_with("succeed");
        assert_eq!((response, records), (Ok("succeed".into()), vec![]));
    }

    #[test]
    fn invocation_leaves_one_record_when_it_fails() {
        install_hook_once();
        for (event, kind, error) in [
            ("fail", "InvalidEvent", "unknown event".to_owned()),
            ("panic", "Panic", "the queue of acme is gone".to_owned()),
        ] {
            let (response, records) = invoke_with(event);
            let failure = response.expect_err("a failure");
            assert_eq!(failure.kind(), kind);
            let [record] = &records[..] else { panic!("{records:?}") };
            assert_eq!(record["event"], "invocation_failed", "{record}");
            assert_eq!(record["request_id"], "request-1", "{record}");
            assert_eq!(record["error_kind"], kind, "{record}");
            let logged = record["error"].as_str().expect("a text");
            assert!(logged.ends_with(&error) && logged == failure.to_string(), "{record}");
            assert!(!logged.contains("Any"), "{record}");
        }
        let (response, _) = invoke_with("panic");
        let error = response.expect_err("a failure").to_string();
        assert!(error.starts_with("panicked at crates/lambda-support/src/invocation.rs:"), "{error}");
    }

    /// Installs the hook without silencing the panics of failing tests.
    fn install_hook_once() {
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| {
            let print = std::panic::take_hook();
            panic::install_hook();
            let record = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |info| {
                record(info);
                print(info);
            }));
        });
    }
}
