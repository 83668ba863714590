//! A local Lambda Runtime API that runs a function binary as Lambda does.
//!
//! [`LambdaFunction`] describes the binary and its configuration. [`LambdaFunction::start`]
//! starts it and waits for its first poll, and [`Sandbox::invoke`] invokes it with one event at
//! a time. The process is the deployed binary, so its start, configuration, deadlines and
//! crashes are real.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use local_lambda::{InvocationOutcome, LambdaFunction};
//!
//! let mut sandbox = LambdaFunction::new("target/debug/alert-export")
//!     .env("LOG_LEVEL", "debug")
//!     .start()
//!     .await?;
//! match sandbox.invoke(&serde_json::json!({})).await {
//!     InvocationOutcome::Ok(response) => println!("{response}"),
//!     other => println!("{other:?}\n{}", sandbox.logs().join("\n")),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A [`Pool`] keeps several sandboxes of a function and replaces those that have ended. A
//! [`FunctionUrl`] is a pool behind HTTP.
//!
//! Differences from Lambda: memory is measured but not limited, the process is not frozen
//! between invocations, and a single sandbox is never replaced. Linux and macOS only.

#[cfg(not(unix))]
compile_error!("local-lambda controls its child with Unix signals; use Linux, macOS or WSL");

mod api;
mod error;
mod function;
mod ids;
mod log;
mod outcome;
mod pool;
mod process;
mod sandbox;
mod url;

pub use error::StartError;
pub use function::LambdaFunction;
pub use log::LogSink;
pub use outcome::{InvocationOutcome, StoppedSandbox};
pub use pool::Pool;
pub use process::peak_rss_bytes;
pub use sandbox::Sandbox;
pub use url::FunctionUrl;

/// The maximum size of an event or a response of a synchronous invocation, in bytes.
pub const MAX_PAYLOAD_LEN: usize = 6_291_556;
