use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use serde_json::{Value, json};
use sophos_api::{Transport, TransportError, TransportErrorKind};

/// A response of the script, or a failure.
#[derive(Debug, Clone)]
pub(crate) struct ScriptedResponse {
    outcome: Result<http::Response<Bytes>, TransportErrorKind>,
    why: String,
    takes: Duration,
    rounds: u32,
}

impl ScriptedResponse {
    pub(crate) fn text(status: u16, body: &str) -> Self {
        let response = http::Response::builder().status(status).body(Bytes::from(body.to_owned()));
        Self {
            outcome: Ok(response.expect("a response")),
            why: String::new(),
            takes: Duration::ZERO,
            rounds: 0,
        }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::text(status, "")
    }

    pub(crate) fn json(body: Value) -> Self {
        Self::text(200, &body.to_string())
    }

    pub(crate) fn failure(kind: TransportErrorKind) -> Self {
        Self::failure_with_message(kind, "the script says so")
    }

    pub(crate) fn failure_with_message(kind: TransportErrorKind, why: &str) -> Self {
        Self { outcome: Err(kind), why: why.to_owned(), takes: Duration::ZERO, rounds: 0 }
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        let response = self.outcome.as_mut().expect("a response");
        response.headers_mut().insert(name, value.parse().expect("a header value"));
        self
    }

    /// Delays the response. A longer delay than the request's timeout is a timeout.
    pub(crate) fn with_delay(mut self, time: Duration) -> Self {
        self.takes = time;
        self
    }

    /// Yields to the other tasks this number of times before the response.
    pub(crate) fn with_yields(mut self, rounds: u32) -> Self {
        self.rounds = rounds;
        self
    }
}

/// A request as the service received it.
#[derive(Clone)]
pub(crate) struct SentRequest {
    pub(crate) method: http::Method,
    pub(crate) uri: http::Uri,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
    pub(crate) at: Duration,
    pub(crate) timeout: Duration,
}

impl SentRequest {
    pub(crate) fn host(&self) -> &str {
        self.uri.host().expect("a host")
    }

    pub(crate) fn path(&self) -> &str {
        self.uri.path()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("plain text"))
    }

    pub(crate) fn is_token(&self) -> bool {
        self.path() == "/api/v2/oauth2/token"
    }

    pub(crate) fn is_whoami(&self) -> bool {
        self.path() == "/whoami/v1"
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let pairs = self.uri.query()?.split('&');
        pairs.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

type Router = Box<dyn Fn(&SentRequest) -> Option<ScriptedResponse> + Send + Sync>;

/// A transport with scripted responses.
///
/// The router comes first. Then token requests get `token-1`, `token-2`, … and `whoami`
/// its record. Any other request takes the next response of the queue; if it is empty,
/// the test fails. A sleep advances the clock and takes no time.
pub(crate) struct ScriptedTransport {
    router: Router,
    whoami: Value,
    state: Mutex<State>,
}

struct State {
    now: Duration,
    queue: VecDeque<ScriptedResponse>,
    sent: Vec<SentRequest>,
    slept: Vec<Duration>,
    tokens: u32,
}

impl ScriptedTransport {
    /// A script of responses in this order.
    pub(crate) fn with_responses(responses: impl IntoIterator<Item = ScriptedResponse>) -> Arc<Self> {
        Self::new(super::whoami("partner"), |_| None, responses)
    }

    /// A script of responses by request.
    pub(crate) fn with_router(
        router: impl Fn(&SentRequest) -> Option<ScriptedResponse> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Self::new(super::whoami("partner"), router, [])
    }

    /// A script of responses in this order, for a credential with this identity.
    pub(crate) fn with_whoami(
        whoami: Value,
        responses: impl IntoIterator<Item = ScriptedResponse>,
    ) -> Arc<Self> {
        Self::new(whoami, |_| None, responses)
    }

    fn new(
        whoami: Value,
        router: impl Fn(&SentRequest) -> Option<ScriptedResponse> + Send + Sync + 'static,
        responses: impl IntoIterator<Item = ScriptedResponse>,
    ) -> Arc<Self> {
        let state = State {
            now: Duration::from_secs(1_700_000_000),
            queue: responses.into_iter().collect(),
            sent: Vec::new(),
            slept: Vec::new(),
            tokens: 0,
        };
        Arc::new(Self { router: Box::new(router), whoami, state: Mutex::new(state) })
    }

    /// Advances the clock.
    pub(crate) fn advance(&self, by: Duration) {
        self.state().now += by;
    }

    /// All requests so far.
    pub(crate) fn sent(&self) -> Vec<SentRequest> {
        self.state().sent.clone()
    }

    /// The requests other than those for the token and the identity.
    pub(crate) fn api_requests(&self) -> Vec<SentRequest> {
        self.sent().into_iter().filter(|sent| !sent.is_token() && !sent.is_whoami()).collect()
    }

    pub(crate) fn count(&self, which: impl Fn(&SentRequest) -> bool) -> usize {
        self.state().sent.iter().filter(|sent| which(sent)).count()
    }

    /// All sleeps so far.
    pub(crate) fn sleeps(&self) -> Vec<Duration> {
        self.state().slept.clone()
    }

    /// The number of unused responses.
    pub(crate) fn remaining(&self) -> usize {
        self.state().queue.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn respond(&self, sent: &SentRequest) -> ScriptedResponse {
        if let Some(response) = (self.router)(sent) {
            return response;
        }
        let mut state = self.state();
        if sent.is_token() {
            state.tokens += 1;
            let token = format!("token-{}", state.tokens);
            return ScriptedResponse::json(json!({
                "access_token": token, "token_type": "bearer", "expires_in": 3600,
                "errorCode": "success", "message": "OK",
            }));
        }
        if sent.is_whoami() {
            return ScriptedResponse::json(self.whoami.clone());
        }
        state.queue.pop_front().unwrap_or_else(|| panic!("unexpected request {} {}", sent.method, sent.uri))
    }
}

impl Transport for ScriptedTransport {
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let (head, body) = request.into_parts();
        let sent = SentRequest {
            method: head.method,
            uri: head.uri,
            headers: head.headers,
            body: String::from_utf8(body).expect("text"),
            at: self.now(),
            timeout,
        };
        self.state().sent.push(sent.clone());
        YieldOnce::default().await;
        let response = self.respond(&sent);
        for _ in 0..response.rounds {
            YieldOnce::default().await;
        }
        self.advance(response.takes.min(timeout));
        let why = response.why;
        let failure = |kind| TransportError::new(kind, why);
        if response.takes > timeout {
            return Err(failure(TransportErrorKind::Timeout));
        }
        response.outcome.map_err(failure)
    }

    fn now(&self) -> Duration {
        self.state().now
    }

    async fn sleep(&self, duration: Duration) {
        let until = {
            let mut state = self.state();
            state.slept.push(duration);
            state.now + duration
        };
        YieldOnce::default().await;
        let mut state = self.state();
        state.now = state.now.max(until);
    }
}

impl fmt::Debug for ScriptedTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptedTransport").field("sent", &self.state().sent.len()).finish_non_exhaustive()
    }
}

/// Yields to the other tasks once.
#[derive(Default)]
pub(crate) struct YieldOnce(bool);

impl Future for YieldOnce {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
