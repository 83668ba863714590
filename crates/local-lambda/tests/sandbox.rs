//! A real function binary under the local Runtime API.

mod support;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use local_lambda::{Function, Outcome, PAYLOAD_LIMIT, Sandbox, Sink, StartError};
use serde_json::{Value, json};

use crate::support::echo;

async fn started() -> Sandbox {
    echo().start().await.expect("the function starts")
}

#[tokio::test]
async fn answers_come_back() {
    let mut sandbox = started().await;
    for number in 0..50 {
        let event = json!({ "number": number });
        assert_eq!(sandbox.invoke(&event).await, Outcome::Ok(event));
    }
    assert!(sandbox.init_duration() > Duration::ZERO);
    assert!(sandbox.init_duration() < Duration::from_secs(10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sandboxes_run_side_by_side() {
    let tasks =
        (0..4).map(|number| tokio::spawn(async move { started().await.invoke(&json!(number)).await }));
    for (number, task) in tasks.collect::<Vec<_>>().into_iter().enumerate() {
        assert_eq!(task.await.unwrap(), Outcome::Ok(json!(number)));
    }
}

#[tokio::test]
async fn an_error_leaves_the_sandbox_running() {
    let mut sandbox = started().await;
    let pid = sandbox.pid();
    let Outcome::FunctionError { message, body, .. } = sandbox.invoke(&json!({"do": "fail"})).await else {
        panic!("not an error");
    };
    assert_eq!(message, "the disk is full");
    assert_eq!(body["errorMessage"], "the disk is full");
    assert_eq!(sandbox.invoke(&json!("next")).await, Outcome::Ok(json!("next")));
    assert_eq!(sandbox.pid(), pid);
}

#[tokio::test]
async fn a_panic_is_a_function_error() {
    let mut sandbox = started().await;
    let outcome = sandbox.invoke(&json!({"do": "panic"})).await;
    let Outcome::FunctionError { message, .. } = outcome else { panic!("{outcome:?}") };
    assert!(message.contains("this is a bug"), "{message}");
    assert_eq!(sandbox.invoke(&json!("next")).await, Outcome::Ok(json!("next")));
}

#[tokio::test]
async fn an_exit_ends_the_sandbox_for_good() {
    let mut sandbox = started().await;
    let gone = Outcome::Exited { code: Some(3), signal: None };
    assert_eq!(sandbox.invoke(&json!({"do": "exit"})).await, gone);
    let not_running = Outcome::NotRunning { code: Some(3), signal: None };
    assert_eq!(sandbox.invoke(&json!(1)).await, not_running);
    assert_eq!(sandbox.stop().await.code, Some(3));
}

#[tokio::test]
async fn a_signal_is_told_apart_from_a_code() {
    let mut sandbox = started().await;
    let aborted = Outcome::Exited { code: None, signal: Some(6) };
    assert_eq!(sandbox.invoke(&json!({"do": "abort"})).await, aborted);
}

#[tokio::test]
async fn an_exit_between_events_does_not_swallow_one() {
    let mut sandbox = started().await;
    let outcome = sandbox.invoke(&json!({"do": "leave later"})).await;
    assert_eq!(outcome, Outcome::Ok(json!("soon")));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let not_running = Outcome::NotRunning { code: Some(0), signal: None };
    assert_eq!(sandbox.invoke(&json!(1)).await, not_running);
}

#[tokio::test]
async fn a_kill_takes_effect_at_once() {
    let mut sandbox = started().await;
    sandbox.kill();
    let not_running = Outcome::NotRunning { code: None, signal: Some(9) };
    assert_eq!(sandbox.invoke(&json!(1)).await, not_running);
    assert_eq!(sandbox.stop().await.signal, Some(9));
}

#[tokio::test]
async fn only_a_passed_deadline_kills() {
    let mut sandbox = started().await;
    let sleep = json!({"do": "sleep", "ms": 300});
    assert_eq!(sandbox.invoke(&sleep).await, Outcome::Ok(json!("awake")));

    let remaining = Duration::from_millis(200);
    let begin = Instant::now();
    let forever = json!({"do": "sleep", "ms": 60_000});
    assert_eq!(sandbox.invoke_with_deadline(&forever, remaining).await, Outcome::TimedOut);
    assert!(begin.elapsed() >= remaining);
    assert!(begin.elapsed() < Duration::from_secs(5));
    let not_running = Outcome::NotRunning { code: None, signal: Some(9) };
    assert_eq!(sandbox.invoke(&json!(1)).await, not_running);
}

#[tokio::test]
async fn an_abandoned_event_does_not_answer_the_next() {
    let mut sandbox = started().await;
    let slow = json!({"do": "sleep", "ms": 300});
    let given_up = tokio::time::timeout(Duration::from_millis(100), sandbox.invoke(&slow)).await;
    assert!(given_up.is_err());
    assert_eq!(sandbox.invoke(&json!("mine")).await, Outcome::Ok(json!("mine")));
}

#[tokio::test]
async fn the_function_is_told_who_and_until_when() {
    let mut sandbox = echo().name("exporter").env("AWS_REGION", "eu-west-1").start().await.unwrap();
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
async fn the_environment_is_that_of_lambda_and_the_callers() {
    let mut sandbox = echo()
        .memory_mb(512)
        .env("DATASETS", "alerts")
        .envs([("TZ", "Europe/Rome")])
        .env("TAKEN", "back")
        .env_remove("TAKEN")
        .env_remove("AWS_SESSION_TOKEN")
        .start()
        .await
        .unwrap();
    let seen = sandbox.invoke(&json!({"do": "environment"})).await.ok().unwrap();
    assert_eq!(seen["AWS_LAMBDA_FUNCTION_NAME"], "echo");
    assert_eq!(seen["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"], "512");
    assert_eq!(seen["_HANDLER"], "bootstrap");
    assert_eq!(seen["DATASETS"], "alerts");
    assert_eq!(seen["TZ"], "Europe/Rome");
    for absent in ["TAKEN", "AWS_SESSION_TOKEN", "CARGO_MANIFEST_DIR", "HOME"] {
        assert_eq!(seen[absent], Value::Null, "{absent}");
    }
}

#[tokio::test]
async fn payloads_stop_where_lambda_stops_them() {
    let mut sandbox = started().await;
    // Two bytes of an answer are its quotes.
    let fits = json!({"do": "large", "bytes": PAYLOAD_LIMIT - 2});
    assert!(sandbox.invoke(&fits).await.ok().is_some());

    let over = json!({"do": "large", "bytes": PAYLOAD_LIMIT - 1});
    let outcome = sandbox.invoke(&over).await;
    let Outcome::FunctionError { kind, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!(kind, "Function.ResponseSizeTooLarge");

    let event = json!("x".repeat(PAYLOAD_LIMIT));
    let too_large = Outcome::EventTooLarge { bytes: PAYLOAD_LIMIT + 2 };
    assert_eq!(sandbox.invoke(&event).await, too_large);
    assert_eq!(sandbox.invoke(&json!("next")).await, Outcome::Ok(json!("next")));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_peak_outlives_what_was_freed() {
    const BYTES: u64 = 64 << 20;
    let mut sandbox = started().await;
    let before = sandbox.peak_rss_bytes().unwrap();
    assert!(before < BYTES, "{before}");
    let allocate = json!({"do": "allocate", "bytes": BYTES});
    assert_eq!(sandbox.invoke(&allocate).await, Outcome::Ok(json!(BYTES)));
    assert!(sandbox.peak_rss_bytes().unwrap() > BYTES);
    sandbox.invoke(&json!({"do": "exit"})).await;
    assert!(sandbox.stop().await.peak_rss_bytes.unwrap() > BYTES);
}

#[tokio::test]
async fn lines_written_before_the_answer_are_there() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let sink = Sink::call({
        let heard = heard.clone();
        move |line| heard.lock().unwrap().push(line.to_owned())
    });
    let mut sandbox = echo().log_to(sink).start().await.unwrap();
    sandbox.invoke(&json!({"do": "nothing"})).await;
    let expected = ["starting", "doing \"nothing\""];
    assert_eq!(sandbox.logs(), expected);
    assert_eq!(*heard.lock().unwrap(), expected);
    assert_eq!(sandbox.stop().await.logs, expected);
}

#[tokio::test]
async fn stopping_asks_first() {
    let stopped = started().await.stop().await;
    assert_eq!((stopped.code, stopped.signal), (None, Some(15)));
    assert_eq!(stopped.logs, ["starting"]);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_dropped_sandbox_leaves_no_process() {
    let sandbox = started().await;
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
async fn a_start_that_fails_says_why() {
    let missing = Function::new("/nonexistent/function").start().await.unwrap_err();
    assert!(matches!(missing, StartError::Spawn { .. }), "{missing:?}");
    assert!(missing.to_string().contains("/nonexistent/function"), "{missing}");

    let exited = echo().env("AT_START", "exit").start().await.unwrap_err();
    assert!(matches!(exited, StartError::Exited { code: Some(7), .. }), "{exited:?}");
    assert_eq!(exited.logs(), ["starting", "no configuration"]);
    assert!(exited.to_string().contains("no configuration"), "{exited}");

    let reported = echo().env("AT_START", "report").start().await.unwrap_err();
    let StartError::Init { kind, message, .. } = &reported else { panic!("{reported:?}") };
    assert_eq!((kind.as_str(), message.as_str()), ("Config.Missing", "no bucket"));

    let patience = Duration::from_millis(300);
    let hung = echo().env("AT_START", "hang").init_timeout(patience).start().await.unwrap_err();
    assert!(matches!(hung, StartError::TimedOut { .. }), "{hung:?}");
}
