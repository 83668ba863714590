//! An account on loopback in which the stack is deployed as a person would deploy
//! it, and runs as it was deployed.
//!
//! CloudFormation and all services are the emulator's (see `tests/emulator`). The
//! functions are the programs in the packages that were deployed: each runs on a
//! local Runtime API with the environment, the time-out and the memory of its
//! configuration, and with keys of its role, which is held to its policies. What
//! invokes them is what was deployed: schedules, event source mappings, rules,
//! rotations, and the addresses of HTTP.

mod access;
mod approvals;
mod commands;
mod credentials;
mod deployed;
mod emulator_limits;
mod event_source_mapping;
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
pub use sam::{DeployPackages, SamCli};
pub use smoke_test::{ExportResult, STACK_NAME, SmokeTest, TENANT};

use crate::{
    LambdaService, aws,
    moto::{Moto, Rotation},
    queue::DrainReport,
};
use event_source_mapping::EventSourceMapping;
use functions::DeployedFunctions;

/// How many processes of a function there may be, where nothing else is said.
const DEFAULT_MAX_PROCESSES: usize = 4;

/// An account, with what is deployed in it.
#[derive(Debug)]
pub struct Account {
    functions: Arc<DeployedFunctions>,
    /// All that were ever started, for what they wrote.
    endpoints: Vec<FunctionEndpoint>,
    http: reqwest::Client,
    _service: LambdaService,
}

/// A function behind HTTP, as it was deployed at one time.
#[derive(Debug)]
struct FunctionEndpoint {
    function: String,
    revision: String,
    url: FunctionUrl,
}

/// What came of an invocation by a schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduleResult {
    /// What the function answered.
    pub answer: Value,
    /// Why it failed.
    pub error: Option<String>,
}

/// A function that a rule invoked.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleDelivery {
    /// The rule.
    pub rule: String,
    /// The function's ARN.
    pub function: String,
    /// How often it was invoked for the event.
    pub attempts: u64,
    /// What it answered.
    pub answer: Value,
    /// Why it failed.
    pub error: Option<String>,
}

impl Account {
    /// An empty account, if there is an emulator to start; the reason goes to
    /// standard output.
    ///
    /// # Errors
    /// When the emulator does not serve, or no port is to be had.
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

    /// The emulator, for what a person does who has all rights.
    pub fn moto(&self) -> &Moto {
        self.functions.moto()
    }

    /// Fails the test, when the account is closed, in which a function wrote one of
    /// these secrets, or a token.
    pub fn watch_for_secrets(&self, credentials: &[CredentialInfo]) {
        self.functions.leaks().add_credentials(credentials);
    }

    /// A stack as it is deployed, with the stacks within it.
    ///
    /// # Errors
    /// When there is no such stack, or the emulator does not answer.
    pub async fn stack(&self, name: &str) -> io::Result<DeployedStack> {
        DeployedStack::parse(&self.moto().get("stacks").await?, name)
    }

    /// Deletes a stack, as CloudFormation does when it is asked to.
    ///
    /// # Errors
    /// When a resource cannot be deleted.
    pub async fn delete_stack(&self, name: &str) -> io::Result<()> {
        self.moto().delete_stack(name).await
    }

    /// Does now what a schedule does when its time comes.
    ///
    /// # Errors
    /// When the emulator does not answer.
    pub async fn fire_schedule(&self, schedule: &str) -> io::Result<ScheduleResult> {
        let told = self.moto().post("fire", &json!({ "Schedule": schedule })).await?;
        let answer = told["Answer"].as_str().unwrap_or_default();
        let answer = serde_json::from_str(answer).unwrap_or(Value::Null);
        Ok(ScheduleResult { answer, error: told["Error"].as_str().map(str::to_owned) })
    }

    /// Invokes a function, as a person does who may.
    ///
    /// # Errors
    /// When there is no such function, or it does not start.
    pub async fn invoke(&self, function: &str, event: &Value) -> io::Result<InvocationOutcome> {
        let pool = self.functions.pool(function).await?;
        let pool = pool.ok_or_else(|| io::Error::other(format!("there is no function {function}")))?;
        pool.invoke(event).await.map_err(io::Error::other)
    }

    /// Brings what waits in a queue to the function behind it, as its event source
    /// mapping says, until nothing is visible any more.
    ///
    /// # Errors
    /// When the stack has no such mapping, the role may not read the queue, or a
    /// service does not answer.
    pub async fn drain(&self, stack: &DeployedStack, queue_arn: &str) -> io::Result<DrainReport> {
        EventSourceMapping::find(stack, queue_arn, &self.functions).await?.drain().await
    }

    /// The functions that rules invoked so far, once none is at work.
    ///
    /// # Errors
    /// When the emulator does not answer.
    pub async fn deliveries(&self) -> io::Result<Vec<RuleDelivery>> {
        let told = self.moto().get("deliveries").await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let delivery = |told: &Value| RuleDelivery {
            rule: text(&told["Rule"]),
            function: text(&told["Function"]),
            attempts: told["Attempts"].as_u64().unwrap_or_default(),
            answer: serde_json::from_str(&text(&told["Answer"])).unwrap_or(Value::Null),
            error: told["Error"].as_str().map(str::to_owned),
        };
        Ok(told.as_array().into_iter().flatten().map(delivery).collect())
    }

    /// The rotations of secrets so far, once none is at work.
    ///
    /// # Errors
    /// When the emulator does not answer.
    pub async fn rotations(&self) -> io::Result<Vec<Rotation>> {
        self.moto().rotations().await
    }

    /// The address on loopback behind which the function is that a public address
    /// of the stack leads to, as it is deployed now.
    ///
    /// # Errors
    /// When the address leads to none, or the function does not start.
    pub async fn function_endpoint(&mut self, stack: &DeployedStack, url: &str) -> io::Result<String> {
        let function = stack.function_behind_url(url)?;
        let deployed = self.functions.function(&function).await?;
        let deployed =
            deployed.ok_or_else(|| io::Error::other(format!("there is no function {function}")))?;
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
        // The path of the public address, such as that of a stage, stays.
        let path = url.splitn(4, '/').nth(3).unwrap_or_default();
        Ok(format!("{front}{path}"))
    }

    /// A client without a proxy.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// What each role asked for, and what of its rights was needed.
    ///
    /// # Errors
    /// When the emulator does not answer.
    pub async fn access(&self) -> io::Result<AccessReport> {
        AccessReport::parse(&self.moto().get("access").await?)
    }

    /// Ends the processes of a function, as Lambda does when some time has passed.
    /// What they had read is read anew by the next.
    pub async fn restart(&self, function: &str) {
        self.functions.restart(function).await;
    }

    /// What a function wrote so far, whoever invoked it.
    pub fn logs(&self, function: &str) -> Vec<String> {
        let mut logs = self.functions.logs(function);
        let fronts = self.endpoints.iter().filter(|front| front.function == function);
        logs.extend(fronts.flat_map(|front| front.url.logs()));
        logs
    }

    /// A client of the queues with keys of a role.
    ///
    /// # Errors
    /// When the emulator does not answer.
    pub async fn sqs_for_role(&self, role: &str) -> io::Result<aws_sdk_sqs::Client> {
        Ok(aws::sqs_for_session(self.moto().endpoint(), &self.functions.session(role).await?))
    }

    /// An object in a bucket.
    ///
    /// # Errors
    /// When there is none.
    pub async fn object(&self, bucket: &str, key: &str) -> io::Result<Vec<u8>> {
        self.moto().object(bucket, key).await
    }

    /// Writes an object, as a person does who has all rights.
    ///
    /// # Errors
    /// When the bucket refuses it.
    pub async fn put_object(&self, bucket: &str, key: &str, body: Vec<u8>) -> io::Result<()> {
        self.moto().put_object(bucket, key, body).await
    }

    /// Ends all processes.
    pub async fn close(self) {
        for front in self.endpoints {
            front.url.stop().await;
        }
        // A process that does not want to leave is killed with the pool.
        let _ = tokio::time::timeout(Duration::from_secs(10), self.functions.stop()).await;
    }
}
