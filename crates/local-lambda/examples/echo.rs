//! A function that follows the instructions in its event, for the tests of the library.

use std::{env, fs, path::Path, process, time::Duration};

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    println!("starting");
    match env::var("START_BEHAVIOR").as_deref() {
        Ok("exit") => {
            eprintln!("no configuration");
            process::exit(7);
        }
        Ok("hang") => std::future::pending().await,
        Ok("report") => {
            report_init_error().await?;
            process::exit(1);
        }
        _ => {}
    }
    lambda_runtime::run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let (event, context) = event.into_parts();
    let event = parse_instruction(event);
    println!("doing {}", event["do"]);
    match event["do"].as_str() {
        Some("fail") => Err("the disk is full".into()),
        Some("panic") => panic!("a bug"),
        Some("exit") => process::exit(3),
        Some("abort") => process::abort(),
        Some("sleep") => {
            let milliseconds = event["ms"].as_u64().unwrap_or(0);
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            Ok(json!("awake"))
        }
        Some("allocate") => {
            // The loop writes to each page, because untouched pages do not count as
            // resident.
            let bytes = vec![1_u8; event["bytes"].as_u64().unwrap_or(0).try_into()?];
            Ok(json!(bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>()))
        }
        Some("large") => Ok(json!("x".repeat(event["bytes"].as_u64().unwrap_or(0).try_into()?))),
        Some("answer") => Ok(event["answer"].clone()),
        Some("say who") => Ok(json!({ "pid": process::id() })),
        Some("meet") => wait_for_processes(&event).await,
        Some("leave later") => {
            tokio::spawn(async {
                tokio::time::sleep(Duration::from_millis(50)).await;
                process::exit(0);
            });
            Ok(json!("soon"))
        }
        Some("environment") => Ok(env::vars().map(|(key, value)| (key, json!(value))).collect()),
        Some("context") => Ok(json!({
            "arn": context.invoked_function_arn,
            "deadline": context.deadline,
            "remaining": context.deadline().duration_since(std::time::SystemTime::now())?.as_millis() as u64,
            "request": context.request_id,
            "trace": context.xray_trace_id,
            "folder": env::current_dir()?,
        })),
        _ => Ok(event),
    }
}

/// Returns the instruction: the event, or its body if it came over a function URL.
fn parse_instruction(event: Value) -> Value {
    let body = event["body"].as_str().and_then(|body| serde_json::from_str::<Value>(body).ok());
    body.filter(|body| body["do"].is_string()).unwrap_or(event)
}

/// Waits until as many processes as the event names have written to the folder.
async fn wait_for_processes(event: &Value) -> Result<Value, Error> {
    let folder = Path::new(event["folder"].as_str().unwrap_or_default());
    fs::write(folder.join(process::id().to_string()), "")?;
    while (folder.read_dir()?.count() as u64) < event["number"].as_u64().unwrap_or(1) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(json!({ "pid": process::id() }))
}

/// Reports a failed start over the Runtime API, as some runtimes do.
async fn report_init_error() -> Result<(), Error> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let address = env::var("AWS_LAMBDA_RUNTIME_API")?;
    let body = json!({ "errorType": "Config.Missing", "errorMessage": "no bucket" }).to_string();
    let mut stream = tokio::net::TcpStream::connect(&address).await?;
    let request = format!(
        "POST /2018-06-01/runtime/init/error HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         lambda-runtime-function-error-type: Runtime.Init\r\ncontent-length: {}\r\n\r\n{body}",
        body.len(),
    );
    stream.write_all(request.as_bytes()).await?;
    stream.read_to_end(&mut Vec::new()).await?;
    Ok(())
}
