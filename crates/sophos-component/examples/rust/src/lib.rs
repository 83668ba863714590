//! Sophos Central in a Rust program: a component of `sophos:central` in wasmtime.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use central_host::{
//!     AllowedHttp, AuthProvider, CentralComponent,
//!     bindings::sophos::central::credentials::{Access, Client, Grant, Service},
//! };
//!
//! # async fn example() -> wasmtime::Result<()> {
//! let engine = central_host::engine()?;
//! let component = CentralComponent::load(&engine, "operator.wasm".as_ref())?;
//!
//! // A host usually reads the credential from a vault.
//! let auth_provider: AuthProvider = Arc::new(|_reason| {
//!     Box::pin(async {
//!         let client = Client { id: "…".to_owned(), secret: "…".to_owned() };
//!         Ok(Access { grant: Grant::Client(client), service: Service::Sophos })
//!     })
//! });
//!
//! let mut session = component.session(auth_provider, AllowedHttp::to_sophos()?).await?;
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
//! A component has access to its imports only: credentials, HTTP to the hosts that
//! [`AllowedHttp`] accepts, and a clock.
//!
//! A [`Session`] is one instance. It runs one call at a time and takes tens of
//! microseconds to create: create one per unit of work. Drop it after an error of
//! wasmtime (a trap). A `Failure` does not affect it.

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

/// The generated bindings of the world `embedded`, which has every interface.
///
/// For [`Session::interfaces`] of a reader, generate `embedded-reader` instead.
#[allow(missing_docs, reason = "generated")]
pub mod bindings {
    wasmtime::component::bindgen!({
        path: "../../../../wit",
        world: "sophos:central/embedded",
        imports: {
            "sophos:central/credentials.obtain": async,
            "sophos:central/transport.send": async,
            "sophos:central/transport.wait": async,
        },
        exports: { default: async },
    });
}
