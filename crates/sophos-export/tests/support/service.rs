//! The scripted service: a transport with prepared responses and its own clock.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use serde_json::{Value, json};
use sophos_api::{Transport, TransportError, TransportErrorKind};

use super::TENANT;

/// A request for a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) cursor: Option<String>,
    pub(crate) from_date: Option<i64>,
    /// The records of a page, of the feed or of the Common API.
    pub(crate) limit: Option<u32>,
    /// The key of a page of a listing.
    pub(crate) page_key: Option<String>,
    /// The number of a page of a listing.
    pub(crate) page: Option<u64>,
}

impl Request {
    fn new(uri: &http::Uri) -> Self {
        let query = |name: &str| {
            let pairs = uri.query()?.split('&');
            let value =
                pairs.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)?.1.to_owned();
            Some(value)
        };
        Self {
            path: uri.path().to_owned(),
            cursor: query("cursor"),
            from_date: query("from_date").and_then(|text| text.parse().ok()),
            page_key: query("pageFromKey"),
            page: query("page").and_then(|text| text.parse().ok()),
            limit: query("limit").or_else(|| query("pageSize")).and_then(|text| text.parse().ok()),
        }
    }
}

/// A response of the service.
#[derive(Debug, Clone)]
pub(crate) struct ScriptedResponse {
    status: u16,
    body: Bytes,
    latency: Duration,
    date_offset_ms: i64,
    too_large: bool,
}

impl ScriptedResponse {
    pub(crate) fn bytes(body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            body: body.into().into(),
            latency: Duration::ZERO,
            date_offset_ms: 0,
            too_large: false,
        }
    }

    /// A body above the transport's limit.
    pub(crate) fn too_large() -> Self {
        Self { too_large: true, ..Self::bytes("") }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self { status, ..Self::bytes("") }
    }

    /// A page of the feed. `next` is the cursor after it.
    pub(crate) fn page(items: &[Value], has_more: bool, next: Option<&str>) -> Self {
        Self::bytes(json!({ "items": items, "has_more": has_more, "next_cursor": next }).to_string())
    }

    pub(crate) fn with_prefix(self, bytes: &[u8]) -> Self {
        Self { body: [bytes, &self.body].concat().into(), ..self }
    }

    /// Adds a latency.
    pub(crate) fn with_latency(self, takes: Duration) -> Self {
        Self { latency: takes, ..self }
    }

    /// Adds an error of its `Date` header.
    pub(crate) fn with_date_offset(self, date_offset_ms: i64) -> Self {
        Self { date_offset_ms, ..self }
    }
}

type Router = Box<dyn FnMut(&Request) -> ScriptedResponse + Send>;

struct ServiceState {
    now_ms: i64,
    router: Router,
    requests: Vec<Request>,
}

/// A service that responds to requests for a token and an identity, and to others by a
/// script. Waiting advances its clock and takes no time.
pub(crate) struct ScriptedService(Mutex<ServiceState>);

impl ScriptedService {
    pub(crate) fn new(now_ms: i64) -> Arc<Self> {
        let router: Router = Box::new(|request| panic!("no response is prepared for {request:?}"));
        Arc::new(Self(Mutex::new(ServiceState { now_ms, router, requests: Vec::new() })))
    }

    /// Responds by request from now on.
    pub(crate) fn route(&self, router: impl FnMut(&Request) -> ScriptedResponse + Send + 'static) {
        self.state().router = Box::new(router);
    }

    /// Responds in this order from now on.
    pub(crate) fn respond_with(&self, responses: impl IntoIterator<Item = ScriptedResponse>) {
        let mut responses: VecDeque<_> = responses.into_iter().collect();
        self.route(move |request| {
            responses.pop_front().unwrap_or_else(|| panic!("no response is left for {request:?}"))
        });
    }

    /// The requests for pages since the last call.
    pub(crate) fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.state().requests)
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.state().now_ms
    }

    pub(crate) fn advance(&self, by_ms: i64) {
        self.state().now_ms += by_ms;
    }

    fn state(&self) -> MutexGuard<'_, ServiceState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn respond(&self, uri: &http::Uri) -> ScriptedResponse {
        if uri.path() == "/api/v2/oauth2/token" {
            let token = json!({
                "access_token": "token", "token_type": "bearer", "expires_in": 3600, "errorCode": "success",
            });
            return ScriptedResponse::bytes(token.to_string());
        }
        if uri.path() == "/whoami/v1" {
            let hosts = json!({
                "global": "https://api.central.sophos.com",
                "dataRegion": "https://api-eu01.central.sophos.com",
            });
            return ScriptedResponse::bytes(
                json!({ "id": TENANT, "idType": "tenant", "apiHosts": hosts }).to_string(),
            );
        }
        let request = Request::new(uri);
        let mut state = self.state();
        state.requests.push(request.clone());
        (state.router)(&request)
    }
}

impl Transport for ScriptedService {
    async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        _timeout: Duration,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let response = self.respond(request.uri());
        self.advance(response.latency.as_millis() as i64);
        if response.too_large {
            return Err(TransportError::new(TransportErrorKind::TooLarge, "it has too many bytes"));
        }
        let date_ms = (self.now_ms() + response.date_offset_ms).max(0) as u64;
        let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(date_ms));
        let builder = http::Response::builder().status(response.status).header("date", date);
        Ok(builder.body(response.body).expect("a response"))
    }

    fn now(&self) -> Duration {
        Duration::from_millis(self.now_ms() as u64)
    }

    async fn sleep(&self, duration: Duration) {
        self.advance(duration.as_micros().div_ceil(1_000) as i64);
    }
}
