//! What comes in, answered and recorded.

use serde_json::Value;
use sophos_isolation::webhook::{Notice, Request, Response, Webhook};

use super::{
    journal,
    keys::HostKeys,
    ledger::{self, HostStore},
    queue::HostQueue,
    rules::Rules,
};
use crate::run::run;

type Desk = Webhook<HostStore, HostKeys, HostQueue>;

/// Where the caller's address is to be found.
pub(super) enum Caller {
    /// In the request already.
    Known,
    /// In the header that the rules name.
    Header,
}

/// Answers a request.
pub(super) fn request(mut request: Request, caller: Caller) -> Response {
    under_rules(|rules, desk| {
        if matches!(caller, Caller::Header) {
            request.from = rules.caller(&request);
        }
        run(desk.handle(&rules.policy, &request, super::now()))
    })
}

/// Answers an event of AWS.
pub(super) fn event(event: &Value) -> Response {
    under_rules(|rules, desk| run(desk.event(&rules.policy, event, super::now())))
}

fn under_rules(answer: impl FnOnce(&Rules, &Desk) -> (Response, Notice)) -> Response {
    let rules = match Rules::in_force() {
        Ok(rules) => rules,
        Err(problem) => {
            let response = Response::send_again();
            journal::record_problem(&response, problem);
            return response;
        }
    };
    let desk = Webhook::new(ledger::open(), HostKeys, HostQueue::new(rules.clone()));
    let (response, notice) = answer(&rules, &desk);
    journal::record(&response, &notice, &desk.queue().failures());
    response
}
