//! Lambda's `Invoke` operation, for other services.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use local_lambda::{InvocationOutcome, Pool, StartError};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::aws::{ACCOUNT, REGION};

/// The path of an invocation before and after the function.
const INVOCATION_PATH: (&str, &str) = ("/2015-03-31/functions/", "/invocations");

/// Lambda's `Invoke` on loopback: `POST /2015-03-31/functions/{name or ARN}/invocations`. It
/// responds with the outcome and does not check signatures. Dropping it stops the server.
#[derive(Debug)]
pub struct LambdaService {
    address: SocketAddr,
    functions: SharedRegistry,
    serving: JoinHandle<()>,
}

#[derive(Debug, Clone, Default)]
struct SharedRegistry(Arc<Mutex<Registry>>);

/// The functions by name, and the fallback for others.
#[derive(Debug, Default)]
struct Registry {
    handlers: BTreeMap<String, Handler>,
    fallback: Option<FallbackFinder>,
}

impl SharedRegistry {
    fn lock(&self) -> MutexGuard<'_, Registry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn find(&self, name: &str) -> io::Result<Option<Handler>> {
        let others = {
            let known = self.lock();
            match known.handlers.get(name) {
                Some(handler) => return Ok(Some(handler.clone())),
                None => known.fallback.clone(),
            }
        };
        let Some(FallbackFinder(others)) = others else { return Ok(None) };
        Ok(others(name.to_owned()).await?.map(Handler::Pool))
    }
}

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type HandlerFuture = BoxFuture<Result<Value, String>>;
type FinderFuture = BoxFuture<io::Result<Option<Arc<Pool>>>>;

/// Finds the sandboxes of functions that are not registered.
#[derive(Clone)]
struct FallbackFinder(Arc<dyn Fn(String) -> FinderFuture + Send + Sync>);

impl fmt::Debug for FallbackFinder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Others")
    }
}

/// The handler of a function's invocations.
#[derive(Clone)]
enum Handler {
    Pool(Arc<Pool>),
    Script(Arc<dyn Fn(Value) -> HandlerFuture + Send + Sync>),
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pool(_) => "Pool",
            Self::Script(_) => "Script",
        })
    }
}

/// A response: the status, whether the function failed, and the body.
struct InvocationResponse(StatusCode, bool, Bytes);

impl LambdaService {
    /// Starts a service without functions.
    ///
    /// # Errors
    /// When no port is available.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, functions) = (listener.local_addr()?, SharedRegistry::default());
        let serving = tokio::spawn(serve(listener, functions.clone()));
        Ok(Self { address, functions, serving })
    }

    /// The base URL.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Registers sandboxes as a function, and returns its ARN.
    pub fn register(&self, name: &str, pool: impl Into<Arc<Pool>>) -> String {
        self.insert(name, Handler::Pool(pool.into()))
    }

    /// Registers a closure as a function, and returns its ARN. The closure returns the
    /// response or an error message.
    pub fn register_script<F>(
        &self,
        name: &str,
        script: impl Fn(Value) -> F + Send + Sync + 'static,
    ) -> String
    where
        F: Future<Output = Result<Value, String>> + Send + 'static,
    {
        self.insert(name, Handler::Script(Arc::new(move |event| Box::pin(script(event)))))
    }

    /// Sets the lookup for functions that are not registered. It returns `None` for an
    /// unknown function.
    pub fn set_fallback<F>(&self, find: impl Fn(String) -> F + Send + Sync + 'static)
    where
        F: Future<Output = io::Result<Option<Arc<Pool>>>> + Send + 'static,
    {
        self.functions.lock().fallback = Some(FallbackFinder(Arc::new(move |name| Box::pin(find(name)))));
    }

    fn insert(&self, name: &str, handler: Handler) -> String {
        self.functions.lock().handlers.insert(name.to_owned(), handler);
        format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
    }
}

impl Drop for LambdaService {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, functions: SharedRegistry) {
    while let Ok((stream, _)) = listener.accept().await {
        let functions = functions.clone();
        let _ = stream.set_nodelay(true);
        let service = service_fn(move |request| {
            let functions = functions.clone();
            async move { Ok::<_, Infallible>(respond(&functions, request).await) }
        });
        // Connection errors concern the client only.
        tokio::spawn(async move {
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await)
        });
    }
}

async fn respond(functions: &SharedRegistry, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let InvocationResponse(status, failed, body) = invoke(functions, request).await;
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    if failed {
        headers.insert("x-amz-function-error", header::HeaderValue::from_static("Unhandled"));
    }
    response
}

async fn invoke(functions: &SharedRegistry, request: Request<Incoming>) -> InvocationResponse {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let function = path.strip_prefix(INVOCATION_PATH.0).and_then(|rest| rest.strip_suffix(INVOCATION_PATH.1));
    let Some(function) = function.filter(|_| parts.method == Method::POST) else {
        return service_error(StatusCode::NOT_FOUND, "unknown operation");
    };
    let function = percent_encoding::percent_decode_str(function).decode_utf8_lossy().into_owned();
    let handler = match functions.find(function_name(&function)).await {
        Ok(Some(handler)) => handler,
        Ok(None) => return service_error(StatusCode::NOT_FOUND, "Function not found"),
        Err(error) => return function_error("Runtime.InitError", &error.to_string()),
    };
    let Ok(body) = body.collect().await else {
        return service_error(StatusCode::BAD_REQUEST, "incomplete body");
    };
    let Ok(event) = serde_json::from_slice(&body.to_bytes()) else {
        return service_error(StatusCode::BAD_REQUEST, "Could not parse request body into json");
    };
    match handler {
        Handler::Pool(pool) => to_response(pool.invoke(&event).await),
        Handler::Script(script) => match script(event).await {
            Ok(response) => success(response.to_string()),
            Err(message) => function_error("Error", &message),
        },
    }
}

/// The name in an ARN, or the name itself.
fn function_name(function: &str) -> &str {
    function.strip_prefix("arn:").and_then(|arn| arn.split(':').nth(5)).unwrap_or(function)
}

fn to_response(outcome: Result<InvocationOutcome, StartError>) -> InvocationResponse {
    match outcome {
        Ok(InvocationOutcome::Ok(response)) => success(response.to_string()),
        Ok(InvocationOutcome::NotJson(response)) => success(response),
        Ok(InvocationOutcome::FunctionError { body, .. }) => {
            InvocationResponse(StatusCode::OK, true, body.to_string().into_bytes().into())
        }
        Ok(InvocationOutcome::TimedOut) => function_error("Sandbox.Timedout", "Task timed out"),
        Ok(InvocationOutcome::EventTooLarge { bytes }) => {
            service_error(StatusCode::PAYLOAD_TOO_LARGE, &format!("an event of {bytes} bytes is too large"))
        }
        Ok(other) => function_error("Runtime.ExitError", &format!("{other:?}")),
        Err(error) => function_error("Runtime.InitError", &error.to_string()),
    }
}

fn success(body: impl Into<Bytes>) -> InvocationResponse {
    InvocationResponse(StatusCode::OK, false, body.into())
}

fn function_error(kind: &str, message: &str) -> InvocationResponse {
    let body = json!({ "errorType": kind, "errorMessage": message });
    InvocationResponse(StatusCode::OK, true, body.to_string().into_bytes().into())
}

fn service_error(status: StatusCode, message: &str) -> InvocationResponse {
    InvocationResponse(status, false, json!({ "Message": message }).to_string().into_bytes().into())
}
