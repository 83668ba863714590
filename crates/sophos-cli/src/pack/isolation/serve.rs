//! `sophos isolation serve`: webhook and worker in this process.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request as HttpRequest, State},
    response::Response as HttpResponse,
};
use serde_json::Value;
use sophos_isolation::{
    DecisionId, DecisionOutcome, FollowUpScope, Ledger,
    adapters::Message,
    check::Check,
    policy::{Mode, Policy},
    webhook::{MAX_BODY_LEN, Queue, Request, RequestLog, Response, Webhook},
};
use sophos_secrets::FileSecrets;
use sophos_store::Store;
use tokio::{
    net::TcpListener,
    sync::{
        mpsc::{self, UnboundedReceiver, UnboundedSender},
        watch,
    },
    time::MissedTickBehavior,
};

use super::{
    ServeArgs,
    engine::{self, BackendFailure, LocalEngine, Outcomes, backend_failure, step_deadline},
    policy_file::PolicyFile,
    sender_secrets::SenderSecrets,
};
use crate::{
    context::Context,
    exit::Failure,
    global_args::OutputFormat,
    pack::{
        client, store,
        values::{counted, since_epoch},
    },
    transport::CliTransport,
};

/// The queue between webhook and worker.
struct LocalQueue {
    decisions: UnboundedSender<Vec<DecisionId>>,
    engine: Arc<LocalEngine>,
}

impl Queue for LocalQueue {
    async fn send(&self, decisions: &[DecisionId]) -> Result<(), BackendFailure> {
        self.decisions.send(decisions.to_vec()).map_err(backend_failure)
    }

    async fn check(&self, policy: &Policy, _: &Message<'_>, check: Check) -> Result<Value, BackendFailure> {
        let checked = Box::pin(self.engine.check(policy, check, step_deadline())).await;
        serde_json::to_value(checked.map_err(backend_failure)?).map_err(backend_failure)
    }
}

/// The parts that a request needs.
struct Server {
    webhook: Webhook<Arc<Store>, SenderSecrets, LocalQueue>,
    policy: Arc<PolicyFile>,
    notes: UnboundedSender<String>,
}

/// Runs the command.
pub(super) async fn run(args: &ServeArgs, context: &Context) -> Result<(), Failure> {
    let policy = Arc::new(PolicyFile::open(&args.policy, context)?);
    let ledger = Arc::new(store::open(&args.ledger)?);
    let (outcomes, received) = mpsc::unbounded_channel();
    let engine = Arc::new(engine::connect(context, Arc::clone(&ledger), Outcomes::to(outcomes)).await?);
    let (decisions, queued) = mpsc::unbounded_channel();
    let (notes, noted) = mpsc::unbounded_channel();
    let secrets = args.secrets.clone().map(FileSecrets::new);
    let secrets = SenderSecrets::new(secrets, CliTransport::new(context.globals.debug)?);
    let queue = LocalQueue { decisions, engine: Arc::clone(&engine) };
    let server = Arc::new(Server {
        webhook: Webhook::new(Ledger::new(ledger), secrets, queue),
        policy: Arc::clone(&policy),
        notes: notes.clone(),
    });
    let listener = TcpListener::bind(args.listen).await.map_err(|error| {
        Failure::other(format!("listening on {} failed: {error}", args.listen))
            .hint("choose another --listen")
    })?;
    let address = listener.local_addr().unwrap_or(args.listen);
    show_start(context, &policy, address);

    let (stopping, stop) = watch::channel(false);
    let _interrupts = client::on_interrupt(context, "ending after the current decisions", move || {
        stopping.send_replace(true);
    });
    let router = Router::new().fallback(handle).with_state(server);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let stopped = stop_of(stop.clone());
    // The server drops the queue when it ends, and then the worker ends.
    let serve = async move { axum::serve(listener, service).with_graceful_shutdown(stopped).await };
    let work = run_worker(&engine, &policy, args.follow_up, queued, stop, notes);
    let ((served, ()), printed) = {
        let work = async { tokio::join!(serve, work) };
        let (done, ended) = watch::channel(false);
        let work = async {
            let result = work.await;
            done.send_replace(true);
            result
        };
        tokio::join!(work, print(context, received, noted, ended))
    };
    served.map_err(|error| Failure::other(format!("serving requests failed: {error}")))?;
    printed
}

fn show_start(context: &Context, policy: &PolicyFile, address: SocketAddr) {
    let (policy, _) = policy.current();
    let names: Vec<_> = policy.sources().map(|source| source.name.as_str()).collect();
    if policy.mode() == Mode::DryRun {
        context.warn("dry run: decisions are recorded, and nothing is isolated");
    }
    if !address.ip().is_loopback() {
        context.warn("other machines reach this address without TLS; put a proxy with TLS in front of it");
    }
    let sources = counted(names.len() as u64, "source");
    context.note(&format!("listening on http://{address}/hooks/SOURCE for {sources}: {}", names.join(", ")));
}

async fn stop_of(mut stop: watch::Receiver<bool>) {
    // Without a sender the process ends anyway.
    let _ = stop.wait_for(|stopped| *stopped).await;
}

/// Processes decisions as they arrive, and follows up those that are due. Ends when the
/// webhook has ended and its decisions are processed.
async fn run_worker(
    engine: &LocalEngine,
    policy: &PolicyFile,
    interval: Duration,
    mut queued: UnboundedReceiver<Vec<DecisionId>>,
    stop: watch::Receiver<bool>,
    notes: UnboundedSender<String>,
) {
    let note = |messages: Vec<String>| messages.into_iter().for_each(|message| drop(notes.send(message)));
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            ids = queued.recv() => {
                let Some(ids) = ids else { break };
                let (policy, messages) = policy.current();
                note(messages);
                note(engine::process(engine, &policy, &ids).await);
            }
            _ = ticks.tick(), if !*stop.borrow() => {
                let (policy, messages) = policy.current();
                note(messages);
                note(engine::follow_up(engine, &policy, FollowUpScope::Due).await);
            }
        }
    }
}

/// Prints outcomes on standard output, and notes on standard error, until the work ends.
async fn print(
    context: &Context,
    mut outcomes: UnboundedReceiver<DecisionOutcome>,
    mut notes: UnboundedReceiver<String>,
    mut ended: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let is_table = context.output.format == OutputFormat::Table;
    let mut records = context.records(&[]);
    let mut show = |outcome: &DecisionOutcome| -> Result<(), Failure> {
        if is_table {
            // A table would wait for more rows.
            println!("{}", outcome_line(outcome));
            return Ok(());
        }
        records.write(outcome)?;
        records.flush_rows()
    };
    loop {
        tokio::select! {
            biased;
            Some(outcome) = outcomes.recv() => show(&outcome)?,
            Some(note) = notes.recv() => context.note(&note),
            // After the last outcome and note.
            _ = ended.wait_for(|ended| *ended) => break,
        }
    }
    if is_table { Ok(()) } else { records.finish().map(drop) }
}

/// An outcome as a line for people.
fn outcome_line(outcome: &DecisionOutcome) -> String {
    let host = outcome.target.as_ref().and_then(|target| target.hostname.as_deref()).unwrap_or("-");
    let reason = match (&outcome.code, &outcome.detail) {
        (Some(code), Some(detail)) => format!(" ({code}): {detail}"),
        (None, Some(detail)) => format!(": {detail}"),
        _ => String::new(),
    };
    format!(
        "{} {} {} {host} {}{reason}",
        outcome.occurred_at, outcome.decision, outcome.source, outcome.status
    )
}

async fn handle(
    State(server): State<Arc<Server>>,
    ConnectInfo(caller): ConnectInfo<SocketAddr>,
    request: HttpRequest,
) -> HttpResponse {
    let (policy, messages) = server.policy.current();
    for message in messages {
        let _ = server.notes.send(message);
    }
    let Some(request) = convert_request(request, caller).await else {
        let problem = format!("invalid body: expected at most {MAX_BODY_LEN} bytes");
        return convert_response(&Response::error(413, &problem));
    };
    let (response, log) = Box::pin(server.webhook.handle(&policy, &request, since_epoch())).await;
    let _ = server.notes.send(request_line(&request.method, &response, &log));
    convert_response(&response)
}

/// Converts a request; `None` if its body is too large.
async fn convert_request(request: HttpRequest, caller: SocketAddr) -> Option<Request> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY_LEN).await.ok()?;
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in &parts.headers {
        let Ok(value) = value.to_str() else { continue };
        match headers.iter_mut().find(|(known, _)| known == name.as_str()) {
            Some((_, values)) => values.extend([", ", value]),
            None => headers.push((name.as_str().to_owned(), value.to_owned())),
        }
    }
    Some(Request {
        method: parts.method.as_str().to_ascii_uppercase(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers,
        body: body.to_vec(),
        source_ip: Some(caller.ip()),
        client_certificate: None,
    })
}

fn convert_response(response: &Response) -> HttpResponse {
    let mut builder = HttpResponse::builder().status(response.status);
    for (name, value) in &response.headers {
        builder = builder.header(name, value);
    }
    builder.body(Body::from(response.body.clone())).unwrap_or_default()
}

/// A request as a line for the operator. The path may hold a secret.
fn request_line(method: &str, response: &Response, log: &RequestLog) -> String {
    let source = log.source.as_deref().unwrap_or("unknown source");
    let mut parts = vec![format!("{method} {source}: {}", response.status)];
    parts.extend(log.created.iter().map(|id| format!("new {id}")));
    parts.extend(log.duplicates.iter().map(|id| format!("duplicate {id}")));
    parts.extend(log.problem());
    parts.extend(log.notes());
    parts.join(", ")
}
