//! The exported `decisions`.

use serde_json::json;
use sophos_isolation::{
    ApprovalAnswer as EngineAnswer, CommandError, Decision, DecisionId, DecisionState, FollowUpReport,
    FollowUpScope as EngineScope, ProcessedDecision as EngineResult,
    policy::Policy,
    webhook::{Request as WebhookRequest, Response as WebhookResponse},
};

use super::{
    audit_log, engine, ledger,
    policy_settings::PolicySettings,
    receive::{self, ClientIpSource},
};
use crate::{
    Component,
    bindings::exports::sophos::central::decisions::{
        ApprovalAnswer, FollowUpScope, Guest, ProcessedDecision, Report, Request, Response,
    },
    executor::block_on,
};

impl Guest for Component {
    fn receive(request: Request) -> Response {
        let source_ip = request.source_ip.and_then(|address| address.parse().ok());
        let request = WebhookRequest {
            method: request.method,
            path: request.path,
            query: request.query,
            headers: request.headers,
            body: request.body,
            source_ip,
            client_certificate: None,
        };
        to_http_response(receive::handle_request(request, ClientIpSource::Request))
    }

    fn receive_event(event: String) -> Response {
        to_http_response(match serde_json::from_str(&event) {
            Ok(event) => receive::handle_event(&event),
            Err(error) => {
                let response = WebhookResponse::error(422, "not JSON");
                audit_log::record_problem(&response, format!("the event is not JSON: {error}"));
                response
            }
        })
    }

    fn process(decisions: Vec<String>) -> Result<Vec<ProcessedDecision>, String> {
        let (mut ids, mut results) = (Vec::new(), Vec::new());
        for decision in decisions {
            match parse_id(&decision) {
                Ok(id) => ids.push(id),
                Err(error) => results.push(ProcessedDecision { decision, state: None, failure: Some(error) }),
            }
        }
        let processed = engine::process_decisions(&PolicySettings::load()?, &ids)?;
        results.extend(processed.into_iter().map(to_processed_decision));
        Ok(results)
    }

    fn follow_up(scope: FollowUpScope) -> Result<Report, String> {
        let settings = PolicySettings::load()?;
        let report = engine::with_engine(&settings, async |engine, deadline| match scope {
            FollowUpScope::Due => engine.follow_up(&settings.policy, deadline).await,
            FollowUpScope::Open => {
                engine.follow_up_scope(&settings.policy, EngineScope::Open, deadline).await
            }
        })?;
        report.map(to_report).map_err(|error| error.to_string())
    }

    fn get(decision: String) -> Result<Option<String>, String> {
        Ok(find_decision(&parse_id(&decision)?)?.map(|decision| {
            let mut value = json!(decision);
            value["state"] = json!(decision.state());
            value.to_string()
        }))
    }

    fn answer_approval(decision: String, answer: ApprovalAnswer, by: String) -> Result<String, String> {
        let (id, settings) = (parse_id(&decision)?, PolicySettings::load()?);
        let answer = match answer {
            ApprovalAnswer::Approve => EngineAnswer::Approve,
            ApprovalAnswer::Decline => EngineAnswer::Decline,
        };
        let decision = block_on(ledger::open().answer_approval(&id, answer, &by, super::now()))
            .map_err(to_error_message)?;
        if decision.state() == DecisionState::Approved {
            engine::process_decisions(&settings, std::slice::from_ref(&id))?;
        } else {
            follow_up_on(&settings, std::slice::from_ref(&id))?;
        }
        state_after(&id)
    }

    fn release(decision: String, by: String) -> Result<String, String> {
        let (id, settings) = (parse_id(&decision)?, PolicySettings::load()?);
        let released =
            block_on(ledger::open().release_decision(&id, &by, super::now())).map_err(to_error_message)?;
        follow_up_on(&settings, &released)?;
        state_after(&id)
    }

    fn check_policy(text: String) -> Result<Vec<String>, String> {
        let policy = Policy::parse(&text).map_err(|error| error.to_string())?;
        Ok(policy.warnings().iter().map(ToString::to_string).collect())
    }
}

fn to_http_response(response: WebhookResponse) -> Response {
    Response { status: response.status, headers: response.headers, body: response.body }
}

fn parse_id(text: &str) -> Result<DecisionId, String> {
    text.parse().map_err(str::to_owned)
}

fn to_processed_decision(processed: EngineResult) -> ProcessedDecision {
    let decision = processed.id.to_string();
    match processed.result {
        Ok(state) => ProcessedDecision { decision, state: state.map(state_name), failure: None },
        Err(error) => ProcessedDecision { decision, state: None, failure: Some(error.to_string()) },
    }
}

fn state_name(state: DecisionState) -> String {
    state.as_str().to_owned()
}

fn to_report(report: FollowUpReport) -> Report {
    Report {
        due: report.due,
        transitions: report.transitions.into_iter().map(|(state, count)| (state.to_owned(), count)).collect(),
        overdue: report.overdue,
        failures: report.errors,
    }
}

fn to_error_message(error: CommandError) -> String {
    error.to_string()
}

/// Follows up on decisions now, before they are due.
fn follow_up_on(settings: &PolicySettings, ids: &[DecisionId]) -> Result<(), String> {
    let report = engine::with_engine(settings, async |engine, deadline| {
        engine.follow_up_scope(&settings.policy, EngineScope::Decisions(ids), deadline).await
    })?;
    report.map(drop).map_err(|error| error.to_string())
}

fn find_decision(id: &DecisionId) -> Result<Option<Decision>, String> {
    block_on(ledger::open().load_decision(id)).map_err(|failure| failure.to_string())
}

fn state_after(id: &DecisionId) -> Result<String, String> {
    let decision = find_decision(id)?.ok_or_else(|| CommandError::Unknown(id.clone()).to_string())?;
    Ok(state_name(decision.state()))
}
