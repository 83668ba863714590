//! Forensic Logs: `/endpoint/v1/endpoints/:endpointId/forensic-logs` and the operations beside it.

use serde_json::Value;

use crate::{model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// A forensic log.
    pub struct ForensicLog {
        /// The id.
        id!: String,
        /// The status.
        status: ForensicLogStatus,
        /// The received at.
        received_at: Value,
        /// The time of expiry.
        expires_at: Value,
    }
}

model! {
    /// A forensic log request.
    pub struct ForensicLogRequest {
        /// The id.
        id as id: String,
        /// The status.
        status: ForensicLogRequestStatus,
        /// The received at.
        received_at: Value,
        /// The time of expiry.
        expires_at: Value,
        /// The forensic log file.
        forensic_log_file: ForensicLogRequestForensicLogFile,
    }
}

model! {
    /// A forensic log request forensic log file.
    pub struct ForensicLogRequestForensicLogFile {
        /// The file name.
        file_name: String,
        /// The sha256.
        sha256: String,
        /// The size.
        size: i64,
    }
}

open_enum! {
    /// The forensic log status.
    pub enum ForensicLogStatus {
        /// `finished`.
        Finished = "finished",
        /// `pending`.
        Pending = "pending",
    }
}

open_enum! {
    /// The forensic log request status.
    pub enum ForensicLogRequestStatus {
        /// `finished`.
        Finished = "finished",
        /// `pending`.
        Pending = "pending",
    }
}

operation! {
    /// Collects the forensic log.
    pub struct CollectForensicLog = POST "/endpoint/v1/endpoints/:endpointId/forensic-logs" (tenant)
        -> ForensicLog {
        /// The endpoint id.
        endpoint_id!: String,
        /// The mode.
        mode: String,
        /// The expires.
        expires: String,
    }
}

operation! {
    /// Gets the status of the forensic log collection.
    pub struct GetForensicLogRequest = GET "/endpoint/v1/endpoints/:endpointId/forensic-logs/:forensicLogRequestId" (tenant)
        -> ForensicLogRequest {
        /// The endpoint id.
        endpoint_id!: String,
        /// The id of the forensic log collection request.
        forensic_log_request_id!: String,
    }
}

tested! {
    CollectForensicLog
    GetForensicLogRequest
}
