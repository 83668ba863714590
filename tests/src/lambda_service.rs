//! Lambda's service, as far as others invoke functions there.

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
use local_lambda::{Outcome, Pool, StartError};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::aws::{ACCOUNT, REGION};

/// What every path of an invocation begins and ends with, around the function.
const PATH: (&str, &str) = ("/2015-03-31/functions/", "/invocations");

/// An address on loopback at which functions are invoked, as at Lambda's own:
/// `POST /2015-03-31/functions/{name or ARN}/invocations`. The caller waits for what
/// comes of it. Signatures are not checked. Stops when dropped.
#[derive(Debug)]
pub struct LambdaService {
    address: SocketAddr,
    functions: Functions,
    serving: JoinHandle<()>,
}

#[derive(Debug, Clone, Default)]
struct Functions(Arc<Mutex<Known>>);

/// The functions by their names, and who is asked for all others.
#[derive(Debug, Default)]
struct Known {
    handlers: BTreeMap<String, Handler>,
    others: Option<Others>,
}

impl Functions {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn find(&self, name: &str) -> io::Result<Option<Handler>> {
        let others = {
            let known = self.known();
            match known.handlers.get(name) {
                Some(handler) => return Ok(Some(handler.clone())),
                None => known.others.clone(),
            }
        };
        let Some(Others(others)) = others else { return Ok(None) };
        Ok(others(name.to_owned()).await?.map(Handler::Pool))
    }
}

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Answering = Boxed<Result<Value, String>>;
type Finding = Boxed<io::Result<Option<Arc<Pool>>>>;

/// Who finds the sandboxes of functions that nobody registered.
#[derive(Clone)]
struct Others(Arc<dyn Fn(String) -> Finding + Send + Sync>);

impl fmt::Debug for Others {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Others")
    }
}

/// What answers for a function.
#[derive(Clone)]
enum Handler {
    Pool(Arc<Pool>),
    Script(Arc<dyn Fn(Value) -> Answering + Send + Sync>),
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pool(_) => "Pool",
            Self::Script(_) => "Script",
        })
    }
}

/// What a caller is answered: a status, whether the function failed, and the body.
struct Answer(StatusCode, bool, Bytes);

impl LambdaService {
    /// A service without functions.
    ///
    /// # Errors
    /// When no port is to be had.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, functions) = (listener.local_addr()?, Functions::default());
        let serving = tokio::spawn(serve(listener, functions.clone()));
        Ok(Self { address, functions, serving })
    }

    /// Its address.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Has sandboxes answer for the function of this name, and returns its ARN.
    pub fn register(&self, name: &str, pool: impl Into<Arc<Pool>>) -> String {
        self.insert(name, Handler::Pool(pool.into()))
    }

    /// Has the test itself answer for the function of this name: with what it
    /// returns, or with an error of this message.
    pub fn script<F>(&self, name: &str, script: impl Fn(Value) -> F + Send + Sync + 'static) -> String
    where
        F: Future<Output = Result<Value, String>> + Send + 'static,
    {
        self.insert(name, Handler::Script(Arc::new(move |event| Box::pin(script(event)))))
    }

    /// Has this find the sandboxes of every function that is not registered, by its
    /// name: none for one that does not exist.
    pub fn otherwise<F>(&self, find: impl Fn(String) -> F + Send + Sync + 'static)
    where
        F: Future<Output = io::Result<Option<Arc<Pool>>>> + Send + 'static,
    {
        self.functions.known().others = Some(Others(Arc::new(move |name| Box::pin(find(name)))));
    }

    fn insert(&self, name: &str, handler: Handler) -> String {
        self.functions.known().handlers.insert(name.to_owned(), handler);
        format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
    }
}

impl Drop for LambdaService {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, functions: Functions) {
    while let Ok((stream, _)) = listener.accept().await {
        let functions = functions.clone();
        let _ = stream.set_nodelay(true);
        let service = service_fn(move |request| {
            let functions = functions.clone();
            async move { Ok::<_, Infallible>(respond(&functions, request).await) }
        });
        // A caller that goes away is no matter of the service.
        tokio::spawn(async move {
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await)
        });
    }
}

async fn respond(functions: &Functions, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let Answer(status, failed, body) = answer(functions, request).await;
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    if failed {
        headers.insert("x-amz-function-error", header::HeaderValue::from_static("Unhandled"));
    }
    response
}

async fn answer(functions: &Functions, request: Request<Incoming>) -> Answer {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let function = path.strip_prefix(PATH.0).and_then(|rest| rest.strip_suffix(PATH.1));
    let Some(function) = function.filter(|_| parts.method == Method::POST) else {
        return refuse(StatusCode::NOT_FOUND, "no such operation");
    };
    let function = percent_encoding::percent_decode_str(function).decode_utf8_lossy().into_owned();
    let handler = match functions.find(name(&function)).await {
        Ok(Some(handler)) => handler,
        Ok(None) => return refuse(StatusCode::NOT_FOUND, "Function not found"),
        Err(error) => return fail("Runtime.InitError", &error.to_string()),
    };
    let Ok(body) = body.collect().await else {
        return refuse(StatusCode::BAD_REQUEST, "the body was cut short");
    };
    let Ok(event) = serde_json::from_slice(&body.to_bytes()) else {
        return refuse(StatusCode::BAD_REQUEST, "Could not parse request body into json");
    };
    match handler {
        Handler::Pool(pool) => outcome(pool.invoke(&event).await),
        Handler::Script(script) => match script(event).await {
            Ok(answer) => succeed(answer.to_string()),
            Err(message) => fail("Error", &message),
        },
    }
}

/// The name in an ARN, or what is a name already.
fn name(function: &str) -> &str {
    function.strip_prefix("arn:").and_then(|arn| arn.split(':').nth(5)).unwrap_or(function)
}

fn outcome(outcome: Result<Outcome, StartError>) -> Answer {
    match outcome {
        Ok(Outcome::Ok(answer)) => succeed(answer.to_string()),
        Ok(Outcome::NotJson(answer)) => succeed(answer),
        Ok(Outcome::FunctionError { body, .. }) => {
            Answer(StatusCode::OK, true, body.to_string().into_bytes().into())
        }
        Ok(Outcome::TimedOut) => fail("Sandbox.Timedout", "Task timed out"),
        Ok(Outcome::EventTooLarge { bytes }) => {
            refuse(StatusCode::PAYLOAD_TOO_LARGE, &format!("{bytes} bytes are too many for an event"))
        }
        Ok(other) => fail("Runtime.ExitError", &format!("{other:?}")),
        Err(error) => fail("Runtime.InitError", &error.to_string()),
    }
}

fn succeed(body: impl Into<Bytes>) -> Answer {
    Answer(StatusCode::OK, false, body.into())
}

fn fail(kind: &str, message: &str) -> Answer {
    let body = json!({ "errorType": kind, "errorMessage": message });
    Answer(StatusCode::OK, true, body.to_string().into_bytes().into())
}

fn refuse(status: StatusCode, message: &str) -> Answer {
    Answer(status, false, json!({ "Message": message }).to_string().into_bytes().into())
}
