//! The state of a query of detections or detection groups.

use crate::{
    JobProgress, Timestamp,
    models::macros::{model, open_enum},
};

model! {
    /// A query that the service runs. Its results can be listed once it is finished.
    pub struct QueryRun {
        /// The id of the query run.
        id as id: String,
        /// The time of creation.
        created_at: Timestamp,
        /// The time of expiry.
        expires_at: Timestamp,
        /// The time of completion.
        finished_at: Timestamp,
        /// The number of results.
        result_count: i64,
        /// The result.
        result: RunResult,
        /// The status.
        status: RunStatus,
    }
}

impl QueryRun {
    pub(crate) fn progress(&self) -> JobProgress {
        let status = self.status.as_ref().map(RunStatus::as_str);
        let result = self.result.as_ref().map(RunResult::as_str);
        JobProgress::from_words(status, result).until(self.expires_at.as_ref())
    }
}

open_enum! {
    /// The result of a query.
    pub enum RunResult {
        /// The query was canceled.
        Canceled = "canceled",
        /// The query succeeded.
        Succeeded = "succeeded",
    }
}

open_enum! {
    /// The status of a query.
    pub enum RunStatus {
        /// The query is finished.
        Finished = "finished",
        /// The query is in progress.
        Pending = "pending",
    }
}
