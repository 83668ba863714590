//! The export of the deployed stack: its rows, its notices, and the security lake.

use std::io;

use serde_json::Value;
use sophos_simulator::Dataset;

use super::{ScheduleResult, SmokeTest};
use crate::{CommittedExport, queue::DrainReport};

/// The bucket of the lake, which is not of the stack.
pub(super) const LAKE_BUCKET: &str = "aws-security-data-lake-eu-west-1";

/// The result of one export.
#[derive(Debug)]
pub struct ExportResult {
    /// The result of the schedule.
    pub plan: ScheduleResult,
    /// The result of the plan's messages.
    pub drain: DrainReport,
    /// The committed export.
    pub committed: CommittedExport,
    /// The missing, duplicate or unknown rows.
    pub defects: Vec<String>,
}

/// The result of one run of the lake writer.
#[derive(Debug)]
pub struct LakeResult {
    /// The result of the schedule.
    pub run: ScheduleResult,
    /// The keys of all objects in the lake.
    pub objects: Vec<String>,
}

impl SmokeTest {
    /// Fires the export's schedule and drains its queue.
    ///
    /// # Errors
    /// When a part of the stack fails.
    pub async fn export(&self) -> io::Result<ExportResult> {
        let plan = self.account.fire_schedule(self.schedule_for("ExportFunction")?).await?;
        let drained = self.account.drain(&self.stack, &self.queue_arn("ExportQueueUrl")?).await?;
        let committed = self.committed().await?;
        let mut defects: Vec<_> = committed.defects().iter().map(ToString::to_string).collect();
        for tenant in self.simulator.tenants() {
            for dataset in [Dataset::Events, Dataset::Alerts] {
                let served = self.simulator.served(dataset, &tenant.id);
                let compared = committed.compare(dataset.as_str(), &tenant.id, &served);
                defects.extend(compared.iter().map(ToString::to_string));
            }
        }
        Ok(ExportResult { plan, drain: drained, committed, defects })
    }

    /// The committed export.
    ///
    /// # Errors
    /// When the bucket cannot be read.
    pub async fn committed(&self) -> io::Result<CommittedExport> {
        let location = self.stack.output("ExportLocation")?.trim_start_matches("s3://");
        let (bucket, prefix) = location.split_once('/').unwrap_or((location, ""));
        let folder = tempfile::tempdir()?;
        self.account.download_prefix(bucket, &format!("{prefix}/"), folder.path()).await?;
        CommittedExport::load(folder.path())
    }

    /// The event notifications of S3 in the queue of notices, which is empty then.
    ///
    /// # Errors
    /// When the queue cannot be read, or a message has no notification.
    pub async fn notices(&self) -> io::Result<Vec<Value>> {
        let (queue, mut notices) = (self.stack.output("NoticeQueueUrl")?, Vec::new());
        loop {
            let messages = self.account.moto().receive(queue).await?;
            if messages.is_empty() {
                return Ok(notices);
            }
            for message in messages {
                let notice: Value = serde_json::from_str(message.body().unwrap_or_default())?;
                notices.extend(notice["Records"].as_array().cloned().unwrap_or_default());
            }
        }
    }

    /// Fires the schedule of the lake writer.
    ///
    /// # Errors
    /// When a part of the stack fails.
    pub async fn write_lake(&self) -> io::Result<LakeResult> {
        let run = self.account.fire_schedule(self.schedule_for("LakeFunction")?).await?;
        Ok(LakeResult { run, objects: self.account.keys(LAKE_BUCKET, "").await? })
    }
}
