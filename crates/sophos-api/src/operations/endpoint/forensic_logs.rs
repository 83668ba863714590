//! Collection of forensic logs: `/endpoint/v1/endpoints/{endpointId}/forensic-logs`.

use crate::{
    Job, JobProgress, Timestamp,
    models::macros::{model, open_enum},
    operation::macros::{listed, operation},
};

operation! {
    /// Requests the forensic log of an endpoint.
    ///
    /// The service accepts the request with 202; [`GetForensicLog`] returns its state.
    pub struct CollectForensicLog = POST "/endpoint/v1/endpoints/:endpointId/forensic-logs" (tenant)
        -> ForensicLog {
        /// The endpoint's id.
        endpoint_id!: String,
        /// The extent of the log, such as `fast`.
        mode: String,
        /// The ISO 8601 duration until the request expires, such as `PT4H`.
        expires: String,
    }
}

operation! {
    /// Returns the state of a requested forensic log.
    pub struct GetForensicLog = GET "/endpoint/v1/endpoints/:endpointId/forensic-logs/:forensicLogRequestId" (tenant)
        -> ForensicLog {
        /// The endpoint's id.
        endpoint_id!: String,
        /// The id of the request.
        forensic_log_request_id!: String,
    }
}

model! {
    /// A requested forensic log.
    pub struct ForensicLog {
        /// The id of the request.
        id!: String,
        /// The state.
        status: CollectionStatus,
        /// The time of the request.
        received_at: Timestamp,
        /// The time of expiry.
        expires_at: Timestamp,
        /// The file, once it was uploaded.
        forensic_log_file: CollectedFile,
    }
}

model! {
    /// A file that an endpoint uploaded.
    pub struct CollectedFile {
        /// The file name.
        file_name: String,
        /// The SHA-256 hash, in hexadecimal.
        sha256: String,
        /// The size, in bytes.
        size: i64,
    }
}

open_enum! {
    /// The state of a collection.
    pub enum CollectionStatus {
        /// The file was uploaded.
        Finished = "finished",
        /// The endpoint has not uploaded the file yet.
        Pending = "pending",
    }
}

impl Job for GetForensicLog {
    fn progress(log: &ForensicLog) -> JobProgress {
        let status = log.status.as_ref().map(CollectionStatus::as_str);
        JobProgress::from_words(status, None).until(log.expires_at.as_ref())
    }
}

listed! {
    CollectForensicLog
    GetForensicLog
}
