//! A deployed event source mapping: from a queue to a function, with the permissions of
//! the function's role.

use std::{io, sync::Arc};

use aws_sdk_sqs::{
    error::DisplayErrorContext,
    types::{Message, MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};

use super::{
    deployed::{DeployedStack, function_name},
    functions::DeployedFunctions,
};
use crate::{
    aws,
    queue::{DrainReport, Poller, SourceMessage, SourceQueue, attribute_record},
};

/// The maximum number of messages that one `ReceiveMessage` returns.
const MAX_BATCH_SIZE: usize = 10;

#[derive(Debug)]
pub(super) struct EventSourceMapping(Arc<Poller<SqsQueue>>);

/// A queue of the emulator, through the client of the function's role.
#[derive(Debug)]
struct SqsQueue {
    client: aws_sdk_sqs::Client,
    arn: String,
    url: String,
}

impl EventSourceMapping {
    /// Returns the enabled mapping of a stack from this queue.
    pub(super) async fn find(
        stack: &DeployedStack,
        queue_arn: &str,
        functions: &DeployedFunctions,
    ) -> io::Result<Self> {
        let mappings = stack.resources_of_type("AWS::Lambda::EventSourceMapping");
        let properties = mappings
            .map(|(_, mapping)| &mapping.properties)
            .find(|mapping| mapping["EventSourceArn"] == queue_arn && mapping["Enabled"] != false)
            .ok_or_else(|| io::Error::other(format!("missing event source mapping of {queue_arn}")))?;
        let function = properties["FunctionName"].as_str().unwrap_or_default();
        let function = function_name(function).unwrap_or_else(|_| function.to_owned());
        let missing = || io::Error::other(format!("missing function {function}"));
        let configured = functions.function(&function).await?.ok_or_else(missing)?;
        let name = queue_arn.rsplit(':').next().unwrap_or_default();
        let number = |value: &Value| value.as_u64().and_then(|number| usize::try_from(number).ok());
        let max_concurrency = number(&properties["ScalingConfig"]["MaximumConcurrency"]);
        let mut response_types = properties["FunctionResponseTypes"].as_array().into_iter().flatten();
        let endpoint = functions.moto().endpoint();
        let queue = SqsQueue {
            client: aws::sqs_for_session(endpoint, &functions.session(&configured.role).await?),
            arn: queue_arn.to_owned(),
            url: format!("{endpoint}/{}/{name}", aws::ACCOUNT),
        };
        Ok(Self(Arc::new(Poller {
            queue,
            pool: functions.pool(&function).await?.ok_or_else(missing)?,
            concurrency: configured.processes.min(max_concurrency.unwrap_or(usize::MAX)),
            batch_size: number(&properties["BatchSize"]).unwrap_or(MAX_BATCH_SIZE).clamp(1, MAX_BATCH_SIZE),
            reports_item_failures: response_types.any(|kind| kind == "ReportBatchItemFailures"),
        })))
    }

    /// Works until no message is visible and the function is idle.
    pub(super) async fn drain(&self) -> io::Result<DrainReport> {
        // Lambda reads the attributes of the queue before it receives.
        let SqsQueue { client, url, .. } = &self.0.queue;
        let attributes = client.get_queue_attributes().queue_url(url);
        attributes.attribute_names(QueueAttributeName::VisibilityTimeout).send().await.map_err(failed)?;
        self.0.drain().await
    }
}

impl SourceQueue for SqsQueue {
    async fn receive_batch(&self, max: usize) -> io::Result<Vec<SourceMessage>> {
        let receive = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(i32::try_from(max.min(MAX_BATCH_SIZE)).map_err(io::Error::other)?)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All");
        let received = receive.send().await.map_err(failed)?;
        Ok(received.messages().iter().map(|message| source_message(message, &self.arn)).collect())
    }

    async fn delete_message(&self, receipt_handle: &str) -> io::Result<bool> {
        let delete = self.client.delete_message().queue_url(&self.url).receipt_handle(receipt_handle);
        delete.send().await.map_err(failed)?;
        Ok(true)
    }
}

fn source_message(message: &Message, arn: &str) -> SourceMessage {
    let system = message.attributes.iter().flatten();
    let system: Map<_, _> = system.map(|(name, value)| (name.to_string(), json!(value))).collect();
    let attributes = message.message_attributes.iter().flatten();
    let attributes = attributes.map(|(name, attribute)| (name.clone(), attribute_of(attribute))).collect();
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    SourceMessage::new(
        &text(&message.message_id),
        &text(&message.receipt_handle),
        &text(&message.body),
        system.into(),
        attributes,
        arn,
    )
}

fn attribute_of(attribute: &MessageAttributeValue) -> Value {
    let binary = attribute.binary_value().map(|value| BASE64_STANDARD.encode(value.as_ref()));
    attribute_record(attribute.data_type(), attribute.string_value(), binary.as_deref())
}

fn failed(error: impl std::error::Error) -> io::Error {
    io::Error::other(DisplayErrorContext(error).to_string())
}
