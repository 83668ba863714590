//! What comes in, answered and recorded.

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

/// Where the caller's address is to be found.
pub(super) enum ClientIpSource {
    /// In the request already.
    Request,
    /// In the header that the rules name.
    Header,
}

/// Answers a request.
pub(super) fn handle_request(mut request: Request, caller: ClientIpSource) -> Response {
    with_policy(|rules, desk| {
        if matches!(caller, ClientIpSource::Header) {
            request.source_ip = rules.client_ip(&request);
        }
        block_on(desk.handle(&rules.policy, &request, super::now()))
    })
}

/// Answers an event of AWS.
pub(super) fn handle_event(event: &Value) -> Response {
    with_policy(|rules, desk| block_on(desk.handle_event(&rules.policy, event, super::now())))
}

fn with_policy(answer: impl FnOnce(&PolicySettings, &HostWebhook) -> (Response, RequestLog)) -> Response {
    let rules = match PolicySettings::load() {
        Ok(rules) => rules,
        Err(problem) => {
            let response = Response::service_unavailable();
            audit_log::record_problem(&response, problem);
            return response;
        }
    };
    let desk = Webhook::new(ledger::open(), HostSecrets, HostQueue::new(rules.clone()));
    let (response, notice) = answer(&rules, &desk);
    audit_log::record(&response, &notice, &desk.queue().failures());
    response
}
