//! The events of GuardDuty and Security Hub, from EventBridge.

use std::time::Duration;

use serde_json::Value;

use super::{
    HandledRequest, KeySource, Queue, ReceivedMessage, RequestLog, Response, Webhook, source_disabled,
};
use crate::{
    adapters::{Alert, Message, NotActionable, Tool},
    ledger::LedgerStore,
    policy::Policy,
};

impl<O: LedgerStore, K: KeySource, Q: Queue> Webhook<O, K, Q> {
    /// Handles an event from EventBridge, whose `source` and `account` AWS
    /// authenticates. On success the status is 200 or 202. Any other must fail the
    /// invocation, so that EventBridge retries and then dead-letters the event;
    /// [`RequestLog::error_kind`] has the kind.
    pub async fn handle_event(&self, policy: &Policy, event: &Value, now: Duration) -> HandledRequest {
        let mut log = RequestLog::default();
        let tool = match event["source"].as_str() {
            Some("aws.guardduty") => Tool::GuardDuty,
            Some("aws.securityhub") => Tool::SecurityHub,
            _ => {
                let problem = "invalid event: expected one of GuardDuty or Security Hub";
                log.problem = Some(problem.into());
                log.error_kind = Some("InvalidEvent");
                return (Response::error(422, problem), log);
            }
        };
        let account = event["account"].as_str().unwrap_or_default();
        let Some(source) = policy.eventbridge_source(tool, account) else {
            if let Some(disabled) = policy.disabled_eventbridge_source(tool, account) {
                let response = source_disabled(disabled, &mut log);
                return (response, log);
            }
            let problem = unlisted_account_error(tool, account);
            log.error_kind = Some("UnlistedAccount");
            log.problem = Some(problem.clone());
            return (Response::error(403, &problem), log);
        };
        log.source = Some(source.name.clone());
        let body = event.to_string().into_bytes();
        let message = ReceivedMessage { source, body: &body, source_ip: None, secret_stage: None };
        let response = match source.adapter.parse_message(&Message { body: &body, idempotency_key: None }) {
            Ok(alerts) => {
                let is_unreadable = |alert: &Alert| alert.refusal == Some(NotActionable::Unreadable);
                let has_unreadable = alerts.iter().any(is_unreadable);
                let response = self.create_decisions(&message, alerts, now, &mut log).await;
                if has_unreadable && response.status < 300 {
                    log.error_kind = Some("MalformedEvent");
                    log.problem = Some("a finding of the event could not be parsed".into());
                    Response::error(422, "a finding of the event could not be parsed")
                } else {
                    response
                }
            }
            Err(error) => {
                let event_id = event["id"].as_str();
                self.reject_unparsable(&message, event_id, &error, now, &mut log).await
            }
        };
        (response, log)
    }
}

/// Returns the error and its remedy for an event of an account that no source lists.
fn unlisted_account_error(tool: Tool, account: &str) -> String {
    let is_valid = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let account = if is_valid { account } else { "of its envelope" };
    // It must fit a log record, which is truncated at 200 characters.
    format!(
        "no {tool} source lists account {account} in `accounts`; an organization's administrator account, which \
         sends its members' findings, must be listed too; findings are regional"
    )
}
