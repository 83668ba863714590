//! Clawback: `/email/v1/messages/:id/clawback` and the operations beside it.

use serde_json::Value;

use crate::{model::{model}, operation_macro::{operation, tested}};

model! {
    /// A claw back message response.
    pub struct ClawBackMessageResponse {
        /// The id.
        id as id: String,
        /// The recipients.
        recipients: Vec<String>,
        /// The errors.
        errors: Vec<ClawBackMessageResponseError>,
    }
}

model! {
    /// A claw back message response error.
    pub struct ClawBackMessageResponseError {
        /// The recipient.
        recipient: String,
        /// The error.
        error: String,
    }
}

operation! {
    /// Claws back message (can clawback message for specific recipients).
    pub struct ClawBackMessage = POST "/email/v1/messages/:id/clawback" (tenant)
        -> ClawBackMessageResponse {
        /// The id.
        id!: String,
        /// The recipients.
        recipients: [String],
        /// The reason.
        reason: String,
    }
}

operation! {
    /// Gets current status of a message.
    pub struct GetMessageStatus = GET "/email/v1/messages/:id/status" (tenant)
        -> Value {
        /// The id.
        id!: String,
    }
}

tested! {
    ClawBackMessage
    GetMessageStatus
}
