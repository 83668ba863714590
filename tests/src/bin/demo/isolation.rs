//! The second part: other tools send alerts, and the right endpoints are isolated, verified and
//! released.

use std::{error::Error, fs, io, path::Path, time::Duration};

use end_to_end::{
    isolation::{Delivery, IsolationEnv, parse_decision_id, unix_now, webhook_secret},
    queue::{EventSource, Queue},
};
use local_lambda::{FunctionUrl, InvocationOutcome, Sandbox};
use serde_json::{Value, json};
use sophos_isolation::{Decision, DecisionId, DecisionState, LedgerEntry, Transition};
use sophos_simulator::{
    Config, CredentialConfig, CredentialKind, IsolationConfig, MachineConfig, MachineType, Owner, Role,
    TenantGroup,
};

use crate::print_line;

const TENANT: &str = "0afef0e6-5df7-4cc0-b8d4-068cfd6820d1";
const ACCOUNT: &str = "123456789012";
const INSTANCE: &str = "i-0a1b2c3d4e5f60718";

/// The maximum time for each wait.
const WAIT_TIMEOUT: Duration = Duration::from_secs(60);

pub(crate) const POLICY: &str = r#"version = 1
mode = "enforce"

[release]
after = "6s"                    # hours, outside of a demo

[limits]
estate_share = 0.25             # of the tenant's endpoints at once
source_per_hour = 5

[protect]
types = ["server"]
patterns = ["DC*"]

[follow_up]
effect_timeout = "1s"

[sources.falcon]
tool = "crowdstrike"
tenants = ["0afef0e6-5df7-4cc0-b8d4-068cfd6820d1"]
verify = { scheme = "signature", secret = "webhooks/crowdstrike" }

[sources.siem]
tool = "splunk"
tenants = ["0afef0e6-5df7-4cc0-b8d4-068cfd6820d1"]
verify = { scheme = "path", secret = "webhooks/splunk" }
fields = { hostname = "/result/dest", severity = "/result/urgency" }

[sources.oncall]
tool = "pagerduty"
tenants = ["0afef0e6-5df7-4cc0-b8d4-068cfd6820d1"]
verify = { scheme = "signature", secret = "webhooks/pagerduty" }
fields = { hostname = "/event/data/custom_details/host" }

[sources.soar]
tool = "generic"
tenants = ["0afef0e6-5df7-4cc0-b8d4-068cfd6820d1"]
verify = { scheme = "signature", secret = "webhooks/generic" }

[sources.guardduty]
tool = "guardduty"
tenants = ["0afef0e6-5df7-4cc0-b8d4-068cfd6820d1"]
accounts = { "123456789012" = "0afef0e6-5df7-4cc0-b8d4-068cfd6820d1" }
"#;

pub(crate) fn config() -> Config {
    let machine = |name: &str| MachineConfig::computer(TENANT, name);
    let server = MachineConfig { machine_type: Some(MachineType::Server), ..machine("DC01") };
    let away =
        MachineConfig { online: Some(false), last_seen_seconds_ago: Some(3_600), ..machine("LAPTOP-0815") };
    let instance = MachineConfig { cloud_instance: Some(INSTANCE.into()), ..machine("build-agent-7") };
    let desks = [machine("FRONTDESK"), machine("FRONTDESK")];
    let tenant = TenantGroup {
        id: Some(TENANT.into()),
        name: Some("Harbour Logistics".into()),
        endpoints: Some(20),
        ..TenantGroup::new(Owner::Standalone, 1)
    };
    Config {
        tenants: vec![tenant],
        credentials: vec![CredentialConfig::for_tenant(TENANT, Role::Management)],
        machines: [machine("LAPTOP-4711"), away, server, instance].into_iter().chain(desks).collect(),
        isolation: IsolationConfig { report_delay_seconds: 60 },
        ..Config::default()
    }
}

/// All parts of the demo.
struct Fixture {
    env: IsolationEnv,
    http: reqwest::Client,
    webhook: FunctionUrl,
    /// Another sandbox of the webhook, for events of EventBridge.
    events: Sandbox,
    workers: EventSource,
    /// The queue between webhook and worker, which ends when it is dropped.
    _queue: Queue,
    worker: Sandbox,
    decisions: Vec<(&'static str, DecisionId)>,
}

impl Fixture {
    async fn start(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let env = IsolationEnv::start_in_folder(config(), CredentialKind::Tenant, POLICY, folder).await?;
        let queue = Queue::start().await?;
        let webhook = queue.configure(env.webhook()).env("ISOLATION_QUEUE_URL", queue.url());
        Ok(Self {
            http: reqwest::Client::new(),
            events: webhook.clone().start().await?,
            webhook: FunctionUrl::start(webhook, 2).await?,
            workers: EventSource::new(&queue, env.worker(), 1, 10).await?,
            worker: env.worker().start().await?,
            decisions: Vec::new(),
            _queue: queue,
            env,
        })
    }

    /// Sends a delivery, runs the worker, and prints the response and the decision.
    async fn post(&mut self, what: &'static str, delivery: &Delivery) -> Result<(), Box<dyn Error>> {
        let (status, response) = delivery.send(&self.http, &self.webhook.url()).await?;
        self.workers.drain().await;
        self.print_result(what, status, &response).await
    }

    async fn print_result(
        &mut self,
        what: &'static str,
        status: u16,
        response: &Value,
    ) -> Result<(), Box<dyn Error>> {
        print_line(&format!("* {what}"))?;
        if !matches!(status, 200 | 202) {
            print_line(&format!(
                "    {status} rejected: {}",
                response["error"].as_str().unwrap_or_default()
            ))?;
            return Ok(());
        }
        let id = parse_decision_id(response)?;
        let decision = self.env.decision(&id).await?;
        let result = if status == 200 { "already accepted" } else { "accepted" };
        print_line(&format!("    {status} {result}: decision {id} {}", describe(&decision)))?;
        if !self.decisions.iter().any(|(_, known)| *known == id) {
            self.decisions.push((what, id));
        }
        Ok(())
    }

    /// Invokes the worker until all these decisions are in this state.
    async fn follow_up_until(
        &mut self,
        state: DecisionState,
        ids: &[DecisionId],
    ) -> Result<(), Box<dyn Error>> {
        let deadline = tokio::time::Instant::now() + WAIT_TIMEOUT;
        loop {
            self.env.follow_up(&mut self.worker).await?;
            let mut left = 0;
            for id in ids {
                left += usize::from(self.env.state(id).await? != state);
            }
            if left == 0 {
                return Ok(());
            }
            if tokio::time::Instant::now() > deadline {
                return Err(format!("{left} of {} decisions did not become {state}", ids.len()).into());
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    fn id(&self, what: &str) -> Result<DecisionId, Box<dyn Error>> {
        let known = self.decisions.iter().find(|(known, _)| known.starts_with(what));
        Ok(known.map(|(_, id)| id.clone()).ok_or_else(|| format!("no decision for: {what}"))?)
    }

    async fn decision(&self, id: &DecisionId) -> io::Result<Decision> {
        self.env.decision(id).await
    }
}

/// The effect of a decision, and the reason of a refusal.
fn describe(decision: &Decision) -> String {
    let host = decision.target().and_then(|target| target.hostname.as_deref());
    match (decision.refusal(), host) {
        (Some((code, detail)), Some(host)) => format!("refuses to isolate {host} ({code}): {detail}"),
        (Some((code, detail)), None) => format!("isolates nothing ({code}): {detail}"),
        (None, host) => format!("isolates {}", host.unwrap_or("an endpoint without a name")),
    }
}

/// The reason of an overdue isolation.
fn overdue_reason(decision: &Decision) -> &str {
    let detail = decision.entries().iter().rev().find_map(|entry| match &entry.transition {
        Transition::Overdue { detail } => Some(detail.as_str()),
        _ => None,
    });
    detail.unwrap_or_default()
}

pub(crate) fn crowdstrike_detection(name: &str, id: &str) -> Value {
    json!({
        "metadata": { "eventType": "EppDetectionSummaryEvent" },
        "event": {
            "CompositeId": id,
            "Hostname": name,
            "SeverityName": "Critical",
            "Name": "Ransomware behaviour",
            "AgentIdString": "0123456789abcdef0123456789abcdef",
        },
    })
}

pub(crate) fn pagerduty_incident(name: &str, id: &str) -> Value {
    json!({ "event": {
        "id": id,
        "event_type": "incident.triggered",
        "data": {
            "title": "Beaconing to a known C2",
            "status": "triggered",
            "urgency": "high",
            "custom_details": { "host": name },
        },
    }})
}

pub(crate) fn splunk_result(name: &str, sid: &str) -> Value {
    json!({
        "sid": sid,
        "search_name": "Kerberoasting",
        "result": { "host": "log-collector-1", "dest": name, "urgency": "critical" },
    })
}

fn guardduty_finding() -> Value {
    json!({
        "version": "0",
        "id": "28e463cd-ca3b-587f-045e-49903af281e5",
        "detail-type": "GuardDuty Finding",
        "source": "aws.guardduty",
        "account": ACCOUNT,
        "region": "eu-west-1",
        "detail": {
            "accountId": ACCOUNT,
            "id": "6acdc15e4418414a868e8bbdf45b456b",
            "type": "CryptoCurrency:EC2/BitcoinTool.B",
            "title": "The instance mines bitcoin.",
            "severity": 8,
            "updatedAt": jiff::Timestamp::now().to_string(),
            "resource": { "resourceType": "Instance", "instanceDetails": { "instanceId": INSTANCE } },
            "service": { "archived": false, "count": 1 },
        },
    })
}

pub(crate) async fn run(folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut fixture = Fixture::start(folder).await?;
    print_line(
        "The simulator serves a tenant with 26 endpoints. Tools send alerts to the built isolation-webhook;",
    )?;
    print_line(
        "the built isolation-worker isolates. The policy protects servers and limits isolation to 25 %.\n",
    )?;
    let clock = fixture.env.simulator.clock();

    let alert = crowdstrike_detection("LAPTOP-4711", "ldt:1:42");
    let alert = Delivery::crowdstrike("falcon", &alert, webhook_secret("webhooks/crowdstrike"), unix_now());
    fixture.post("CrowdStrike reports LAPTOP-4711", &alert).await?;
    fixture.post("CrowdStrike repeats the request", &alert).await?;
    let forged = Delivery::pagerduty("oncall", &pagerduty_incident("LAPTOP-4711", "F1"), "a guessed key");
    fixture.post("An attacker forges a PagerDuty incident", &forged).await?;
    let protected = Delivery::splunk(
        "siem",
        &splunk_result("dc01.harbour.example", "s1"),
        webhook_secret("webhooks/splunk"),
    );
    fixture.post("Splunk reports DC01, a domain controller", &protected).await?;
    let body =
        json!({ "event_id": "case-7", "target": { "hostname": "FRONTDESK" }, "reason": "phishing kit" });
    let ambiguous = Delivery::generic("soar", &body, webhook_secret("webhooks/generic"), unix_now());
    fixture.post("A playbook names FRONTDESK, a name of two endpoints", &ambiguous).await?;
    let away = Delivery::pagerduty(
        "oncall",
        &pagerduty_incident("LAPTOP-0815", "P1"),
        webhook_secret("webhooks/pagerduty"),
    );
    fixture.post("PagerDuty reports LAPTOP-0815, which is offline", &away).await?;
    match fixture.events.invoke(&guardduty_finding()).await {
        InvocationOutcome::Ok(response) => {
            fixture.workers.drain().await;
            fixture
                .print_result("GuardDuty reports an EC2 instance that mines bitcoin", 202, &response)
                .await?;
        }
        other => return Err(format!("{other:?}\n{}", fixture.events.logs().join("\n")).into()),
    }

    let laptop = fixture.id("CrowdStrike reports")?;
    let offline = fixture.id("PagerDuty reports")?;
    let instance = fixture.id("GuardDuty")?;
    clock.advance(Duration::from_secs(61));
    fixture.follow_up_until(DecisionState::Isolated, &[laptop.clone(), instance.clone()]).await?;
    print_line("\n* A minute later, LAPTOP-4711 and build-agent-7 report that they are isolated")?;
    let begin = tokio::time::Instant::now();
    while !fixture.decision(&offline).await?.is_overdue() && begin.elapsed() < WAIT_TIMEOUT {
        tokio::time::sleep(Duration::from_millis(300)).await;
        fixture.env.follow_up(&mut fixture.worker).await?;
    }
    print_line(&format!(
        "* LAPTOP-0815 does not report: {}",
        overdue_reason(&fixture.decision(&offline).await?)
    ))?;
    let target = fixture.decision(&offline).await?.target().cloned().ok_or("the decision has no endpoint")?;
    fixture.env.simulator.set_endpoint_online(&target.tenant, &target.endpoint, true);
    fixture.follow_up_until(DecisionState::Isolated, std::slice::from_ref(&offline)).await?;
    print_line("* LAPTOP-0815 is online again, and reports that it is isolated")?;

    // A released endpoint reports after a minute of the simulator's clock.
    let held = [laptop.clone(), offline, instance];
    let mut left = 100;
    while left > 0
        && fixture.env.simulator.isolation_changes().iter().filter(|c| !c.enabled).count() < held.len()
    {
        tokio::time::sleep(Duration::from_millis(300)).await;
        fixture.env.follow_up(&mut fixture.worker).await?;
        left -= 1;
    }
    clock.advance(Duration::from_secs(61));
    fixture.follow_up_until(DecisionState::Released, &held).await?;
    print_line("* The isolations expire: the worker releases all three endpoints\n")?;

    print_line(&format!("  {:<52} {:<9} {}", "event", "state", "decision"))?;
    for (what, id) in &fixture.decisions {
        let state = fixture.decision(id).await?.state();
        print_line(&format!("  {what:<52} {:<9} {id}", state.as_str()))?;
    }
    print_line(&format!("\n  The ledger entries of {laptop}:"))?;
    for entry in fixture.decision(&laptop).await?.entries() {
        print_line(&format!("    {:04} {}", entry.sequence, describe_entry(entry)))?;
    }
    verify(&fixture, held.len())?;
    print_line(&format!("\nThe ledger is in {}, beside the policy.", folder.join("ledger").display()))?;
    Ok(())
}

/// A transition in one line.
fn describe_entry(entry: &LedgerEntry) -> String {
    let step = serde_json::to_value(&entry.transition).unwrap_or_default();
    let name = step["transition"].as_str().unwrap_or_default();
    let more = match &entry.transition {
        Transition::Received(received) => {
            format!(
                "from {}: {} ({})",
                received.source,
                received.signal.title,
                received.signal.host.hostnames.join(", ")
            )
        }
        Transition::Claimed(claim) => {
            format!("{} {}", claim.target.hostname.as_deref().unwrap_or_default(), claim.target.endpoint)
        }
        Transition::Isolated { effective_at } | Transition::Released { effective_at, .. } => {
            format!("at {}", effective_at.as_deref().unwrap_or("an unknown time"))
        }
        Transition::ReleasePending { .. } => "expired".into(),
        _ => String::new(),
    };
    format!("{name:<18} {more}").trim_end().to_owned()
}

/// Compares the simulator's isolation changes with the decisions.
fn verify(fixture: &Fixture, held: usize) -> Result<(), Box<dyn Error>> {
    let changes = fixture.env.simulator.isolation_changes();
    let mut endpoints: Vec<_> = changes.iter().map(|change| change.endpoint.as_str()).collect();
    endpoints.sort_unstable();
    endpoints.dedup();
    let of =
        |enabled: bool| changes.iter().filter(|change| change.changed && change.enabled == enabled).count();
    if (of(true), of(false), endpoints.len()) != (held, held, held) || changes.len() != 2 * held {
        return Err(
            format!("the isolation changes of the service differ from the decisions: {changes:?}").into()
        );
    }
    let ledger = fixture.env.folder().join("ledger/decisions");
    let decisions = fs::read_dir(ledger)?.count();
    if decisions != fixture.decisions.len() {
        return Err(
            format!("the ledger has {decisions} decisions: expected {}", fixture.decisions.len()).into()
        );
    }
    print_line(&format!(
        "\nPROOF: the service recorded one isolation and one release for each of {} endpoints, and no other change.",
        of(true)
    ))?;
    print_line(&format!("       The ledger has {decisions} decisions, and none for the forged incident."))?;
    Ok(())
}
