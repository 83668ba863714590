//! An event source mapping that is deployed: from a queue to a function, with the
//! rights of the function's role, as Lambda does it.

use std::{io, sync::Arc};

use aws_sdk_sqs::{
    error::DisplayErrorContext,
    types::{Message, MessageSystemAttributeName, QueueAttributeName},
};
use local_lambda::Pool;
use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

use super::{
    deployed::{DeployedStack, function_name},
    functions::DeployedFunctions,
};
use crate::{
    aws::{self, REGION},
    queue::{BatchResult, DrainReport, invoke_for_failures},
};

/// The most messages of a batch that one request receives.
const MAX_BATCH_SIZE: i64 = 10;

#[derive(Debug, Clone)]
pub(super) struct EventSourceMapping {
    client: aws_sdk_sqs::Client,
    pool: Arc<Pool>,
    queue_arn: String,
    queue_url: String,
    batch_size: i32,
    /// Whether the function reports single failures.
    reports_item_failures: bool,
    processes: usize,
}

impl EventSourceMapping {
    /// The mapping of a stack that takes from this queue.
    pub(super) async fn find(
        stack: &DeployedStack,
        queue_arn: &str,
        functions: &DeployedFunctions,
    ) -> io::Result<Self> {
        let mut mappings =
            stack.resources_of_type("AWS::Lambda::EventSourceMapping").map(|(_, one)| &one.properties);
        let properties = mappings.find(|one| one["EventSourceArn"] == queue_arn && one["Enabled"] != false);
        let properties =
            properties.ok_or_else(|| io::Error::other(format!("nothing takes from {queue_arn}")))?;
        let function = properties["FunctionName"].as_str().unwrap_or_default();
        let function = function_name(function).unwrap_or_else(|_| function.to_owned());
        let missing = || io::Error::other(format!("there is no function {function}"));
        let configured = functions.function(&function).await?.ok_or_else(missing)?;
        let name = queue_arn.rsplit(':').next().unwrap_or_default();
        let most = properties["ScalingConfig"]["MaximumConcurrency"].as_u64().unwrap_or(u64::MAX);
        let reports = properties["FunctionResponseTypes"].as_array().into_iter().flatten();
        let endpoint = functions.moto().endpoint();
        Ok(Self {
            client: aws::sqs_for_session(endpoint, &functions.session(&configured.role).await?),
            pool: functions.pool(&function).await?.ok_or_else(missing)?,
            queue_arn: queue_arn.to_owned(),
            queue_url: format!("{endpoint}/{}/{name}", aws::ACCOUNT),
            batch_size: properties["BatchSize"].as_i64().unwrap_or(MAX_BATCH_SIZE).clamp(1, MAX_BATCH_SIZE)
                as i32,
            reports_item_failures: reports.into_iter().any(|kind| kind == "ReportBatchItemFailures"),
            processes: configured.processes.min(usize::try_from(most).unwrap_or(usize::MAX)),
        })
    }

    /// Works until nothing is visible and the function is idle.
    pub(super) async fn drain(&self) -> io::Result<DrainReport> {
        // Lambda looks at the queue itself before it takes from it.
        let look = self.client.get_queue_attributes().queue_url(&self.queue_url);
        look.attribute_names(QueueAttributeName::VisibilityTimeout).send().await.map_err(failed)?;
        let (mut batches, mut drained) = (JoinSet::new(), DrainReport::default());
        loop {
            while batches.len() < self.processes {
                let received = self.receive().await?;
                if received.is_empty() {
                    break;
                }
                let mapping = self.clone();
                batches.spawn(async move { mapping.invoke_batch(received).await });
            }
            let Some(batch) = batches.join_next().await else { return Ok(drained) };
            drained.add(batch.map_err(io::Error::other)??);
        }
    }

    async fn receive(&self) -> io::Result<Vec<Message>> {
        let receive = self
            .client
            .receive_message()
            .queue_url(&self.queue_url)
            .max_number_of_messages(self.batch_size)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All");
        let received = receive.send().await.map_err(failed)?;
        Ok(received.messages.unwrap_or_default())
    }

    async fn invoke_batch(&self, received: Vec<Message>) -> io::Result<BatchResult> {
        let size = received.len();
        let records: Vec<_> = received.iter().map(|message| self.record(message)).collect();
        let ids: Vec<_> = received.iter().filter_map(Message::message_id).collect();
        let reported = self.reports_item_failures.then_some(ids.as_slice());
        let failed_items = match invoke_for_failures(&self.pool, records, reported).await {
            Ok(items) => items,
            Err(why) => return Ok(BatchResult::failed(size, why)),
        };
        let mut handled = 0;
        for message in received {
            if message.message_id().is_some_and(|id| failed_items.contains(id)) {
                continue;
            }
            let delete = self.client.delete_message().queue_url(&self.queue_url);
            let delete = delete.set_receipt_handle(message.receipt_handle).send().await;
            delete.map_err(failed)?;
            handled += 1;
        }
        Ok(BatchResult { size, handled, failure: None })
    }

    /// A message as the function sees it.
    fn record(&self, message: &Message) -> Value {
        let system = message.attributes.iter().flatten();
        let system: Map<_, _> = system.map(|(name, value)| (name.to_string(), json!(value))).collect();
        json!({
            "messageId": message.message_id,
            "receiptHandle": message.receipt_handle,
            "body": message.body,
            "attributes": system,
            "messageAttributes": {},
            "md5OfBody": message.md5_of_body,
            "eventSource": "aws:sqs",
            "eventSourceARN": self.queue_arn,
            "awsRegion": REGION,
        })
    }
}

fn failed(error: impl std::error::Error) -> io::Error {
    io::Error::other(DisplayErrorContext(error).to_string())
}
