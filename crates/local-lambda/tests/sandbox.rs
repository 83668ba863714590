//! Tests of a function binary under the local Runtime API.

mod support;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use local_lambda::{InvocationOutcome, LambdaFunction, LogSink, MAX_PAYLOAD_LEN, Sandbox, StartError};
use serde_json::{Value, json};

use crate::support::echo_function;

async fn start_echo() -> Sandbox {
    echo_function().start().await.expect("the function starts")
}

#[tokio::test]
async fn invoke_returns_the_response() {
    let mut sandbox = start_echo().await;
    for number in 0..50 {
        let event = json!({ "number": number });
        assert_eq!(sandbox.invoke(&event).await, InvocationOutcome::Ok(event));
    }
    assert!(sandbox.init_duration() > Duration::ZERO);
    assert!(sandbox.init_duration() < Duration::from_secs(10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sandboxes_run_in_parallel() {
    let tasks =
        (0..4).map(|number| tokio::spawn(async move { start_echo().await.invoke(&json!(number)).await }));
    for (number, task) in tasks.collect::<Vec<_>>().into_iter().enumerate() {
        assert_eq!(task.await.unwrap(), InvocationOutcome::Ok(json!(number)));
    }
}

#[tokio::test]
async fn sandbox_keeps_running_after_a_function_error() {
    let mut sandbox = start_echo().await;
    let pid = sandbox.pid();
    let InvocationOutcome::FunctionError { message, body, .. } = sandbox.invoke(&json!({"do": "fail"})).await
    else {
        panic!("not an error");
    };
    assert_eq!(message, "the disk is full");
    assert_eq!(body["errorMessage"], "the disk is full");
    assert_eq!(sandbox.invoke(&json!("next")).await, InvocationOutcome::Ok(json!("next")));
    assert_eq!(sandbox.pid(), pid);
}

#[tokio::test]
async fn panic_is_reported_as_a_function_error() {
    let mut sandbox = start_echo().await;
    let outcome = sandbox.invoke(&json!({"do": "panic"})).await;
    let InvocationOutcome::FunctionError { message, .. } = outcome else { panic!("{outcome:?}") };
    assert!(message.contains("a bug"), "{message}");
    assert_eq!(sandbox.invoke(&json!("next")).await, InvocationOutcome::Ok(json!("next")));
}

#[tokio::test]
async fn sandbox_stays_stopped_after_an_exit() {
    let mut sandbox = start_echo().await;
    let gone = InvocationOutcome::Exited { code: Some(3), signal: None };
    assert_eq!(sandbox.invoke(&json!({"do": "exit"})).await, gone);
    let not_running = InvocationOutcome::NotRunning { code: Some(3), signal: None };
    assert_eq!(sandbox.invoke(&json!(1)).await, not_running);
    assert_eq!(sandbox.stop().await.code, Some(3));
}

#[tokio::test]
async fn exit_outcome_distinguishes_signal_from_code() {
    let mut sandbox = start_echo().await;
    let aborted = InvocationOutcome::Exited { code: None, signal: Some(6) };
    assert_eq!(sandbox.invoke(&json!({"do": "abort"})).await, aborted);
}

#[tokio::test]
async fn invoke_reports_not_running_after_an_idle_exit() {
    let mut sandbox = start_echo().await;
    let outcome = sandbox.invoke(&json!({"do": "leave later"})).await;
    assert_eq!(outcome, InvocationOutcome::Ok(json!("soon")));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let not_running = InvocationOutcome::NotRunning { code: Some(0), signal: None };
    assert_eq!(sandbox.invoke(&json!(1)).await, not_running);
}

#[tokio::test]
async fn kill_takes_effect_immediately() {
    let mut sandbox = start_echo().await;
    sandbox.kill();
    let not_running = InvocationOutcome::NotRunning { code: None, signal: Some(9) };
    assert_eq!(sandbox.invoke(&json!(1)).await, not_running);
    assert_eq!(sandbox.stop().await.signal, Some(9));
}

#[tokio::test]
async fn process_is_killed_only_after_its_deadline() {
    let mut sandbox = start_echo().await;
    let sleep = json!({"do": "sleep", "ms": 300});
    assert_eq!(sandbox.invoke(&sleep).await, InvocationOutcome::Ok(json!("awake")));

    let remaining = Duration::from_millis(200);
    let begin = Instant::now();
    let forever = json!({"do": "sleep", "ms": 60_000});
    assert_eq!(sandbox.invoke_with_deadline(&forever, remaining).await, InvocationOutcome::TimedOut);
    assert!(begin.elapsed() >= remaining);
    assert!(begin.elapsed() < Duration::from_secs(5));
    let not_running = InvocationOutcome::NotRunning { code: None, signal: Some(9) };
    assert_eq!(sandbox.invoke(&json!(1)).await, not_running);
}

#[tokio::test]
async fn cancelled_invocation_does_not_answer_the_next() {
    let mut sandbox = start_echo().await;
    let slow = json!({"do": "sleep", "ms": 300});
    let given_up = tokio::time::timeout(Duration::from_millis(100), sandbox.invoke(&slow)).await;
    assert!(given_up.is_err());
    assert_eq!(sandbox.invoke(&json!("mine")).await, InvocationOutcome::Ok(json!("mine")));
}

#[tokio::test]
async fn function_receives_its_name_arn_and_deadline() {
    let mut sandbox = echo_function().name("exporter").env("AWS_REGION", "eu-west-1").start().await.unwrap();
    let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let remaining = Duration::from_secs(20);
    let event = json!({"do": "context"});
    let first = sandbox.invoke_with_deadline(&event, remaining).await.ok().unwrap();
    let second = sandbox.invoke(&event).await.ok().unwrap();

    assert_eq!(first["arn"], "arn:aws:lambda:eu-west-1:123456789012:function:exporter");
    let deadline = Duration::from_millis(first["deadline"].as_u64().unwrap());
    assert!(deadline + Duration::from_millis(1) >= before + remaining);
    assert!(deadline < before + remaining + Duration::from_secs(5));
    assert!(first["remaining"].as_u64().unwrap() <= 20_000);
    assert!(second["remaining"].as_u64().unwrap() <= 10_000);
    assert_ne!(first["request"], second["request"]);
    assert_ne!(first["trace"], second["trace"]);
    assert!(first["trace"].as_str().unwrap().starts_with("Root=1-"));
}

#[tokio::test]
async fn environment_contains_only_lambda_and_caller_variables() {
    let mut sandbox = echo_function()
        .memory_mb(512)
        .env("DATASETS", "alerts")
        .envs([("TZ", "Europe/Rome")])
        .env("TAKEN", "back")
        .env_remove("TAKEN")
        .env_remove("AWS_SESSION_TOKEN")
        .start()
        .await
        .unwrap();
    let environment = sandbox.invoke(&json!({"do": "environment"})).await.ok().unwrap();
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_NAME"], "echo");
    assert_eq!(environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "512");
    assert_eq!(environment["_HANDLER"], "bootstrap");
    assert_eq!(environment["DATASETS"], "alerts");
    assert_eq!(environment["TZ"], "Europe/Rome");
    for absent in ["TAKEN", "AWS_SESSION_TOKEN", "CARGO_MANIFEST_DIR", "HOME"] {
        assert_eq!(environment[absent], Value::Null, "{absent}");
    }
}

#[tokio::test]
async fn payloads_above_the_lambda_limit_are_rejected() {
    let mut sandbox = start_echo().await;
    // Two bytes of the response are its quotes.
    let fits = json!({"do": "large", "bytes": MAX_PAYLOAD_LEN - 2});
    assert!(sandbox.invoke(&fits).await.ok().is_some());

    let over = json!({"do": "large", "bytes": MAX_PAYLOAD_LEN - 1});
    let outcome = sandbox.invoke(&over).await;
    let InvocationOutcome::FunctionError { kind, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(kind, "Function.ResponseSizeTooLarge");

    let event = json!("x".repeat(MAX_PAYLOAD_LEN));
    let too_large = InvocationOutcome::EventTooLarge { bytes: MAX_PAYLOAD_LEN + 2 };
    assert_eq!(sandbox.invoke(&event).await, too_large);
    assert_eq!(sandbox.invoke(&json!("next")).await, InvocationOutcome::Ok(json!("next")));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn peak_rss_includes_memory_freed_since() {
    const BYTES: u64 = 64 << 20;
    let mut sandbox = start_echo().await;
    let before = sandbox.peak_rss_bytes().unwrap();
    assert!(before < BYTES, "{before}");
    let allocate = json!({"do": "allocate", "bytes": BYTES});
    assert_eq!(sandbox.invoke(&allocate).await, InvocationOutcome::Ok(json!(BYTES)));
    assert!(sandbox.peak_rss_bytes().unwrap() > BYTES);
    sandbox.invoke(&json!({"do": "exit"})).await;
    assert!(sandbox.stop().await.peak_rss_bytes.unwrap() > BYTES);
}

#[tokio::test]
async fn log_contains_all_lines_written_before_the_response() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = LogSink::callback({
        let heard = heard.clone();
        move |line| heard.lock().unwrap().push(line.to_owned())
    });
    let mut sandbox = echo_function().log_to(sink).start().await.unwrap();
    sandbox.invoke(&json!({"do": "nothing"})).await;
    let expected = ["starting", "doing \"nothing\""];
    assert_eq!(sandbox.logs(), expected);
    assert_eq!(*heard.lock().unwrap(), expected);
    assert_eq!(sandbox.stop().await.logs, expected);
}

#[tokio::test]
async fn stop_sends_sigterm_before_killing() {
    let stopped = start_echo().await.stop().await;
    assert_eq!((stopped.code, stopped.signal), (None, Some(15)));
    assert_eq!(stopped.logs, ["starting"]);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn dropping_a_sandbox_kills_the_process() {
    let sandbox = start_echo().await;
    let path = PathBuf::from(format!("/proc/{}", sandbox.pid()));
    drop(sandbox);
    for _ in 0..100 {
        let status = std::fs::read_to_string(path.join("status")).unwrap_or_default();
        if status.is_empty() || status.contains("State:\tZ") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("still running");
}

#[tokio::test]
async fn start_error_names_the_cause() {
    let missing = LambdaFunction::new("/nonexistent/function").start().await.unwrap_err();
    assert!(matches!(missing, StartError::Spawn { .. }), "{missing:?}");
    assert!(missing.to_string().contains("/nonexistent/function"), "{missing}");

    let exited = echo_function().env("START_BEHAVIOR", "exit").start().await.unwrap_err();
    assert!(matches!(exited, StartError::Exited { code: Some(7), .. }), "{exited:?}");
    assert_eq!(exited.logs(), ["starting", "no configuration"]);
    assert!(exited.to_string().contains("no configuration"), "{exited}");

    let reported = echo_function().env("START_BEHAVIOR", "report").start().await.unwrap_err();
    let StartError::Init { kind, message, .. } = &reported else { panic!("{reported:?}") };
    assert_eq!((kind.as_str(), message.as_str()), ("Config.Missing", "no bucket"));

    let patience = Duration::from_millis(300);
    let hung =
        echo_function().env("START_BEHAVIOR", "hang").init_timeout(patience).start().await.unwrap_err();
    assert!(matches!(hung, StartError::TimedOut { .. }), "{hung:?}");
}
