//! The isolation webhook in a server, with an instance for each request and for each
//! follow-up.
//!
//! The ledger of the [`WebhookHost`] holds all state, so any number of instances and
//! programs may share it.

mod folder;
mod host;
pub mod json_lines;
mod server;

use std::{net::IpAddr, path::Path, sync::Arc};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header::RETRY_AFTER};
use http_body_util::{BodyExt, Full};
use hyper::body::Body;
use tokio::sync::oneshot;
use wasmtime::{
    Engine, Result, Store, bail,
    component::{HasSelf, Linker},
    error::Context,
};
use wasmtime_wasi::{
    clocks::WasiClocks,
    p2::bindings::{clocks::wall_clock, random::random},
    random::{WasiRandom, WasiRandomCtx},
};
use wasmtime_wasi_http::{
    Error, WasiHttpView, p2::bindings::http::types::Scheme, p2::body::HyperOutgoingBody,
};

use self::bindings::{
    WebhookPre,
    exports::sophos::central::decisions::{FollowUpScope, Report},
    sophos::central::{audit_log, ledger_store, outcomes, policy, queue, webhook_secrets},
};
pub use self::{
    folder::FolderStore,
    host::{Callback, WebhookHost},
    server::{run_follow_up, serve},
};
use crate::{
    central::{Session, load},
    http_client::AllowedHttp,
    state::{self, AuthProvider, HostState},
};

/// The generated bindings of the world `webhook`.
#[allow(missing_docs, reason = "generated")]
pub mod bindings {
    wasmtime::component::bindgen!({
        path: "../../../../wit",
        world: "sophos:central/webhook",
        imports: {
            "sophos:central/ledger-store": async,
        },
        exports: { default: async },
        with: {
            "sophos:central/credentials": crate::bindings::sophos::central::credentials,
            "sophos:central/types": crate::bindings::sophos::central::types,
            "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
            "wasi:http": wasmtime_wasi_http::p2::bindings::http,
            "wasi:io": wasmtime_wasi::p2::bindings::io,
            "wasi:random": wasmtime_wasi::p2::bindings::random,
        },
    });
}

/// The header for the caller's address, unless a proxy in front has its own. The server
/// replaces a caller's value.
pub(crate) const CLIENT_IP_HEADER: HeaderName = HeaderName::from_static("x-client-ip");

/// The component and the shared state of its instances.
pub struct Webhook {
    instance_pre: WebhookPre<HostState<InstanceHost>>,
    host: Arc<WebhookHost>,
    auth_provider: AuthProvider,
    requests: AllowedHttp,
}

/// The state of an instance for the imports of this world only.
pub struct InstanceHost {
    shared: Arc<WebhookHost>,
    random: WasiRandomCtx,
}

impl Webhook {
    /// Loads the component, as
    /// [`CentralComponent::load`](crate::CentralComponent::load) does.
    ///
    /// # Errors
    /// If it is not a webhook, or has an import that this host does not offer.
    pub fn load(
        engine: &Engine,
        file: &Path,
        host: WebhookHost,
        obtain: AuthProvider,
        requests: AllowedHttp,
    ) -> Result<Self> {
        let component = load(engine, file)?;
        let mut linker = Linker::new(engine);
        state::add_to_linker(&mut linker)?;
        wall_clock::add_to_linker::<_, WasiClocks>(&mut linker, HostState::<InstanceHost>::clocks)?;
        random::add_to_linker::<_, WasiRandom>(&mut linker, |state| &mut state.host.random)?;
        webhook_secrets::add_to_linker::<_, HasSelf<_>>(&mut linker, shared_host)?;
        ledger_store::add_to_linker::<_, HasSelf<_>>(&mut linker, shared_host)?;
        queue::add_to_linker::<_, HasSelf<_>>(&mut linker, shared_host)?;
        policy::add_to_linker::<_, HasSelf<_>>(&mut linker, shared_host)?;
        outcomes::add_to_linker::<_, HasSelf<_>>(&mut linker, shared_host)?;
        audit_log::add_to_linker::<_, HasSelf<_>>(&mut linker, shared_host)?;
        let instance_pre = WebhookPre::new(linker.instantiate_pre(&component)?)?;
        Ok(Self { instance_pre, host: Arc::new(host), auth_provider: obtain, requests })
    }

    /// Creates an instance for calls of `decisions` by name.
    ///
    /// # Errors
    /// If there is no memory for it, or the pool is full.
    pub async fn session(&self) -> Result<Session<InstanceHost>> {
        let mut store = self.store();
        let instance = self.instance_pre.instance_pre().instantiate_async(&mut store).await?;
        Ok(Session { store, instance })
    }

    fn store(&self) -> Store<HostState<InstanceHost>> {
        let host = InstanceHost { shared: Arc::clone(&self.host), random: WasiRandomCtx::default() };
        HostState::new(host, Arc::clone(&self.auth_provider), self.requests.clone())
            .store(self.instance_pre.engine())
    }

    /// Handles a request in a new instance. `caller` is the peer address of the
    /// connection.
    ///
    /// After an error it writes a line to standard error and responds with status 503, so
    /// that the sender retries. A retry of the event finds the same decision.
    pub async fn handle<B>(&self, mut request: Request<B>, caller: IpAddr) -> Response<HyperOutgoingBody>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Error>,
    {
        if let Ok(address) = HeaderValue::try_from(caller.to_canonical().to_string()) {
            request.headers_mut().insert(CLIENT_IP_HEADER, address);
        }
        self.try_handle(request).await.unwrap_or_else(|error| {
            eprintln!("handling a request failed: {error:#}");
            let mut unavailable = Response::new(Full::default().map_err(Error::from).boxed_unsync());
            *unavailable.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            unavailable.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
            unavailable
        })
    }

    async fn try_handle<B>(&self, request: Request<B>) -> Result<Response<HyperOutgoingBody>>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Error>,
    {
        let mut store = self.store();
        let (sender, receiver) = oneshot::channel();
        let request = store.data_mut().http().new_incoming_request(Scheme::Http, request)?;
        let outparam = store.data_mut().http().new_response_outparam(sender)?;
        let instance = self.instance_pre.instantiate_async(&mut store).await?;
        // A task, because an instance may continue after its response.
        let handling = tokio::spawn(async move {
            instance.wasi_http_incoming_handler().call_handle(store, request, outparam).await
        });
        match receiver.await {
            Ok(response) => response.context("the component returned an error"),
            Err(_) => {
                handling.await??;
                bail!("the component ended without a response")
            }
        }
    }

    /// Follows up on every due decision. Call it every minute.
    ///
    /// # Errors
    /// If the component traps, or the whole follow-up fails.
    pub async fn follow_up(&self) -> Result<Report> {
        let mut store = self.store();
        let instance = self.instance_pre.instantiate_async(&mut store).await?;
        match instance.sophos_central_decisions().call_follow_up(&mut store, FollowUpScope::Due).await? {
            Ok(report) => Ok(report),
            Err(failure) => bail!("{failure}"),
        }
    }
}

fn shared_host(state: &mut HostState<InstanceHost>) -> &mut Arc<WebhookHost> {
    &mut state.host.shared
}
