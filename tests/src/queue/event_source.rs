//! An event source mapping from a local queue to a function that it starts.

use std::{io, sync::Arc};

use local_lambda::{LambdaFunction, Pool, StartError, StoppedSandbox};
use tokio::task::{JoinHandle, JoinSet};

use super::{
    Queue,
    poller::{DrainReport, Poller, SourceMessage, SourceQueue, attribute_record},
    shared::SharedQueue,
    state::{ReceiptStatus, ReceivedMessage},
};

/// The maximum number of messages of a batch from a FIFO queue.
const MAX_FIFO_BATCH: usize = 10;

/// An event source mapping: invokes a function with batches of the queue's messages
/// and deletes those that it handled.
///
/// The function returns a partial batch response (`ReportBatchItemFailures`). An
/// error, a crash, a timeout and an invalid response fail the whole batch. Failed
/// messages become visible again after their visibility timeout. On a FIFO queue a
/// batch holds at most ten messages, and two concurrent batches share no group.
#[derive(Debug)]
pub struct EventSource {
    poller: Arc<Poller<Arc<SharedQueue>>>,
    background: Option<JoinHandle<()>>,
}

impl EventSource {
    /// Starts the function in at most `sandboxes` sandboxes, each with up to
    /// `batch_size` messages at a time.
    ///
    /// # Errors
    /// When the function does not start.
    pub async fn new(
        queue: &Queue,
        function: LambdaFunction,
        sandboxes: usize,
        batch_size: usize,
    ) -> Result<Self, StartError> {
        let pool = Arc::new(Pool::start(function, sandboxes).await?);
        let max = if queue.shared.is_fifo() { MAX_FIFO_BATCH } else { usize::MAX };
        let poller = Poller {
            queue: Arc::clone(&queue.shared),
            pool,
            concurrency: sandboxes.max(1),
            batch_size: batch_size.clamp(1, max),
            reports_item_failures: true,
        };
        Ok(Self { poller: Arc::new(poller), background: None })
    }

    /// Works until no message is visible and the function is idle.
    pub async fn drain(&self) -> DrainReport {
        self.poller.drain().await.unwrap_or_else(|error| DrainReport {
            batches: 1,
            failures: vec![error.to_string()],
            ..DrainReport::default()
        })
    }

    /// Works in the background until it is stopped or dropped.
    pub fn run(&mut self) {
        let poller = Arc::clone(&self.poller);
        let background = tokio::spawn(async move {
            let mut batches = JoinSet::new();
            while poller.fill(&mut batches).await.is_ok() {
                if batches.len() < poller.concurrency {
                    tokio::select! {
                        Some(_) = batches.join_next() => {}
                        () = poller.queue.wait(None) => {}
                    }
                } else {
                    batches.join_next().await;
                }
            }
        });
        if let Some(before) = self.background.replace(background) {
            before.abort();
        }
    }

    /// The function's sandboxes.
    pub fn pool(&self) -> &Pool {
        &self.poller.pool
    }

    /// Receives no more messages, waits for the invocations in progress, and returns
    /// the final state of the processes. Messages of background invocations are not
    /// deleted: they become visible again.
    pub async fn stop(mut self) -> Vec<StoppedSandbox> {
        if let Some(background) = self.background.take() {
            background.abort();
        }
        self.poller.pool.stop().await
    }
}

impl Drop for EventSource {
    fn drop(&mut self) {
        if let Some(background) = &self.background {
            background.abort();
        }
    }
}

impl SourceQueue for Arc<SharedQueue> {
    async fn receive_batch(&self, max: usize) -> io::Result<Vec<SourceMessage>> {
        let arn = self.arn();
        Ok(self.receive(max, None).iter().map(|received| source_message(received, &arn)).collect())
    }

    async fn delete_message(&self, receipt_handle: &str) -> io::Result<bool> {
        Ok(matches!(self.delete(receipt_handle), ReceiptStatus::Current | ReceiptStatus::Deleted))
    }
}

fn source_message(received: &ReceivedMessage, arn: &str) -> SourceMessage {
    let ReceivedMessage { message, receipt_handle } = received;
    let attributes = message.attributes.iter().map(|(name, attribute)| {
        let text = |member: &str| attribute[member].as_str();
        let data_type = text("DataType").unwrap_or_default();
        (name.clone(), attribute_record(data_type, text("StringValue"), text("BinaryValue")))
    });
    let system = message.system_attributes();
    SourceMessage::new(&message.id, receipt_handle, &message.body, system, attributes.collect(), arn)
}
