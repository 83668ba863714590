//! An S3 server on loopback (`s3s-fs`, which checks signatures and `If-None-Match`) with a
//! trap: at a chosen request it notifies the test, and responds only after the test releases
//! it.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use hyper::{Request, Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use local_lambda::LambdaFunction;
use s3s::{Body, auth::SimpleAuth, service::S3Service, service::S3ServiceBuilder};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};

const BUCKET: &str = "exports";
const ACCESS_KEY: &str = "AKIALOOPBACK";
const SECRET_KEY: &str = "a-secret-key-of-the-tests";

/// The point at which the server stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum S3Trap {
    /// At this request, counted from 1, before its effect.
    Before(usize),
    /// At this request, after its effect and before the response.
    After(usize),
    /// This request takes effect, and its response is an error.
    FailResponse(usize),
    /// The same, and every later request for that object fails without effect.
    FailObject(usize),
}

impl S3Trap {
    fn request(self) -> usize {
        match self {
            Self::Before(number)
            | Self::After(number)
            | Self::FailResponse(number)
            | Self::FailObject(number) => number,
        }
    }
}

/// A running server with one bucket. Dropping it stops the server.
#[derive(Debug)]
pub struct S3Server {
    address: SocketAddr,
    bucket: PathBuf,
    shared: Arc<ServerState>,
    serving: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct ServerState {
    state: Mutex<TrapState>,
    trapped: Notify,
    released: Notify,
}

#[derive(Debug, Default)]
struct TrapState {
    trap: Option<S3Trap>,
    requests: Vec<String>,
}

impl ServerState {
    fn state(&self) -> MutexGuard<'_, TrapState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request. Returns the trap for it, and whether its object always fails.
    fn record_request(&self, request: &Request<Incoming>) -> (Option<S3Trap>, bool) {
        let mut state = self.state();
        state.requests.push(format!("{} {}", request.method(), request.uri()));
        let number = state.requests.len();
        let broken = match state.trap {
            Some(S3Trap::FailObject(at)) if at < number => {
                let path = |line: &str| line.split(' ').nth(1).map(str::to_owned);
                path(&state.requests[at - 1]) == path(&state.requests[number - 1])
            }
            _ => false,
        };
        (state.trap.filter(|trap| trap.request() == number), broken)
    }

    async fn wait_for_release(&self) {
        self.trapped.notify_one();
        self.released.notified().await;
    }
}

impl S3Server {
    /// Starts a server whose bucket is in this folder.
    ///
    /// # Errors
    /// When the folder cannot be created or no port is available.
    pub async fn start(root: &Path) -> io::Result<Self> {
        let bucket = root.join(BUCKET);
        std::fs::create_dir_all(&bucket)?;
        let files = s3s_fs::FileSystem::new(root).map_err(|error| io::Error::other(format!("{error:?}")))?;
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        let service = builder.build();

        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(ServerState::default());
        let serving = tokio::spawn(serve(listener, service, Arc::clone(&shared)));
        Ok(Self { address, bucket, shared, serving })
    }

    /// The location for an export.
    pub fn location(&self) -> String {
        format!("s3://{BUCKET}/sophos")
    }

    /// The folder of the exported objects.
    pub fn folder(&self) -> PathBuf {
        self.bucket.join("sophos")
    }

    /// The only keys that the server accepts.
    pub fn keys(&self) -> (&'static str, &'static str) {
        (ACCESS_KEY, SECRET_KEY)
    }

    /// Configures the function to write here.
    pub fn configure(&self, function: LambdaFunction) -> LambdaFunction {
        function
            .env("AWS_ENDPOINT_URL_S3", format!("http://{}", self.address))
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
            .env("AWS_REGION", "eu-west-1")
    }

    /// Sets the trap, and resets the count of requests.
    pub fn set_trap(&self, trap: Option<S3Trap>) {
        *self.shared.state() = TrapState { trap, requests: Vec::new() };
    }

    /// The requests since the trap was last set.
    pub fn requests(&self) -> Vec<String> {
        self.shared.state().requests.clone()
    }

    /// Waits for a request in the trap.
    pub async fn wait_for_trap(&self) {
        self.shared.trapped.notified().await;
    }

    /// Releases the request in the trap.
    pub fn release(&self) {
        self.shared.released.notify_waiters();
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn internal_error() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}

async fn serve(listener: TcpListener, service: S3Service, shared: Arc<ServerState>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (service, shared) = (service.clone(), Arc::clone(&shared));
        let response = service_fn(move |request: Request<Incoming>| {
            let (service, shared) = (service.clone(), Arc::clone(&shared));
            async move {
                let (trap, done_for) = shared.record_request(&request);
                if let Some(S3Trap::Before(_)) = trap {
                    shared.wait_for_release().await;
                }
                if done_for {
                    return Ok(internal_error());
                }
                let response = service.call(request.map(Body::from)).await;
                match trap {
                    Some(S3Trap::After(_)) => shared.wait_for_release().await,
                    Some(S3Trap::FailResponse(_) | S3Trap::FailObject(_)) => return Ok(internal_error()),
                    _ => {}
                }
                response
            }
        });
        // Broken connections are part of these tests.
        tokio::spawn(async move {
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), response).await)
        });
    }
}
