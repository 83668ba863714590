//! Sophos Central in a Rust program: a component of `sophos:central` under
//! wasmtime.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use central_host::{
//!     Central, Requests,
//!     bindings::sophos::central::credentials::{Access, Client, Grant, Service},
//! };
//!
//! # async fn example() -> wasmtime::Result<()> {
//! let engine = central_host::engine()?;
//! let central = Central::load(&engine, "operator.wasm".as_ref())?;
//! let requests = Requests::to_sophos()?;
//!
//! // How the component is let in: from a vault, for one.
//! let obtain: central_host::Obtain = Arc::new(|_why| {
//!     Box::pin(async {
//!         let client = Client { id: "…".to_owned(), secret: "…".to_owned() };
//!         Ok(Access { grant: Grant::Client(client), service: Service::Sophos })
//!     })
//! });
//!
//! let mut session = central.session(obtain, requests).await?;
//! let interfaces = session.interfaces()?;
//! let tenant = interfaces.sophos_central_tenants().call_own(&mut session.store).await?;
//! match tenant {
//!     Ok(tenant) => println!("{:?}", interfaces.sophos_central_tenants().tenant().call_id(session.store, tenant).await?),
//!     Err(failure) => println!("{:?}: {}", failure.reason, failure.message),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! What a component asks for is all that it has: credentials, HTTP to the hosts
//! that [`Requests`] lets through, and a clock. It sees no file, no variable of
//! the environment and no output.
//!
//! A [`Session`] is one instance. It does one thing at a time and is made in some
//! tens of microseconds: make one for each unit of work. After an error of
//! wasmtime (a trap) it is of no more use; a `Failure` leaves it as it is.

#![deny(missing_docs)]

mod central;
mod dynamic_call;
mod http_client;
mod state;
pub mod webhook;

pub use central::{CentralComponent, Session, compile, engine, pooling_engine};
pub use dynamic_call::{CallOutcome, DynamicCall};
pub use http_client::AllowedHttp;
pub use state::{AuthProvider, HostState};

/// What wasmtime makes of the WIT: names and types as they are there.
///
/// Of the worlds this is `embedded`, which has every interface; `interfaces` of a
/// reader wants `embedded-reader` here.
#[allow(missing_docs, reason = "made from the WIT, whose own documentation has no place for all of it")]
pub mod bindings {
    wasmtime::component::bindgen!({
        path: "../../../wit",
        world: "sophos:central/embedded",
        imports: {
            "sophos:central/credentials.obtain": async,
            "sophos:central/transport.send": async,
            "sophos:central/transport.wait": async,
        },
        exports: { default: async },
    });
}
