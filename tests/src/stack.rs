//! The stack, deployed into an account on loopback.
//!
//! CloudFormation and all services are the emulator's (see `tests/emulator`). The functions are
//! the deployed programs. Each runs on a local Runtime API with its configured environment,
//! timeout and memory, and with keys of its role, whose policies are enforced. Deployed
//! resources invoke them: schedules, event source mappings, rules, rotations, and HTTP
//! endpoints.

mod access;
mod approvals;
mod commands;
mod credentials;
mod deployed;
mod emulator_limits;
mod event_source_mapping;
mod exports;
mod functions;
mod sam;
mod smoke_test;

use std::{io, sync::Arc, time::Duration};

use local_lambda::{FunctionUrl, InvocationOutcome};
use serde_json::{Value, json};
use sophos_simulator::CredentialInfo;

pub use access::{AccessCount, AccessReport, Permission, RoleAccess};
pub use deployed::{DeployedResource, DeployedStack};
pub use emulator_limits::EMULATOR_LIMITS;
pub use exports::{ExportResult, LakeResult};
pub use sam::{DeployPackages, SamCli};
pub use smoke_test::{STACK_NAME, SmokeTest, TENANT};

use crate::{
    LambdaService, aws,
    moto::{Moto, Rotation},
    queue::DrainReport,
};
use event_source_mapping::EventSourceMapping;
use functions::DeployedFunctions;

/// The default maximum of processes of a function.
const DEFAULT_MAX_PROCESSES: usize = 4;

/// An account with its deployed stacks.
#[derive(Debug)]
pub struct Account {
    functions: Arc<DeployedFunctions>,
    /// All endpoints that were started, for their logs.
    endpoints: Vec<FunctionEndpoint>,
    http: reqwest::Client,
    _service: LambdaService,
}

/// The HTTP endpoint of a deployed function.
#[derive(Debug)]
struct FunctionEndpoint {
    function: String,
    revision: String,
    url: FunctionUrl,
}

/// The result of a scheduled invocation.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduleResult {
    /// The response of the function.
    pub response: Value,
    /// The error of the function.
    pub error: Option<String>,
}

/// An invocation by a rule.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleDelivery {
    /// The rule.
    pub rule: String,
    /// The function's ARN.
    pub function: String,
    /// The number of invocations for the event.
    pub attempts: u64,
    /// The response of the function.
    pub response: Value,
    /// The error of the function.
    pub error: Option<String>,
}

impl Account {
    /// Opens an empty account, if the emulator is installed; otherwise prints the reason.
    ///
    /// # Errors
    /// When the emulator does not start, or no port is available.
    pub async fn open() -> io::Result<Option<Self>> {
        let service = LambdaService::start().await?;
        let Some(moto) = Moto::start_with_stacks(&service.endpoint()).await? else { return Ok(None) };
        let functions = Arc::new(DeployedFunctions::new(moto)?);
        let finder = Arc::downgrade(&functions);
        service.set_fallback(move |name| {
            let finder = finder.upgrade();
            async move {
                match finder {
                    Some(functions) => functions.pool(&name).await,
                    None => Ok(None),
                }
            }
        });
        let http = reqwest::Client::builder().no_proxy().build().map_err(io::Error::other)?;
        Ok(Some(Self { functions, endpoints: Vec::new(), http, _service: service }))
    }

    /// The emulator, for operations with all permissions.
    pub fn moto(&self) -> &Moto {
        self.functions.moto()
    }

    /// Fails the test on [`close`](Self::close) if a function wrote one of these secrets,
    /// or a token.
    pub fn watch_for_secrets(&self, credentials: &[CredentialInfo]) {
        self.functions.leaks().add_credentials(credentials);
    }

    /// The deployed stack with its nested stacks.
    ///
    /// # Errors
    /// When the stack does not exist, or the emulator does not respond.
    pub async fn stack(&self, name: &str) -> io::Result<DeployedStack> {
        DeployedStack::parse(&self.moto().get("stacks").await?, name)
    }

    /// Deletes a stack through CloudFormation.
    ///
    /// # Errors
    /// When a resource cannot be deleted.
    pub async fn delete_stack(&self, name: &str) -> io::Result<()> {
        self.moto().delete_stack(name).await
    }

    /// Fires a schedule now.
    ///
    /// # Errors
    /// When the emulator does not respond.
    pub async fn fire_schedule(&self, schedule: &str) -> io::Result<ScheduleResult> {
        let value = self.moto().post("fire", &json!({ "Schedule": schedule })).await?;
        let response = value["Answer"].as_str().unwrap_or_default();
        let response = serde_json::from_str(response).unwrap_or(Value::Null);
        Ok(ScheduleResult { response, error: value["Error"].as_str().map(str::to_owned) })
    }

    /// Invokes a function directly.
    ///
    /// # Errors
    /// When the function does not exist or does not start.
    pub async fn invoke(&self, function: &str, event: &Value) -> io::Result<InvocationOutcome> {
        let pool = self.functions.pool(function).await?;
        let pool = pool.ok_or_else(|| io::Error::other(format!("unknown function {function}")))?;
        pool.invoke(event).await.map_err(io::Error::other)
    }

    /// Runs the event source mapping of a queue until no message is visible.
    ///
    /// # Errors
    /// When the stack has no such mapping, the role may not read the queue, or a service
    /// does not respond.
    pub async fn drain(&self, stack: &DeployedStack, queue_arn: &str) -> io::Result<DrainReport> {
        EventSourceMapping::find(stack, queue_arn, &self.functions).await?.drain().await
    }

    /// Waits until no invocation by a rule is in progress, and returns all of them.
    ///
    /// # Errors
    /// When the emulator does not respond.
    pub async fn deliveries(&self) -> io::Result<Vec<RuleDelivery>> {
        let value = self.moto().get("deliveries").await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let delivery = |value: &Value| RuleDelivery {
            rule: text(&value["Rule"]),
            function: text(&value["Function"]),
            attempts: value["Attempts"].as_u64().unwrap_or_default(),
            response: serde_json::from_str(&text(&value["Answer"])).unwrap_or(Value::Null),
            error: value["Error"].as_str().map(str::to_owned),
        };
        Ok(value.as_array().into_iter().flatten().map(delivery).collect())
    }

    /// Waits until no rotation is in progress, and returns all of them.
    ///
    /// # Errors
    /// When the emulator does not respond.
    pub async fn rotations(&self) -> io::Result<Vec<Rotation>> {
        self.moto().rotations().await
    }

    /// The loopback address of the function behind a public URL of the stack, as currently
    /// deployed.
    ///
    /// # Errors
    /// When the URL leads to no function, or the function does not start.
    pub async fn function_endpoint(&mut self, stack: &DeployedStack, url: &str) -> io::Result<String> {
        let function = stack.function_behind_url(url)?;
        let deployed = self.functions.function(&function).await?;
        let deployed = deployed.ok_or_else(|| io::Error::other(format!("unknown function {function}")))?;
        let same =
            |front: &&FunctionEndpoint| front.function == function && front.revision == deployed.revision;
        let front = match self.endpoints.iter().find(same) {
            Some(front) => front.url.url(),
            None => {
                let front = FunctionUrl::start(deployed.function, deployed.processes).await;
                let front = front.map_err(io::Error::other)?;
                let address = front.url();
                self.endpoints.push(FunctionEndpoint { function, revision: deployed.revision, url: front });
                address
            }
        };
        // The path of the public URL, such as a stage, stays.
        let path = url.splitn(4, '/').nth(3).unwrap_or_default();
        Ok(format!("{front}{path}"))
    }

    /// An HTTP client without a proxy.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// The requests of each role, and its used permissions.
    ///
    /// # Errors
    /// When the emulator does not respond.
    pub async fn access(&self) -> io::Result<AccessReport> {
        AccessReport::parse(&self.moto().get("access").await?)
    }

    /// Ends the processes of a function, as Lambda does after some time. The next process
    /// has empty caches.
    pub async fn restart(&self, function: &str) {
        self.functions.restart(function).await;
    }

    /// The logs of a function from all its invokers.
    pub fn logs(&self, function: &str) -> Vec<String> {
        let mut logs = self.functions.logs(function);
        let fronts = self.endpoints.iter().filter(|front| front.function == function);
        logs.extend(fronts.flat_map(|front| front.url.logs()));
        logs
    }

    /// An SQS client with keys of a role.
    ///
    /// # Errors
    /// When the emulator does not respond.
    pub async fn sqs_for_role(&self, role: &str) -> io::Result<aws_sdk_sqs::Client> {
        Ok(aws::sqs_for_session(self.moto().endpoint(), &self.functions.session(role).await?))
    }

    /// Reads an object.
    ///
    /// # Errors
    /// When the object does not exist.
    pub async fn object(&self, bucket: &str, key: &str) -> io::Result<Vec<u8>> {
        self.moto().object(bucket, key).await
    }

    /// The keys of a bucket with this prefix.
    ///
    /// # Errors
    /// When the bucket does not exist.
    pub async fn keys(&self, bucket: &str, prefix: &str) -> io::Result<Vec<String>> {
        self.moto().keys(bucket, prefix).await
    }

    /// Writes an object, with all permissions.
    ///
    /// # Errors
    /// When the emulator rejects it.
    pub async fn put_object(&self, bucket: &str, key: &str, body: Vec<u8>) -> io::Result<()> {
        self.moto().put_object(bucket, key, body).await
    }

    /// Ends all processes.
    pub async fn close(self) {
        for front in self.endpoints {
            front.url.stop().await;
        }
        // A process that does not exit is killed with the pool.
        let _ = tokio::time::timeout(Duration::from_secs(10), self.functions.stop()).await;
    }
}
