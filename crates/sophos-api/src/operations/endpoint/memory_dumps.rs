//! Memory Dump: `/endpoint/v1/endpoints/:endpointId/memory-dumps` and the operations beside it.

use serde_json::Value;

use crate::{model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// A memory dump.
    pub struct MemoryDump {
        /// The id.
        id!: String,
        /// The status.
        status: MemoryDumpStatus,
        /// The received at.
        received_at: Value,
        /// The time of expiry.
        expires_at: Value,
    }
}

model! {
    /// A memory dump request.
    pub struct MemoryDumpRequest {
        /// The id.
        id as id: String,
        /// The status.
        status: MemoryDumpRequestStatus,
        /// The received at.
        received_at: Value,
        /// The time of expiry.
        expires_at: Value,
        /// The memory dump file.
        memory_dump_file: MemoryDumpRequestMemoryDumpFile,
    }
}

model! {
    /// A memory dump request memory dump file.
    pub struct MemoryDumpRequestMemoryDumpFile {
        /// The file name.
        file_name: String,
        /// The sha256.
        sha256: String,
        /// The size.
        size: i64,
    }
}

open_enum! {
    /// The memory dump status.
    pub enum MemoryDumpStatus {
        /// `finished`.
        Finished = "finished",
        /// `pending`.
        Pending = "pending",
    }
}

open_enum! {
    /// The memory dump request status.
    pub enum MemoryDumpRequestStatus {
        /// `finished`.
        Finished = "finished",
        /// `pending`.
        Pending = "pending",
    }
}

operation! {
    /// Creates the memory dump.
    pub struct CreateMemoryDump = POST "/endpoint/v1/endpoints/:endpointId/memory-dumps" (tenant)
        -> MemoryDump {
        /// The endpoint id.
        endpoint_id!: String,
        /// The mode.
        mode: String,
        /// The pid.
        pid: i64,
        /// The expires.
        expires: String,
    }
}

operation! {
    /// Gets the status of the memory dump collection.
    pub struct GetMemoryDumpRequest = GET "/endpoint/v1/endpoints/:endpointId/memory-dumps/:memoryDumpRequestId" (tenant)
        -> MemoryDumpRequest {
        /// The endpoint id.
        endpoint_id!: String,
        /// The id of the memory dump request.
        memory_dump_request_id!: String,
    }
}

tested! {
    CreateMemoryDump
    GetMemoryDumpRequest
}
