//! HTTP in front of a function, as a Lambda function URL.

mod request;
mod response;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, State},
    http::{HeaderMap, Request},
    response::Response,
};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{LambdaFunction, MAX_PAYLOAD_LEN, Pool, StartError, StoppedSandbox};

/// How much of a body that is too long is still read. A client that is cut off
/// while it writes would see a broken connection, not the answer.
const MAX_READ_LEN: usize = 16 * MAX_PAYLOAD_LEN;

/// A function behind an HTTP address on loopback.
///
/// Each request becomes an event in payload format 2.0, which a free sandbox of the
/// function gets, and its answer becomes the response. With no sandbox free the
/// request waits; it does not fail, as it would at Lambda's concurrency limit.
///
/// The path reaches the function as it was sent, not decoded, and so do the
/// headers: none is added. Bytes in a header that are not UTF-8 are replaced.
#[derive(Debug)]
pub struct FunctionUrl {
    state: Arc<UrlState>,
    address: SocketAddr,
    server_task: JoinHandle<()>,
}

#[derive(Debug)]
struct UrlState {
    pool: Pool,
    region: String,
    trust_forwarded_for: AtomicBool,
}

impl FunctionUrl {
    /// Starts the function's first sandbox, of at most `sandboxes`, and listens.
    ///
    /// # Errors
    /// When the function does not start or no port is to be had.
    pub async fn start(function: LambdaFunction, sandboxes: usize) -> Result<Self, StartError> {
        let region = function.region().to_string_lossy().into_owned();
        let pool = Pool::start(function, sandboxes).await?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(StartError::Setup)?;
        let address = listener.local_addr().map_err(StartError::Setup)?;
        let front = Arc::new(UrlState { pool, region, trust_forwarded_for: AtomicBool::new(false) });
        let router = Router::new().fallback(handle).with_state(front.clone());
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let serving = tokio::spawn(async move {
            // Ends with the task; a listener on loopback has no other way to end.
            let _ = axum::serve(listener, service).await;
        });
        Ok(Self { state: front, address, server_task: serving })
    }

    /// The address, which ends with a slash as Lambda's do.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Whether the first address in `X-Forwarded-For` is what the function is told
    /// as the source, so that a test can come from anywhere. Lambda never does this.
    pub fn trust_forwarded_for(&self, trust: bool) {
        self.state.trust_forwarded_for.store(trust, Ordering::Relaxed);
    }

    /// The processes that run, in the order in which they were started.
    pub fn pids(&self) -> Vec<u32> {
        self.state.pool.pids()
    }

    /// Ends a process at once (SIGKILL), also in the middle of a request. Says
    /// whether there was one of this id.
    pub fn kill(&self, pid: u32) -> bool {
        self.state.pool.kill(pid)
    }

    /// Ends one process at once, one that has a request if there is one, and
    /// returns its id.
    pub fn kill_one(&self) -> Option<u32> {
        self.state.pool.kill_one()
    }

    /// What all processes have written, also those that have ended: one after the
    /// other, in the order in which they were started.
    pub fn logs(&self) -> Vec<String> {
        self.state.pool.logs()
    }

    /// The most resident memory that any one process ever held, on Linux.
    pub fn peak_rss_bytes(&self) -> Option<u64> {
        self.state.pool.peak_rss_bytes()
    }

    /// Takes no new connection, waits for the requests at work, asks every process
    /// to leave, and returns what is known about all of them.
    pub async fn stop(self) -> Vec<StoppedSandbox> {
        self.server_task.abort();
        self.state.pool.stop().await
    }
}

impl Drop for FunctionUrl {
    fn drop(&mut self) {
        self.server_task.abort();
        // Connections that are still open hold the front, too.
        self.state.pool.close();
    }
}

async fn handle(
    State(front): State<Arc<UrlState>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = match to_bytes(body, MAX_READ_LEN).await {
        Ok(body) if body.len() <= MAX_PAYLOAD_LEN => body,
        _ => return response::too_large(),
    };
    let forwarded = front.trust_forwarded_for.load(Ordering::Relaxed).then(|| forwarded_for(&parts.headers));
    let source = forwarded.flatten().unwrap_or(peer.ip());
    let event = request::event(&parts, &body, source, &front.region);
    match front.pool.invoke(&event).await {
        Ok(outcome) => response::response(outcome),
        Err(_) => response::bad_gateway(),
    }
}

fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    headers.get("x-forwarded-for")?.to_str().ok()?.split(',').next()?.trim().parse().ok()
}
