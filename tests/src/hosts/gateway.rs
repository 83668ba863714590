//! A gateway in front of a simulator. It adds `Authorization` to requests and can
//! replace text in responses.

use std::{
    convert::Infallible,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{self, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use sophos_api::{ReqwestTransport, Transport};
use sophos_simulator::{CredentialInfo, Simulator};
use tokio::{net::TcpListener, task::JoinSet};

const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Loopback listeners, one for each host of a simulator except the identity service.
/// They stop when dropped.
#[derive(Debug)]
pub struct Gateway {
    state: Arc<GatewayState>,
    _serving: JoinSet<()>,
}

/// The state that all listeners share.
#[derive(Debug)]
struct GatewayState {
    transport: ReqwestTransport,
    authorization: HeaderValue,
    /// The simulator's base URLs and their replacements; the global one is the first.
    addresses: Vec<(String, String)>,
    /// Texts of responses and their replacements.
    replacements: Vec<(String, String)>,
    requests: AtomicUsize,
    authorized_requests: AtomicUsize,
}

impl Gateway {
    /// Starts a gateway with a token of this credential. `changes` are texts of
    /// responses and their replacements.
    ///
    /// # Errors
    /// If no port or no token is available.
    pub async fn start(
        simulator: &Simulator,
        credential: &CredentialInfo,
        changes: &[(&str, &str)],
    ) -> io::Result<Self> {
        let transport = ReqwestTransport::new().map_err(io::Error::other)?;
        let token = fetch_token(&transport, simulator, credential).await?;
        let hosts = simulator.addresses();
        let (mut addresses, mut listeners) = (Vec::new(), Vec::new());
        for host in std::iter::once(hosts.global).chain(hosts.regions.into_values()) {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            addresses.push((host, format!("http://{}", listener.local_addr()?)));
            listeners.push(listener);
        }
        let way = Arc::new(GatewayState {
            transport,
            authorization: HeaderValue::try_from(format!("Bearer {token}")).map_err(io::Error::other)?,
            addresses,
            replacements: changes
                .iter()
                .map(|(text, other)| ((*text).to_owned(), (*other).to_owned()))
                .collect(),
            requests: AtomicUsize::new(0),
            authorized_requests: AtomicUsize::new(0),
        });
        let mut serving = JoinSet::new();
        for (index, listener) in listeners.into_iter().enumerate() {
            serving.spawn(serve(listener, index, Arc::clone(&way)));
        }
        Ok(Self { state: way, _serving: serving })
    }

    /// Returns the base URL of the global host.
    pub fn url(&self) -> String {
        self.state.addresses[0].1.clone()
    }

    /// Returns the number of requests, and of those with their own `Authorization`.
    /// Resets both.
    pub fn take_counts(&self) -> (usize, usize) {
        (
            self.state.requests.swap(0, Ordering::Relaxed),
            self.state.authorized_requests.swap(0, Ordering::Relaxed),
        )
    }
}

async fn fetch_token(
    transport: &ReqwestTransport,
    simulator: &Simulator,
    credential: &CredentialInfo,
) -> io::Result<String> {
    let body = serde_json::json!({
        "grant_type": "client_credentials",
        "scope": "token",
        "client_id": credential.client_id,
        "client_secret": credential.client_secret,
    });
    let request = http::Request::post(format!("{}/api/v2/oauth2/token", simulator.identity_url()))
        .header(header::CONTENT_TYPE, "application/json")
        .body(body.to_string().into_bytes())
        .map_err(io::Error::other)?;
    let answer = transport.send(request, REQUEST_TIMEOUT).await.map_err(io::Error::other)?;
    let answer: Value = serde_json::from_slice(answer.body())?;
    let token = answer["access_token"].as_str();
    token
        .map(str::to_owned)
        .ok_or_else(|| io::Error::other("missing token in the response of the identity service"))
}

async fn serve(listener: TcpListener, index: usize, way: Arc<GatewayState>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let way = Arc::clone(&way);
        let service = service_fn(move |request| {
            let way = Arc::clone(&way);
            async move { Ok::<_, Infallible>(proxy(&way, index, request).await) }
        });
        connections.spawn(async move {
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// Forwards a request with the gateway's `Authorization`, and returns the response with
/// the replacements.
async fn proxy(way: &GatewayState, index: usize, request: Request<Incoming>) -> Response<Full<Bytes>> {
    way.requests.fetch_add(1, Ordering::Relaxed);
    let mut response = Response::new(Full::default());
    match forward(way, index, request).await {
        Ok(answer) => {
            *response.status_mut() = answer.status();
            let mut text = String::from_utf8_lossy(answer.body()).into_owned();
            for (of_the_service, other) in way.addresses.iter().chain(&way.replacements) {
                text = text.replace(of_the_service, other);
            }
            *response.body_mut() = Full::from(text);
        }
        Err(error) => {
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            *response.body_mut() = Full::from(error.to_string());
        }
    }
    response
}

async fn forward(
    way: &GatewayState,
    index: usize,
    request: Request<Incoming>,
) -> io::Result<http::Response<Bytes>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut onward = http::Request::builder()
        .method(head.method)
        .uri(format!("{}{path}", way.addresses[index].0))
        .body(body.to_vec())
        .map_err(io::Error::other)?;
    for (name, value) in &head.headers {
        // Hop-by-hop headers are not forwarded.
        if ![header::HOST, header::CONNECTION, header::CONTENT_LENGTH, header::TRANSFER_ENCODING]
            .contains(name)
        {
            onward.headers_mut().append(name, value.clone());
        }
    }
    if onward.headers_mut().insert(header::AUTHORIZATION, way.authorization.clone()).is_some() {
        way.authorized_requests.fetch_add(1, Ordering::Relaxed);
    }
    way.transport.send(onward, REQUEST_TIMEOUT).await.map_err(io::Error::other)
}
