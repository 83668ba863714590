//! Handling and recording of requests.

use serde_json::Value;
use sophos_isolation::webhook::{Request, RequestLog, Response, Webhook};

use super::{
    audit_log,
    ledger::{self, HostStore},
    policy_settings::PolicySettings,
    queue::HostQueue,
    secrets::HostSecrets,
};
use crate::executor::block_on;

type HostWebhook = Webhook<HostStore, HostSecrets, HostQueue>;

/// The source of the caller's IP address.
pub(super) enum ClientIpSource {
    /// The request's `source-ip`.
    Request,
    /// The policy's `client-ip-header`.
    Header,
}

/// Handles a request.
pub(super) fn handle_request(mut request: Request, ip_source: ClientIpSource) -> Response {
    with_policy(|settings, webhook| {
        if matches!(ip_source, ClientIpSource::Header) {
            request.source_ip = settings.client_ip(&request);
        }
        block_on(webhook.handle(&settings.policy, &request, super::now()))
    })
}

/// Handles an EventBridge event.
pub(super) fn handle_event(event: &Value) -> Response {
    with_policy(|settings, webhook| block_on(webhook.handle_event(&settings.policy, event, super::now())))
}

fn with_policy(handle: impl FnOnce(&PolicySettings, &HostWebhook) -> (Response, RequestLog)) -> Response {
    let settings = match PolicySettings::load() {
        Ok(settings) => settings,
        Err(problem) => {
            let response = Response::service_unavailable();
            audit_log::record_problem(&response, problem);
            return response;
        }
    };
    let webhook = Webhook::new(ledger::open(), HostSecrets, HostQueue::new(settings.clone()));
    let (response, log) = handle(&settings, &webhook);
    audit_log::record(&response, &log, &webhook.queue().failures());
    response
}
