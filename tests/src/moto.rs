//! An emulator of AWS: moto's server with additions, see `tests/emulator/emulator.py`. `cargo
//! xtask setup --emulator` installs moto.

use std::{
    collections::BTreeMap,
    env, io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use aws_sdk_eventbridge::types::Target;
use aws_sdk_sqs::types::{Message, QueueAttributeName};
use local_lambda::LambdaFunction;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    task::JoinHandle,
};

use crate::{
    aws::{self, REGION},
    package_dir,
};

/// The Python with moto; `cargo xtask test` sets it.
const PYTHON_VARIABLE: &str = "EMULATOR_PYTHON";

/// The maximum time until the server responds.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// The text before the address in the server's output.
const ADDRESS_PREFIX: &str = "Running on ";

/// A server for SQS, EventBridge, Secrets Manager and S3. Dropping it kills the process.
#[derive(Debug)]
pub struct Moto {
    endpoint: String,
    client: reqwest::Client,
    _process: Child,
    log_task: JoinHandle<()>,
}

/// A rotation of a secret, finished or failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rotation {
    /// The secret's ARN.
    pub secret: String,
    /// The token of the new version.
    pub token: String,
    /// The steps of the rotation function, in order.
    pub steps: Vec<String>,
    /// The error of the last step.
    pub error: Option<String>,
}

/// The Python with moto, if it is set.
pub(crate) fn python() -> Option<PathBuf> {
    env::var_os(PYTHON_VARIABLE).map(PathBuf::from)
}

impl Moto {
    /// Starts a server, if moto is installed; otherwise prints the reason.
    ///
    /// # Errors
    /// When the server of `EMULATOR_PYTHON` does not start.
    pub async fn start() -> io::Result<Option<Self>> {
        Self::start_with(None, &[]).await
    }

    /// Starts a server that invokes functions at this endpoint, such as that of a
    /// [`LambdaService`](crate::LambdaService), for rotations.
    ///
    /// # Errors
    /// When the server of `EMULATOR_PYTHON` does not start.
    pub async fn start_with_lambda(endpoint: &str) -> io::Result<Option<Self>> {
        Self::start_with(Some(endpoint), &[]).await
    }

    /// Starts the same with CloudFormation, and enforces the policies of roles.
    ///
    /// # Errors
    /// When the server of `EMULATOR_PYTHON` does not start.
    pub async fn start_with_stacks(endpoint: &str) -> io::Result<Option<Self>> {
        Self::start_with(Some(endpoint), &["--stacks"]).await
    }

    async fn start_with(lambda: Option<&str>, arguments: &[&str]) -> io::Result<Option<Self>> {
        let Some(program) = python() else {
            println!(
                "skipped: {PYTHON_VARIABLE} is not set; `cargo xtask setup --emulator` prints its value"
            );
            return Ok(None);
        };
        let serving = tokio::time::timeout(START_TIMEOUT, Self::spawn(&program, lambda, arguments));
        let moto = serving
            .await
            .map_err(|_| io::Error::other(format!("moto did not start within {START_TIMEOUT:?}")))?;
        moto.map(Some)
    }

    async fn spawn(program: &Path, lambda: Option<&str>, arguments: &[&str]) -> io::Result<Self> {
        let mut process = Command::new(program)
            // Python writes no compiled modules beside the sources.
            .arg("-B")
            .arg(package_dir().join("emulator/emulator.py"))
            .args(arguments)
            .env_remove("LAMBDA_ENDPOINT")
            .envs(lambda.map(|endpoint| ("LAMBDA_ENDPOINT", endpoint)))
            // Requests of the emulator itself must not have real keys.
            .envs([("AWS_ACCESS_KEY_ID", "loopback"), ("AWS_SECRET_ACCESS_KEY", "loopback")])
            .env("AWS_DEFAULT_REGION", REGION)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| io::Error::other(format!("starting {} failed: {error}", program.display())))?;
        let stderr = process.stderr.take().ok_or_else(|| io::Error::other("moto has no output"))?;
        let mut lines = BufReader::new(stderr).lines();
        let mut output = Vec::new();
        let endpoint = loop {
            let Some(line) = lines.next_line().await? else {
                return Err(io::Error::other(format!("moto ended: {}", output.join("\n"))));
            };
            if let Some((_, address)) = line.split_once(ADDRESS_PREFIX) {
                break address.trim().to_owned();
            }
            output.push(line);
        };
        // It listens before it prints its address. Its output must be read to its end.
        let reading = tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let client = reqwest::Client::builder().no_proxy().build().map_err(io::Error::other)?;
        Ok(Self { endpoint, client, _process: process, log_task: reading })
    }

    /// The base URL of all services.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Configures the function for all services except S3, which is
    /// [`S3Server`](crate::s3::S3Server). Its keys do not change.
    pub fn configure(&self, function: LambdaFunction) -> LambdaFunction {
        let names = ["EVENTBRIDGE", "SECRETS_MANAGER", "SQS"];
        let variables = names.map(|name| (format!("AWS_ENDPOINT_URL_{name}"), self.endpoint.clone()));
        function.envs(variables).env("AWS_REGION", REGION)
    }

    /// An SQS client.
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws::sqs(&self.endpoint)
    }

    /// An EventBridge client.
    pub fn eventbridge(&self) -> aws_sdk_eventbridge::Client {
        aws::eventbridge(&self.endpoint)
    }

    /// A Secrets Manager client.
    pub fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        aws::secrets(&self.endpoint)
    }

    /// The number of requests by service and operation, such as
    /// `secretsmanager.GetSecretValue`. For S3, the method is the operation.
    ///
    /// # Errors
    /// When the server does not respond.
    pub async fn calls(&self) -> io::Result<BTreeMap<String, u64>> {
        let calls = self.get("calls").await?;
        serde_json::from_value(calls).map_err(io::Error::other)
    }

    /// The number of requests to one service, such as `secretsmanager`.
    ///
    /// # Errors
    /// When the server does not respond.
    pub async fn calls_to(&self, service: &str) -> io::Result<u64> {
        let of_service = |name: &str| name.split('.').next() == Some(service);
        Ok(self.calls().await?.iter().filter(|(name, _)| of_service(name)).map(|(_, count)| count).sum())
    }

    /// Resets the counts of requests to zero.
    ///
    /// # Errors
    /// When the server does not respond.
    pub async fn reset_calls(&self) -> io::Result<()> {
        self.request(reqwest::Method::DELETE, "calls", None).await.map(drop)
    }

    /// Waits until no rotation is in progress, and returns all of them.
    ///
    /// # Errors
    /// When the server does not respond.
    pub async fn rotations(&self) -> io::Result<Vec<Rotation>> {
        let rotations = self.get("rotations").await?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let rotation = |value: &Value| Rotation {
            secret: text(&value["SecretId"]),
            token: text(&value["ClientRequestToken"]),
            steps: value["Steps"].as_array().into_iter().flatten().map(text).collect(),
            error: value["Error"].as_str().map(str::to_owned),
        };
        Ok(rotations.as_array().into_iter().flatten().map(rotation).collect())
    }

    pub(crate) async fn get(&self, what: &str) -> io::Result<Value> {
        self.request(reqwest::Method::GET, what, None).await
    }

    pub(crate) async fn post(&self, what: &str, body: &Value) -> io::Result<Value> {
        self.request(reqwest::Method::POST, what, Some(body)).await
    }

    /// Deletes a stack.
    pub(crate) async fn delete_stack(&self, name: &str) -> io::Result<()> {
        const SIGNED: &str =
            "AWS4-HMAC-SHA256 Credential=loopback/20260101/eu-west-1/cloudformation/aws4_request";
        let body = format!("Action=DeleteStack&Version=2010-05-15&StackName={name}");
        let request = self.client.post(format!("{}/", self.endpoint)).body(body);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let response = request.header("authorization", SIGNED).send().await;
        response.and_then(reqwest::Response::error_for_status).map(drop).map_err(io::Error::other)
    }

    /// Reads an object.
    pub(crate) async fn object(&self, bucket: &str, key: &str) -> io::Result<Vec<u8>> {
        self.s3(reqwest::Method::GET, &format!("{bucket}/{key}"), Vec::new()).await
    }

    /// Writes an object.
    pub(crate) async fn put_object(&self, bucket: &str, key: &str, body: Vec<u8>) -> io::Result<()> {
        self.s3(reqwest::Method::PUT, &format!("{bucket}/{key}"), body).await.map(drop)
    }

    /// Creates a KMS key and returns its ARN.
    ///
    /// # Errors
    /// When the server rejects the request.
    pub async fn create_key(&self) -> io::Result<String> {
        const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=loopback/20260101/eu-west-1/kms/aws4_request";
        let request = self.client.post(format!("{}/", self.endpoint)).body("{}");
        let request = request.header("content-type", "application/x-amz-json-1.1");
        let request =
            request.header("x-amz-target", "TrentService.CreateKey").header("authorization", SIGNED);
        let response = request.send().await.and_then(reqwest::Response::error_for_status);
        let body = response.map_err(io::Error::other)?.bytes().await.map_err(io::Error::other)?;
        let created: Value = serde_json::from_slice(&body).map_err(io::Error::other)?;
        let arn = created["KeyMetadata"]["Arn"].as_str().map(str::to_owned);
        arn.ok_or_else(|| io::Error::other("the key has no ARN"))
    }

    /// Creates a bucket that encrypts with this key, or with S3's own.
    ///
    /// # Errors
    /// When the server rejects the request.
    pub async fn create_bucket(&self, name: &str, key_arn: Option<&str>) -> io::Result<()> {
        let region = format!(
            "<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
        );
        self.s3(reqwest::Method::PUT, name, region.into_bytes()).await?;
        let Some(key_arn) = key_arn else { return Ok(()) };
        let encryption = format!(
            "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>{key_arn}</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>"
        );
        self.s3(reqwest::Method::PUT, &format!("{name}?encryption"), encryption.into_bytes()).await.map(drop)
    }

    /// The keys in a bucket with this prefix.
    pub(crate) async fn keys(&self, bucket: &str, prefix: &str) -> io::Result<Vec<String>> {
        let mut keys = Vec::<String>::new();
        loop {
            let after = keys.last().map_or("", String::as_str);
            let query = format!("{bucket}?list-type=2&prefix={prefix}&start-after={after}");
            let listed = self.s3(reqwest::Method::GET, &query, Vec::new()).await?;
            let listed = String::from_utf8_lossy(&listed);
            let parts = listed.split("<Key>").skip(1).filter_map(|part| part.split_once("</Key>"));
            let before = keys.len();
            keys.extend(parts.map(|(key, _)| key.to_owned()));
            if keys.len() == before || !listed.contains("<IsTruncated>true") {
                return Ok(keys);
            }
        }
    }

    async fn s3(&self, method: reqwest::Method, what: &str, body: Vec<u8>) -> io::Result<Vec<u8>> {
        // The emulator rejects unsigned requests.
        const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=loopback/20260101/eu-west-1/s3/aws4_request";
        let request = self.client.request(method, format!("{}/{what}", self.endpoint)).body(body);
        let response = request.header("authorization", SIGNED).send().await;
        let response = response.and_then(reqwest::Response::error_for_status).map_err(io::Error::other)?;
        Ok(response.bytes().await.map_err(io::Error::other)?.to_vec())
    }

    async fn request(&self, method: reqwest::Method, what: &str, body: Option<&Value>) -> io::Result<Value> {
        let request = self.client.request(method, format!("{}/emulator/{what}", self.endpoint));
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(body.to_string()),
            None => request,
        };
        let response = request.send().await.and_then(reqwest::Response::error_for_status);
        let body = response.map_err(io::Error::other)?.bytes().await.map_err(io::Error::other)?;
        serde_json::from_slice(&body).map_err(io::Error::other)
    }

    /// Creates a FIFO queue and returns its URL. The name ends with `.fifo`.
    ///
    /// # Errors
    /// When the server rejects the request.
    pub async fn create_fifo_queue(&self, name: &str) -> io::Result<String> {
        let create = self.sqs().create_queue().queue_name(name);
        let created = create.attributes(QueueAttributeName::FifoQueue, "true").send().await;
        let created = created.map_err(io::Error::other)?;
        created.queue_url.ok_or_else(|| io::Error::other("the queue has no URL"))
    }

    /// Creates a queue and returns its URL.
    ///
    /// # Errors
    /// When the server rejects the request.
    pub async fn create_queue(&self, name: &str) -> io::Result<String> {
        let created = self.sqs().create_queue().queue_name(name).send().await.map_err(io::Error::other)?;
        created.queue_url.ok_or_else(|| io::Error::other("the queue has no URL"))
    }

    /// Creates an event bus with a rule that sends all events of this pattern to a queue.
    /// Returns the ARN of the bus.
    ///
    /// # Errors
    /// When the server rejects the request.
    pub async fn create_bus(&self, name: &str, pattern: &str, queue_url: &str) -> io::Result<String> {
        let attributes = self
            .sqs()
            .get_queue_attributes()
            .queue_url(queue_url)
            .attribute_names(QueueAttributeName::QueueArn)
            .send()
            .await
            .map_err(io::Error::other)?;
        let arn = attributes.attributes.and_then(|mut all| all.remove(&QueueAttributeName::QueueArn));
        let arn = arn.ok_or_else(|| io::Error::other("the queue has no ARN"))?;
        let events = self.eventbridge();
        let bus = events.create_event_bus().name(name).send().await.map_err(io::Error::other)?;
        let rule = events.put_rule().name("to-queue").event_bus_name(name).event_pattern(pattern);
        rule.send().await.map_err(io::Error::other)?;
        let target = Target::builder().id("queue").arn(arn).build().map_err(io::Error::other)?;
        let targets = events.put_targets().rule("to-queue").event_bus_name(name).targets(target);
        targets.send().await.map_err(io::Error::other)?;
        bus.event_bus_arn.ok_or_else(|| io::Error::other("the bus has no ARN"))
    }

    /// Receives and deletes up to ten messages.
    ///
    /// # Errors
    /// When the server rejects the request.
    pub async fn receive(&self, queue_url: &str) -> io::Result<Vec<Message>> {
        let sqs = self.sqs();
        let receive = sqs.receive_message().queue_url(queue_url).max_number_of_messages(10);
        let messages = receive.send().await.map_err(io::Error::other)?.messages.unwrap_or_default();
        for message in &messages {
            let receipt = message.receipt_handle.clone().unwrap_or_default();
            let delete = sqs.delete_message().queue_url(queue_url).receipt_handle(receipt);
            delete.send().await.map_err(io::Error::other)?;
        }
        Ok(messages)
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.log_task.abort();
    }
}
