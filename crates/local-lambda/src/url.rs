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

/// The maximum number of bytes read of a body that is too long. A cut connection would hide the
/// error response from the client.
const MAX_READ_LEN: usize = 16 * MAX_PAYLOAD_LEN;

/// A function behind an HTTP address on loopback.
///
/// Each request becomes an event in payload format 2.0 for a free sandbox, whose response
/// becomes the HTTP response. Without a free sandbox the request waits; on Lambda it would fail
/// at the concurrency limit.
///
/// The function gets the path undecoded and no additional headers. Bytes of a header that are
/// not UTF-8 are replaced.
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
    /// Starts the first of at most `sandboxes` sandboxes and listens.
    ///
    /// # Errors
    /// When the function does not start, or no port is available.
    pub async fn start(function: LambdaFunction, sandboxes: usize) -> Result<Self, StartError> {
        let region = function.region().to_string_lossy().into_owned();
        let pool = Pool::start(function, sandboxes).await?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(StartError::Setup)?;
        let address = listener.local_addr().map_err(StartError::Setup)?;
        let front = Arc::new(UrlState { pool, region, trust_forwarded_for: AtomicBool::new(false) });
        let router = Router::new().fallback(handle).with_state(front.clone());
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let serving = tokio::spawn(async move {
            // Ends with the task; a listener on loopback has no other end.
            let _ = axum::serve(listener, service).await;
        });
        Ok(Self { state: front, address, server_task: serving })
    }

    /// The URL, with a trailing slash like Lambda's.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Sets whether the first address in `X-Forwarded-For` becomes the source IP of the
    /// event, so that tests can set it. Lambda never does this.
    pub fn trust_forwarded_for(&self, trust: bool) {
        self.state.trust_forwarded_for.store(trust, Ordering::Relaxed);
    }

    /// The running processes, in the order of their starts.
    pub fn pids(&self) -> Vec<u32> {
        self.state.pool.pids()
    }

    /// Kills a process (SIGKILL), also during a request. Returns `false` if there is no
    /// such process.
    pub fn kill(&self, pid: u32) -> bool {
        self.state.pool.kill(pid)
    }

    /// Kills one process, a busy one if possible, and returns its id.
    pub fn kill_one(&self) -> Option<u32> {
        self.state.pool.kill_one()
    }

    /// The output of all processes, including ended ones, process by process in the order
    /// of their starts.
    pub fn logs(&self) -> Vec<String> {
        self.state.pool.logs()
    }

    /// The peak resident memory of any one process in bytes, on Linux.
    pub fn peak_rss_bytes(&self) -> Option<u64> {
        self.state.pool.peak_rss_bytes()
    }

    /// Accepts no new connections, waits for the requests in progress, stops every process,
    /// and returns the final state of each.
    pub async fn stop(self) -> Vec<StoppedSandbox> {
        self.server_task.abort();
        self.state.pool.stop().await
    }
}

impl Drop for FunctionUrl {
    fn drop(&mut self) {
        self.server_task.abort();
        // Open connections hold the state, too.
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
