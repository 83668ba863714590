//! Memory dumps of endpoints: `/endpoint/v1/endpoints/{endpointId}/memory-dumps`.

use crate::{
    Job, JobProgress, Timestamp,
    models::macros::model,
    operation::macros::{listed, operation},
    operations::endpoint::forensic_logs::{CollectedFile, CollectionStatus},
};

operation! {
    /// Requests a memory dump of a process or of the kernel.
    ///
    /// The endpoint uploads it to the Amazon S3 bucket that the tenant configured. The service
    /// accepts the request with 202; [`GetMemoryDump`] returns its state.
    pub struct CreateMemoryDump = POST "/endpoint/v1/endpoints/:endpointId/memory-dumps" (tenant)
        -> MemoryDump {
        /// The endpoint's id.
        endpoint_id!: String,
        /// The subject of the dump: `process` or the kernel.
        mode!: String,
        /// The process id, for a dump of a process.
        pid: i64,
        /// The ISO 8601 duration until the request expires, such as `PT4H`.
        expires: String,
    }
}

operation! {
    /// Returns the state of a requested memory dump.
    pub struct GetMemoryDump = GET "/endpoint/v1/endpoints/:endpointId/memory-dumps/:memoryDumpRequestId" (tenant)
        -> MemoryDump {
        /// The endpoint's id.
        endpoint_id!: String,
        /// The id of the request.
        memory_dump_request_id!: String,
    }
}

model! {
    /// A requested memory dump.
    pub struct MemoryDump {
        /// The id of the request.
        id!: String,
        /// The state.
        status: CollectionStatus,
        /// The time of the request.
        received_at: Timestamp,
        /// The time of expiry.
        expires_at: Timestamp,
        /// The file, once it was uploaded.
        memory_dump_file: CollectedFile,
    }
}

impl Job for GetMemoryDump {
    fn progress(dump: &MemoryDump) -> JobProgress {
        let status = dump.status.as_ref().map(CollectionStatus::as_str);
        JobProgress::from_words(status, None).until(dump.expires_at.as_ref())
    }
}

listed! {
    CreateMemoryDump
    GetMemoryDump
}
