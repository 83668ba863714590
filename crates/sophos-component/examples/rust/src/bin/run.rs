//! Runs the steps of a test against a component: JSON lines in, JSON lines out.
//!
//! A line with a `component` (a file) opens a session. It also has `service`, `grants`
//! (one for each request reason) and `allow`, the allowed hosts. The response lists the
//! component's imports. Every other line is a step, `{"call": "endpoints.search",
//! "arguments": […]}`. In it `"$tenant"` is the last tenant of a response. The response
//! is `{"ok": …}`, `{"failure": …}` with the names of the WIT, or `{"absent": …}` if the
//! component lacks the function.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use central_host::{
    AllowedHttp, AuthProvider, CallOutcome, CentralComponent, DynamicCall, Session,
    bindings::sophos::central::credentials::{
        Access, BaseUrls, Client, Grant, RequestReason, Service, Token,
    },
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use wasmtime::{Engine, Result, component::ResourceAny, error::Context};

#[derive(Deserialize)]
struct SessionPlan {
    component: PathBuf,
    service: ServiceUrls,
    grants: PlannedGrants,
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct ServiceUrls {
    identity: String,
    global: String,
}

#[derive(Deserialize)]
struct PlannedGrants {
    needed: Option<GrantConfig>,
    rejected: Option<GrantConfig>,
}

/// A grant of the WIT.
#[derive(Clone, Deserialize)]
#[serde(tag = "tag", content = "val", rename_all = "kebab-case")]
enum GrantConfig {
    Client {
        id: String,
        secret: String,
    },
    Token {
        value: String,
        #[serde(rename = "expires-in")]
        expires_in: Option<u32>,
    },
    HostManaged,
}

#[derive(Deserialize)]
struct CallStep {
    call: String,
    arguments: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum InputLine {
    Plan(SessionPlan),
    Step(CallStep),
}

#[tokio::main]
async fn main() -> Result<()> {
    let engine = central_host::engine()?;
    // All sessions share the compiled code.
    let mut loaded = HashMap::new();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut stdout = tokio::io::stdout();
    let mut open: Option<(Session, Option<ResourceAny>)> = None;
    while let Some(line) = lines.next_line().await? {
        let response = match serde_json::from_str(&line)? {
            InputLine::Plan(plan) => {
                let central = load_component(&engine, &mut loaded, &plan.component)?;
                let allow = plan.allow.clone();
                let requests = AllowedHttp::new(reqwest::Client::builder().no_proxy(), move |host| {
                    allow.iter().any(|allowed| allowed == host)
                })?;
                open = Some((central.session(auth_provider(plan), requests).await?, None));
                json!({"ok": central.imports()})
            }
            InputLine::Step(step) => {
                let (session, tenant) = open.as_mut().context("missing session")?;
                run_step(session, tenant, &step).await?
            }
        };
        stdout.write_all(format!("{response}\n").as_bytes()).await?;
        stdout.flush().await?;
    }
    Ok(())
}

fn load_component(
    engine: &Engine,
    loaded: &mut HashMap<PathBuf, CentralComponent>,
    file: &PathBuf,
) -> Result<CentralComponent> {
    if let Some(central) = loaded.get(file) {
        return Ok(central.clone());
    }
    let central = CentralComponent::load(engine, file)?;
    loaded.insert(file.clone(), central.clone());
    Ok(central)
}

fn auth_provider(plan: SessionPlan) -> AuthProvider {
    Arc::new(move |reason| {
        let (planned, word) = match reason {
            RequestReason::Needed => (&plan.grants.needed, "needed"),
            RequestReason::Rejected => (&plan.grants.rejected, "rejected"),
        };
        let access = match planned.clone() {
            None => Err(format!("the plan has no grant when one is {word}")),
            Some(grant) => Ok(Access {
                grant: match grant {
                    GrantConfig::Client { id, secret } => Grant::Client(Client { id, secret }),
                    GrantConfig::Token { value, expires_in } => Grant::Token(Token { value, expires_in }),
                    GrantConfig::HostManaged => Grant::HostManaged,
                },
                service: Service::Other(BaseUrls {
                    identity: plan.service.identity.clone(),
                    global: plan.service.global.clone(),
                }),
            }),
        };
        Box::pin(std::future::ready(access))
    })
}

async fn run_step(session: &mut Session, tenant: &mut Option<ResourceAny>, step: &CallStep) -> Result<Value> {
    let (interface, function) = step.call.split_once('.').context("expected interface.function")?;
    let call = DynamicCall { interface, function, arguments: &step.arguments, tenant: *tenant };
    let (outcome, found) = session.call(call).await?;
    *tenant = found.or(*tenant);
    Ok(match outcome {
        CallOutcome::Ok(value) => json!({"ok": value}),
        CallOutcome::Failure(failure) => json!({"failure": failure}),
        CallOutcome::Absent => json!({"absent": step.call}),
    })
}
