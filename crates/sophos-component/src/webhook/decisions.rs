//! The exported `decisions`: for hosts that bring requests in by themselves, that
//! have a queue or a schedule, or that want to look.

use serde_json::json;
use sophos_isolation::{
    Answer as Word, AnswerError, Decision, DecisionId, FollowUpReport, State, Worked as WorkedOn,
    policy::Policy,
    webhook::{Request as Received, Response},
};

use super::{
    engine, journal, ledger,
    receive::{self, Caller},
    rules::Rules,
};
use crate::{
    Component,
    bindings::exports::sophos::central::decisions::{
        Answer, Approval, Guest, Report, Request, Scope, Worked,
    },
    run::run,
};

impl Guest for Component {
    fn receive(request: Request) -> Answer {
        let caller = request.caller.and_then(|address| address.parse().ok());
        let request = Received {
            method: request.method,
            path: request.path,
            query: request.query,
            headers: request.headers,
            body: request.body,
            from: caller,
            client_certificate: None,
        };
        answer(receive::request(request, Caller::Known))
    }

    fn receive_event(event: String) -> Answer {
        answer(match serde_json::from_str(&event) {
            Ok(event) => receive::event(&event),
            Err(error) => {
                let response = Response::error(422, "not JSON");
                journal::record_problem(&response, format!("the event is not JSON: {error}"));
                response
            }
        })
    }

    fn work(decisions: Vec<String>) -> Result<Vec<Worked>, String> {
        let (mut ids, mut worked) = (Vec::new(), Vec::new());
        for decision in decisions {
            match id(&decision) {
                Ok(id) => ids.push(id),
                Err(why) => worked.push(Worked { decision, state: None, failure: Some(why) }),
            }
        }
        worked.extend(engine::work(&Rules::in_force()?, &ids)?.into_iter().map(worked_on));
        Ok(worked)
    }

    fn follow_up(which: Scope) -> Result<Report, String> {
        let rules = Rules::in_force()?;
        let report = engine::with(&rules, async |engine, stop_at| match which {
            Scope::Due => engine.follow_up(&rules.policy, stop_at).await,
            Scope::Everything => engine.follow_up_all(&rules.policy, stop_at).await,
        })?;
        report.map(told).map_err(|error| error.to_string())
    }

    fn find(decision: String) -> Result<Option<String>, String> {
        Ok(known(&id(&decision)?)?.map(|decision| {
            let mut shown = json!(decision);
            shown["state"] = json!(decision.state());
            shown.to_string()
        }))
    }

    fn settle(decision: String, answer: Approval, who: String) -> Result<String, String> {
        let (id, rules) = (id(&decision)?, Rules::in_force()?);
        let word = match answer {
            Approval::Approve => Word::Approve,
            Approval::Decline => Word::Decline,
        };
        let settled = run(ledger::open().answer(&id, word, &who, super::now())).map_err(no_change)?;
        if settled.state() == State::Approved {
            engine::work(&rules, std::slice::from_ref(&id))?;
        } else {
            look_at(&rules, std::slice::from_ref(&id))?;
        }
        state_of(&id)
    }

    fn end_isolation(decision: String, who: String) -> Result<String, String> {
        let (id, rules) = (id(&decision)?, Rules::in_force()?);
        let ended = run(ledger::open().release(&id, &who, super::now())).map_err(no_change)?;
        look_at(&rules, &ended)?;
        state_of(&id)
    }

    fn check_policy(text: String) -> Result<Vec<String>, String> {
        let policy = Policy::parse(&text).map_err(|error| error.to_string())?;
        Ok(policy.warnings().iter().map(ToString::to_string).collect())
    }
}

fn answer(response: Response) -> Answer {
    Answer { status: response.status, headers: response.headers, body: response.body }
}

fn id(text: &str) -> Result<DecisionId, String> {
    text.parse().map_err(str::to_owned)
}

fn worked_on(worked: WorkedOn) -> Worked {
    let decision = worked.id.to_string();
    match worked.outcome {
        Ok(state) => Worked { decision, state: state.map(word), failure: None },
        Err(error) => Worked { decision, state: None, failure: Some(error.to_string()) },
    }
}

fn word(state: State) -> String {
    state.as_str().to_owned()
}

fn told(report: FollowUpReport) -> Report {
    Report {
        due: report.due,
        moved: report.moved.into_iter().map(|(state, count)| (state.to_owned(), count)).collect(),
        overdue: report.overdue,
        failures: report.errors,
    }
}

fn no_change(error: AnswerError) -> String {
    error.to_string()
}

/// Takes decisions on now, before they are due.
fn look_at(rules: &Rules, ids: &[DecisionId]) -> Result<(), String> {
    let looked =
        engine::with(rules, async |engine, stop_at| engine.follow_up_on(&rules.policy, ids, stop_at).await)?;
    looked.map(drop).map_err(|error| error.to_string())
}

fn known(id: &DecisionId) -> Result<Option<Decision>, String> {
    run(ledger::open().decision(id)).map_err(|failure| failure.to_string())
}

fn state_of(id: &DecisionId) -> Result<String, String> {
    let decision = known(id)?.ok_or_else(|| AnswerError::Unknown(id.clone()).to_string())?;
    Ok(word(decision.state()))
}
