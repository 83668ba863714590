//! The API requests of one isolation, by the identifier in the alert.

use std::net::Ipv4Addr;

use end_to_end::isolation::{
    Delivery, ENFORCE_POLICY, IsolationEnv, TENANT, parse_decision_id, unix_now, webhook_secret,
};
use local_lambda::FunctionUrl;
use serde_json::{Value, json};
use sophos_isolation::Decision;
use sophos_simulator::{
    CallCounts, ClockConfig, Config, CredentialConfig, CredentialKind, IsolationConfig, MachineConfig, Owner,
    Role, TenantGroup,
};
use tokio::time::Instant;

use crate::{BenchResult, measure::ms, print_line};

/// The numbers of endpoints of the tenant.
const ENDPOINT_COUNTS: [u32; 2] = [20, 50_000];

/// The identifiers of a machine. The first isolation of a process also requests a token and
/// counts the estate, so one identifier is repeated.
const IDENTIFIERS: [(&str, Identifier); 6] = [
    ("endpoint id, first", Identifier::EndpointId),
    ("endpoint id", Identifier::EndpointId),
    ("EC2 instance id", Identifier::Ec2InstanceId),
    ("MAC address", Identifier::Mac),
    ("host name", Identifier::Hostname),
    ("IP address", Identifier::Address),
];

#[derive(Debug, Clone, Copy)]
enum Identifier {
    EndpointId,
    Ec2InstanceId,
    Mac,
    Hostname,
    Address,
}

impl Identifier {
    /// The target of an alert about machine `number`.
    fn target(self, number: u32) -> Value {
        match self {
            Self::EndpointId => json!({ "endpoint_id": endpoint(number) }),
            Self::Ec2InstanceId => json!({ "ec2_instance_id": instance(number) }),
            Self::Mac => json!({ "mac": mac(number) }),
            Self::Hostname => json!({ "hostname": hostname(number) }),
            Self::Address => json!({ "ip": address(number) }),
        }
    }
}

pub(crate) async fn run() -> BenchResult {
    print_line(
        "\nRequests to Sophos Central for one isolation, in an estate whose host names share their first\n\
         ten characters. One of the lists counts the isolated endpoints:",
    )?;
    print_line("  endpoints  identifier          requests   lists  isolations   others        ms  result")?;
    for endpoints in ENDPOINT_COUNTS {
        run_estate(endpoints).await?;
    }
    Ok(())
}

/// Isolates one machine for each identifier, all in one process.
///
/// # Errors
///
/// When the response is not 202, or the wrong machine is isolated.
async fn run_estate(endpoints: u32) -> BenchResult {
    let env = IsolationEnv::start(config(endpoints), CredentialKind::Tenant, ENFORCE_POLICY).await?;
    let webhook = FunctionUrl::start(env.webhook(), 1).await?;
    let http = reqwest::Client::new();
    // The last machines, which a list of the whole estate reaches at its end.
    for (number, (name, identifier)) in (1..endpoints).rev().zip(IDENTIFIERS) {
        env.simulator.reset_calls();
        env.simulator.clear_isolation_changes();
        let body = json!({
            "event_id": format!("alert-{number}"),
            "observed_at": jiff::Timestamp::now().to_string(),
            "target": identifier.target(number),
        });
        let delivery = Delivery::generic("soar", &body, webhook_secret("webhooks/generic"), unix_now());
        let begin = Instant::now();
        let (status, answer) = delivery.send(&http, &webhook.url()).await?;
        let time = ms(begin.elapsed());
        if status != 202 {
            return Err(format!("the response to an alert with the {name} is {status}: {answer}").into());
        }
        let counts = RequestCounts::from_calls(&env.simulator.calls());
        let decision = env.decision(&parse_decision_id(&answer)?).await?;
        let changes = env.simulator.isolation_changes();
        if let Some(wrong) = changes.iter().find(|change| change.endpoint != endpoint(number)) {
            return Err(format!("{} was isolated instead of {}", wrong.endpoint, endpoint(number)).into());
        }
        let result = if changes.is_empty() { refusal(&decision) } else { "isolated".to_owned() };
        let RequestCounts { total, lists, isolations } = counts;
        print_line(&format!(
            "  {endpoints:>9}  {name:<18}  {total:>8}  {lists:>6}  {isolations:>10}  {:>7}  {time:>8.0}  {result}",
            total - lists - isolations,
        ))?;
    }
    Ok(())
}

/// The reason of a refusal.
fn refusal(decision: &Decision) -> String {
    let code = decision.refusal().map(|(code, _)| format!("refused: {code}"));
    code.unwrap_or_else(|| format!("not isolated: {}", decision.state()))
}

struct RequestCounts {
    total: u64,
    lists: u64,
    isolations: u64,
}

impl RequestCounts {
    fn from_calls(calls: &CallCounts) -> Self {
        Self {
            total: calls.total,
            lists: calls.operation("endpoints.list"),
            isolations: calls.operation("isolation.set") + calls.operation("isolation.bulk"),
        }
    }
}

fn endpoint(number: u32) -> String {
    format!("e0000000-0000-4000-8000-{number:012x}")
}

fn hostname(number: u32) -> String {
    format!("WORKSTATION-{number:06}")
}

fn instance(number: u32) -> String {
    format!("i-{number:017x}")
}

fn mac(number: u32) -> String {
    let [_, high, middle, low] = number.to_be_bytes();
    format!("02:00:00:{high:02x}:{middle:02x}:{low:02x}")
}

fn address(number: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 0, 0, 0)) + number)
}

fn config(endpoints: u32) -> Config {
    let machine = |number| MachineConfig {
        id: Some(endpoint(number)),
        ipv4: Some(vec![address(number)]),
        macs: Some(vec![mac(number)]),
        cloud_instance: Some(instance(number)),
        ..MachineConfig::computer(TENANT, hostname(number))
    };
    Config {
        clock: ClockConfig { start: None, running: true },
        tenants: vec![TenantGroup {
            id: Some(TENANT.into()),
            endpoints: Some(0),
            ..TenantGroup::new(Owner::Standalone, 1)
        }],
        machines: (0..endpoints).map(machine).collect(),
        credentials: vec![CredentialConfig::for_tenant(TENANT, Role::SuperAdmin)],
        isolation: IsolationConfig { report_delay_seconds: 0 },
        ..Config::default()
    }
}
