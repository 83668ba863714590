//! A smoke test of the deployed stack, from the deployment to the permissions.

use std::{env, fs, io, time::Duration};

use local_lambda::InvocationOutcome;
use serde_json::{Value, json};
use sophos_export::Dataset;
use sophos_simulator::{
    ClockConfig, Config, CredentialConfig, CredentialInfo, CredentialKind, DataConfig, IsolationConfig,
    MachineConfig, MachineType, Owner, Role, Simulator, TenantGroup,
};
use tempfile::TempDir;

use super::{Account, DeployPackages, DeployedStack, SamCli, ScheduleResult, exports::LAKE_BUCKET};
use crate::{
    aws::ACCOUNT,
    isolation::{Delivery, unix_now},
    queue::DrainReport,
};

/// The name of the stack.
pub const STACK_NAME: &str = "sophos-central-local";

/// The tenant with named machines.
pub const TENANT: &str = "0afef0e6-5df7-4cc0-b8d4-068cfd6820d1";

/// The maximum number of receives for an expected message.
const MAX_QUEUE_POLLS: usize = 1_000;

/// The EC2 instance id of one of these machines.
const INSTANCE: &str = "i-0a1b2c3d4e5f60718";

/// The maximum number of reads of a decision until it ends.
const MAX_STATE_POLLS: u32 = 150;

/// A policy with GuardDuty and the source whose key the stack created.
const POLICY: &str = r#"version = 1
mode = "enforce"

[release]
after = "1s"

[limits]
estate_share = 1.0

[protect]
types = ["server"]

[approve]
patterns = ["CEO-*"]
secret = "isolation/approval"

[sources.first]
tool = "generic"
tenants = ["0afef0e6-5df7-4cc0-b8d4-068cfd6820d1"]
verify = { scheme = "signature", secret = "webhooks/first" }

[sources.guardduty]
tool = "guardduty"
tenants = ["0afef0e6-5df7-4cc0-b8d4-068cfd6820d1"]
accounts = { "123456789012" = "0afef0e6-5df7-4cc0-b8d4-068cfd6820d1" }
"#;

/// A local Sophos Central, and the stack deployed for it.
#[derive(Debug)]
pub struct SmokeTest {
    /// The account.
    pub account: Account,
    /// The stack.
    pub stack: DeployedStack,
    /// The simulator.
    pub simulator: Simulator,
    /// The SAM CLI.
    pub sam: SamCli,
    /// The first credential.
    pub credential: CredentialInfo,
    folder: TempDir,
}

fn simulator_config() -> Config {
    let machine = |name: &str| MachineConfig::computer(TENANT, name);
    let instance = MachineConfig { cloud_instance: Some(INSTANCE.into()), ..machine("build-agent-7") };
    let server = MachineConfig { machine_type: Some(MachineType::Server), ..machine("DC01") };
    let tenant = TenantGroup {
        id: Some(TENANT.into()),
        name: Some("Harbour Logistics".into()),
        endpoints: Some(10),
        ..TenantGroup::new(Owner::Partner, 1)
    };
    Config {
        clock: ClockConfig { start: None, running: true },
        tenants: vec![tenant, TenantGroup::new(Owner::Partner, 2)],
        credentials: vec![CredentialConfig::new(CredentialKind::Partner, Role::SuperAdmin)],
        machines: vec![machine("LAPTOP-4711"), machine("CEO-1"), server, instance],
        isolation: IsolationConfig { report_delay_seconds: 0 },
        data: DataConfig { events_per_hour: 60.0, alerts_per_hour: 2.0, ..DataConfig::default() },
        ..Config::default()
    }
}

impl SmokeTest {
    /// Deploys the stack with all datasets, snapshots in Parquet and a security lake, if the
    /// emulator and SAM are installed; otherwise prints the reason.
    ///
    /// # Errors
    /// When a part does not start, or the deployment fails.
    pub async fn start(packages: &DeployPackages) -> io::Result<Option<Self>> {
        Self::start_with(packages, async |account| {
            account.moto().create_bucket(LAKE_BUCKET, None).await?;
            Ok(vec![
                ("Datasets", Dataset::ALL.map(Dataset::name).join(",")),
                ("SnapshotFormat", "parquet".into()),
                ("Lake", "ENABLED".into()),
                ("LakeBucket", LAKE_BUCKET.into()),
                ("LakeClasses", "2004,5001,7001,7002,7003".into()),
            ])
        })
        .await
    }

    /// Deploys the stack with changed parameters. `prepare` creates before what they name.
    ///
    /// # Errors
    /// As for [`start`](Self::start), and when `prepare` fails.
    pub async fn start_with(
        packages: &DeployPackages,
        prepare: impl AsyncFnOnce(&Account) -> io::Result<Vec<(&'static str, String)>>,
    ) -> io::Result<Option<Self>> {
        let simulator = Simulator::start(simulator_config()).await.map_err(io::Error::other)?;
        let Some(account) = Account::open().await? else { return Ok(None) };
        account.watch_for_secrets(&simulator.credentials());
        let Some(sam) = SamCli::prepare(packages, account.moto().endpoint()).await? else { return Ok(None) };
        let mut parameters = Self::parameters(&simulator);
        for (name, value) in prepare(&account).await? {
            parameters.retain(|(known, _)| *known != name);
            parameters.push((name, value));
        }
        sam.deploy(STACK_NAME, &parameters).await?;
        let credential = simulator.credentials().into_iter().next();
        let credential = credential.ok_or_else(|| io::Error::other("the simulator has no credential"))?;
        let stack = account.stack(STACK_NAME).await?;
        Ok(Some(Self { account, stack, simulator, sam, credential, folder: tempfile::tempdir()? }))
    }

    fn parameters(simulator: &Simulator) -> Vec<(&'static str, String)> {
        let architecture = if env::consts::ARCH == "aarch64" { "arm64" } else { "x86_64" };
        vec![
            ("Architecture", architecture.into()),
            ("SophosIdentityUrl", simulator.identity_url()),
            ("SophosGlobalUrl", simulator.global_url()),
            ("Isolation", "ENABLED".into()),
            ("DryRun", "false".into()),
            ("Notices", "ENABLED".into()),
            ("NoticeQueue", "ENABLED".into()),
            ("NoticeTopic", "ENABLED".into()),
            ("ReaderPrincipal", "210987654321".into()),
            // The rate limit applies without delaying the test.
            ("RateLimit", "100/s".into()),
        ]
    }

    /// Deploys the stack again with these parameters changed. Earlier changes stay.
    ///
    /// # Errors
    /// When the deployment fails.
    pub async fn redeploy(&mut self, changed: &[(&'static str, &str)]) -> io::Result<()> {
        let mut parameters = Self::parameters(&self.simulator);
        parameters.extend(changed.iter().map(|(name, value)| (*name, (*value).to_owned())));
        self.sam.deploy(STACK_NAME, &parameters).await?;
        self.stack = self.account.stack(STACK_NAME).await?;
        Ok(())
    }

    /// Runs the command in an output of the stack, with this file.
    ///
    /// # Errors
    /// When the stack has no such output, or the command fails.
    pub async fn run_output_command(&self, output: &str, file: Option<(&str, &str)>) -> io::Result<String> {
        if let Some((name, content)) = file {
            fs::write(self.folder.path().join(name), content)?;
        }
        self.account.run_command(self.stack.output(output)?, self.folder.path()).await
    }

    /// Stores the isolation policy.
    ///
    /// # Errors
    /// As for [`run_output_command`](Self::run_output_command).
    pub async fn store_policy(&self) -> io::Result<()> {
        self.run_output_command("StorePolicyCommand", Some(("policy.toml", POLICY))).await.map(drop)
    }

    /// The schedule of this function.
    ///
    /// # Errors
    /// When there is not exactly one.
    pub fn schedule_for(&self, function: &str) -> io::Result<&str> {
        let own = format!(":function:{}", self.stack.resource(function)?.physical_id);
        let schedules =
            self.stack.resources_of_type("AWS::Scheduler::Schedule").map(|(_, schedule)| schedule);
        let mut own = schedules.filter(|schedule| {
            schedule.properties["Target"]["Arn"].as_str().is_some_and(|arn| arn.ends_with(&own))
        });
        match (own.next(), own.next()) {
            (Some(only), None) => Ok(&only.physical_id),
            _ => Err(io::Error::other(format!("{function} does not have exactly one schedule"))),
        }
    }

    /// The ARN of the queue whose URL is in this output.
    ///
    /// # Errors
    /// When the stack has no such output.
    pub fn queue_arn(&self, output: &str) -> io::Result<String> {
        let name = self.stack.output(output)?.rsplit('/').next().unwrap_or_default();
        Ok(format!("arn:aws:sqs:{}:{ACCOUNT}:{name}", crate::aws::REGION))
    }

    /// Sends a signed report about a host to the webhook. Returns the status and the
    /// response.
    ///
    /// # Errors
    /// When no response arrives.
    pub async fn send_report(&mut self, event: &str, host: &str, key: &str) -> io::Result<(u16, Value)> {
        let body = json!({ "event_id": event, "target": { "hostname": host }, "reason": "beacon" });
        let delivery = Delivery::generic("first", &body, key, unix_now());
        let base = self.stack.output("WebhookBaseUrl")?.to_owned();
        let url = self.account.function_endpoint(&self.stack, &format!("{base}/")).await?;
        delivery.send(self.account.http(), &url).await
    }

    /// Requests a dry run for a host from the webhook, and drains the queue until it is
    /// done. Returns the response.
    ///
    /// # Errors
    /// When no response arrives.
    pub async fn dry_run(&mut self, host: &str, key: &str) -> io::Result<Value> {
        let body = json!({ "event_id": "dry run", "target": { "hostname": host }, "reason": "beacon" });
        let delivery =
            Delivery::generic("first", &body, key, unix_now()).with_header("x-sophos-dry-run", "1");
        let base = self.stack.output("WebhookBaseUrl")?.to_owned();
        let url = self.account.function_endpoint(&self.stack, &format!("{base}/")).await?;
        let sent = delivery.send(self.account.http(), &url);
        // The message is handled completely; otherwise it would return later.
        let worked = async {
            for _ in 0..MAX_QUEUE_POLLS {
                if self.drain_isolation_queue().await?.handled > 0 {
                    break;
                }
            }
            Ok::<_, io::Error>(())
        };
        let ((_, response), ()) = tokio::try_join!(sent, worked)?;
        Ok(response)
    }

    /// Sends one signed report twice with different values of `Idempotency-Key`, which the
    /// signature does not cover. Returns both statuses.
    ///
    /// # Errors
    /// When no response arrives.
    pub async fn replay(&mut self, host: &str, key: &str) -> io::Result<[u16; 2]> {
        let body = json!({ "target": { "hostname": host }, "reason": "beacon" });
        let signed = Delivery::generic("first", &body, key, unix_now());
        let base = self.stack.output("WebhookBaseUrl")?.to_owned();
        let url = self.account.function_endpoint(&self.stack, &format!("{base}/")).await?;
        let mut statuses = [0; 2];
        for (status, id) in statuses.iter_mut().zip(["one", "another"]) {
            let mut delivery = signed.clone();
            delivery.headers.push(("idempotency-key", id.to_owned()));
            *status = delivery.send(self.account.http(), &url).await?.0;
        }
        Ok(statuses)
    }

    /// Sends a signed report without an event id, which is invalid, and returns the status.
    ///
    /// # Errors
    /// When no response arrives.
    pub async fn send_report_without_event_id(&mut self, key: &str) -> io::Result<u16> {
        let body = json!({ "target": { "hostname": "LAPTOP-4711" }, "reason": "beacon" });
        let delivery = Delivery::generic("first", &body, key, unix_now());
        let base = self.stack.output("WebhookBaseUrl")?.to_owned();
        let url = self.account.function_endpoint(&self.stack, &format!("{base}/")).await?;
        Ok(delivery.send(self.account.http(), &url).await?.0)
    }

    /// Puts a GuardDuty finding about the instance on the account's default event bus.
    ///
    /// # Errors
    /// When the bus rejects it.
    pub async fn send_guardduty_finding(&self, id: &str) -> io::Result<()> {
        let detail = json!({
            "accountId": ACCOUNT,
            "id": id,
            "type": "CryptoCurrency:EC2/BitcoinTool.B",
            "title": "The instance mines bitcoin.",
            "severity": 8,
            "updatedAt": jiff::Timestamp::now().to_string(),
            "resource": { "resourceType": "Instance", "instanceDetails": { "instanceId": INSTANCE } },
            "service": { "archived": false, "count": 1 },
        });
        let event = aws_sdk_eventbridge::types::PutEventsRequestEntry::builder()
            .source("aws.guardduty")
            .detail_type("GuardDuty Finding")
            .detail(detail.to_string())
            .build();
        let put = self.account.moto().eventbridge().put_events().entries(event).send().await;
        match put.map_err(io::Error::other)?.failed_entry_count {
            0 => Ok(()),
            _ => Err(io::Error::other("the bus rejected the finding")),
        }
    }

    /// Drains the isolation queue with the worker.
    ///
    /// # Errors
    /// When the worker or a service fails.
    pub async fn drain_isolation_queue(&self) -> io::Result<DrainReport> {
        self.account.drain(&self.stack, &self.queue_arn("IsolationQueueUrl")?).await
    }

    /// Fires the worker's schedule, which confirms isolations and releases expired ones.
    ///
    /// # Errors
    /// When the worker or a service fails.
    pub async fn follow_up(&self) -> io::Result<ScheduleResult> {
        self.account.fire_schedule(self.schedule_for("WorkerFunction")?).await
    }

    /// Invokes the worker with a command.
    ///
    /// # Errors
    /// With the function's error.
    pub async fn invoke_worker(&self, order: &Value) -> io::Result<Value> {
        match self.account.invoke(self.stack.output("WorkerFunction")?, order).await? {
            InvocationOutcome::Ok(response) => Ok(response),
            other => Err(io::Error::other(format!("{other:?}"))),
        }
    }

    /// The state of a decision.
    ///
    /// # Errors
    /// When the decision does not exist.
    pub async fn state(&self, decision: &str) -> io::Result<String> {
        let shown = self.invoke_worker(&json!({ "show": decision })).await?;
        Ok(shown["state"].as_str().unwrap_or_default().to_owned())
    }

    /// Follows up until a decision is released or refused, and returns that state. It uses
    /// the schedule first, then commands that do not wait for due times.
    ///
    /// # Errors
    /// When the decision does not end, or the worker fails.
    pub async fn wait_until_ended(&self, decision: &str) -> io::Result<String> {
        if let Some(why) = self.follow_up().await?.error {
            return Err(io::Error::other(why));
        }
        for _ in 0..MAX_STATE_POLLS {
            let state = self.state(decision).await?;
            if state == "released" || state == "refused" {
                return Ok(state);
            }
            self.invoke_worker(&json!({ "follow_up": "all" })).await?;
            // The times of a policy are real, and an isolation lasts a second.
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Err(io::Error::other(format!("{decision} has not ended")))
    }

    /// Rotates the first credential.
    ///
    /// # Errors
    /// When Secrets Manager refuses, or a step fails.
    pub async fn rotate(&self) -> io::Result<Vec<String>> {
        let secret = self.stack.output("FirstCredentialSecret")?;
        let rotate = self.account.moto().secrets().rotate_secret().secret_id(secret).send().await;
        // moto reports that it will repeat a failed step, which appears as an error.
        let again = |message: &str| message.contains("will be reattempted");
        match rotate.map_err(|error| error.into_service_error()) {
            Err(error) if !error.meta().message().is_some_and(again) => return Err(io::Error::other(error)),
            _ => {}
        }
        let rotations = self.account.rotations().await?;
        let last = rotations.into_iter().rfind(|rotation| rotation.secret == secret);
        let last = last.ok_or_else(|| io::Error::other("no rotation was started"))?;
        match last.error {
            None => Ok(last.steps),
            Some(why) => Err(io::Error::other(format!("after {:?}: {why}", last.steps))),
        }
    }
}
