//! A local Lambda Runtime API that runs one real function binary, as Lambda does.
//!
//! [`LambdaFunction`] describes the binary and its configuration, [`LambdaFunction::start`]
//! spawns it and waits until it asks for work, and [`Sandbox::invoke`] hands it one
//! event at a time. The process under test is the artefact that is deployed, so its
//! start-up, its reading of the environment, its deadline handling and its way of
//! dying are all the real ones.
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
//!     InvocationOutcome::Ok(answer) => println!("{answer}"),
//!     other => println!("{other:?}\n{}", sandbox.logs().join("\n")),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A [`Pool`] keeps several sandboxes of a function and replaces those that have
//! ended; a [`FunctionUrl`] is a pool behind HTTP.
//!
//! What differs from Lambda: memory is announced to the function and measured, but
//! not limited; the process is not frozen between invocations; a single sandbox that
//! has ended is never replaced behind the caller's back. Linux and macOS only.

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

/// The largest event or answer that Lambda carries in one synchronous invocation, in bytes.
pub const MAX_PAYLOAD_LEN: usize = 6_291_556;
