//! An emulator of AWS that other people wrote: moto's server, which
//! `cargo xtask setup --emulator` installs.

use std::{env, io, path::Path, process::Stdio, time::Duration};

use aws_sdk_eventbridge::types::Target;
use aws_sdk_sqs::types::{Message, QueueAttributeName};
use local_lambda::Function;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    task::JoinHandle,
};

use crate::aws::{self, REGION};

/// Names the server's program; `cargo xtask test` sets it.
const VARIABLE: &str = "MOTO_SERVER";

/// How long the server may take until it answers.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the server writes before its address.
const RUNNING: &str = "Running on ";

/// A server of its own for SQS, EventBridge, Secrets Manager and S3. Killed when
/// dropped.
#[derive(Debug)]
pub struct Moto {
    endpoint: String,
    _process: Child,
    reading: JoinHandle<()>,
}

impl Moto {
    /// A server, if there is one to start; the reason goes to standard output.
    ///
    /// # Errors
    /// When the program that `MOTO_SERVER` names does not serve.
    pub async fn start() -> io::Result<Option<Self>> {
        let Some(program) = env::var_os(VARIABLE) else {
            println!("skipped: {VARIABLE} is not set; `cargo xtask setup --emulator` says to what");
            return Ok(None);
        };
        let serving = tokio::time::timeout(PATIENCE, Self::spawn(Path::new(&program)));
        let moto =
            serving.await.map_err(|_| io::Error::other(format!("moto said nothing for {PATIENCE:?}")))?;
        moto.map(Some)
    }

    async fn spawn(program: &Path) -> io::Result<Self> {
        // With port 0 the system chooses one, and the server says which.
        let mut process = Command::new(program)
            .args(["-H", "127.0.0.1", "-p", "0"])
            // Its own calls, if any, must not leave the machine with real keys.
            .envs([("AWS_ACCESS_KEY_ID", "loopback"), ("AWS_SECRET_ACCESS_KEY", "loopback")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| io::Error::other(format!("cannot run {}: {error}", program.display())))?;
        let stderr = process.stderr.take().ok_or_else(|| io::Error::other("moto has no output"))?;
        let mut lines = BufReader::new(stderr).lines();
        let mut said = Vec::new();
        let endpoint = loop {
            let Some(line) = lines.next_line().await? else {
                return Err(io::Error::other(format!("moto ended: {}", said.join("\n"))));
            };
            if let Some((_, address)) = line.split_once(RUNNING) {
                // What follows the address are signs that colour the terminal.
                let end = address.find(|sign: char| sign.is_whitespace() || sign.is_control());
                break address[..end.unwrap_or(address.len())].to_owned();
            }
            said.push(line);
        };
        // It listens before it says so. It stops when nobody reads what it writes.
        let reading = tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { endpoint, _process: process, reading })
    }

    /// The address of all its services.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Gives the function what it needs to reach all services but S3, for which
    /// there is [`S3Server`](crate::s3::S3Server). Its keys stay as they are.
    pub fn admit(&self, function: Function) -> Function {
        let names = ["EVENTBRIDGE", "SECRETS_MANAGER", "SQS"];
        let variables = names.map(|name| (format!("AWS_ENDPOINT_URL_{name}"), self.endpoint.clone()));
        function.envs(variables).env("AWS_REGION", REGION)
    }

    /// A client of its queues.
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws::sqs(&self.endpoint)
    }

    /// A client of its event buses.
    pub fn eventbridge(&self) -> aws_sdk_eventbridge::Client {
        aws::eventbridge(&self.endpoint)
    }

    /// Creates a queue and returns its URL.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn create_queue(&self, name: &str) -> io::Result<String> {
        let created = self.sqs().create_queue().queue_name(name).send().await.map_err(io::Error::other)?;
        created.queue_url.ok_or_else(|| io::Error::other("the queue has no URL"))
    }

    /// Creates an event bus, with a rule that sends all events of this pattern to
    /// a queue. Returns the bus's ARN.
    ///
    /// # Errors
    /// When the server refuses.
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

    /// Receives and deletes what is in a queue now, up to ten messages.
    ///
    /// # Errors
    /// When the server refuses.
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
        self.reading.abort();
    }
}
