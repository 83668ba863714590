//! Carries out steps against a component, for the tests: JSON lines in, JSON lines
//! out.
//!
//! A line with a `component` (a file) opens a session: `service`, `grants` (one for
//! each occasion), and `allow`, the hosts that may be reached. Its answer is what the
//! component imports. Every other line is a step, `{"call": "endpoints.search",
//! "arguments": […]}`, in which `"$tenant"` stands for the last tenant that was seen.
//! Its answer is `{"ok": …}` or `{"failure": …}`, in the names of the WIT, or
//! `{"absent": …}` when the component has no such function.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use central_host::{
    Answer, Call, Central, Obtain, Requests, Session,
    bindings::sophos::central::credentials::{Access, Addresses, Client, Grant, Occasion, Service, Token},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use wasmtime::{Engine, Result, component::ResourceAny, error::Context};

#[derive(Deserialize)]
struct Plan {
    component: PathBuf,
    service: Places,
    grants: Grants,
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Places {
    identity: String,
    global: String,
}

#[derive(Deserialize)]
struct Grants {
    needed: Option<Given>,
    refused: Option<Given>,
}

/// A grant, as the WIT has it.
#[derive(Clone, Deserialize)]
#[serde(tag = "tag", content = "val", rename_all = "kebab-case")]
enum Given {
    Client {
        id: String,
        secret: String,
    },
    Token {
        value: String,
        #[serde(rename = "expires-in")]
        expires_in: Option<u32>,
    },
    Ambient,
}

#[derive(Deserialize)]
struct Step {
    call: String,
    arguments: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Plan(Plan),
    Step(Step),
}

#[tokio::main]
async fn main() -> Result<()> {
    let engine = central_host::engine()?;
    // Compiled code is shared by all sessions.
    let mut loaded = HashMap::new();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut stdout = tokio::io::stdout();
    let mut open: Option<(Session, Option<ResourceAny>)> = None;
    while let Some(line) = lines.next_line().await? {
        let answer = match serde_json::from_str(&line)? {
            Line::Plan(plan) => {
                let central = component(&engine, &mut loaded, &plan.component)?;
                let allow = plan.allow.clone();
                let requests = Requests::new(reqwest::Client::builder().no_proxy(), move |host| {
                    allow.iter().any(|allowed| allowed == host)
                })?;
                open = Some((central.session(obtain(plan), requests).await?, None));
                json!({"ok": central.imports()})
            }
            Line::Step(wanted) => {
                let (session, tenant) = open.as_mut().context("a step without a session")?;
                step(session, tenant, &wanted).await?
            }
        };
        stdout.write_all(format!("{answer}\n").as_bytes()).await?;
        stdout.flush().await?;
    }
    Ok(())
}

fn component(engine: &Engine, loaded: &mut HashMap<PathBuf, Central>, file: &PathBuf) -> Result<Central> {
    if let Some(central) = loaded.get(file) {
        return Ok(central.clone());
    }
    let central = Central::load(engine, file)?;
    loaded.insert(file.clone(), central.clone());
    Ok(central)
}

fn obtain(plan: Plan) -> Obtain {
    Arc::new(move |why| {
        let (given, word) = match why {
            Occasion::Needed => (&plan.grants.needed, "needed"),
            Occasion::Refused => (&plan.grants.refused, "refused"),
        };
        let access = match given.clone() {
            None => Err(format!("the plan has no grant when one is {word}")),
            Some(given) => Ok(Access {
                grant: match given {
                    Given::Client { id, secret } => Grant::Client(Client { id, secret }),
                    Given::Token { value, expires_in } => Grant::Token(Token { value, expires_in }),
                    Given::Ambient => Grant::Ambient,
                },
                service: Service::Other(Addresses {
                    identity: plan.service.identity.clone(),
                    global: plan.service.global.clone(),
                }),
            }),
        };
        Box::pin(std::future::ready(access))
    })
}

async fn step(session: &mut Session, tenant: &mut Option<ResourceAny>, wanted: &Step) -> Result<Value> {
    let (interface, function) = wanted.call.split_once('.').context("a call is interface.function")?;
    let call = Call { interface, function, arguments: &wanted.arguments, tenant: *tenant };
    let (answer, seen) = session.call(call).await?;
    *tenant = seen.or(*tenant);
    Ok(match answer {
        Answer::Ok(value) => json!({"ok": value}),
        Answer::Failure(failure) => json!({"failure": failure}),
        Answer::Absent => json!({"absent": wanted.call}),
    })
}
