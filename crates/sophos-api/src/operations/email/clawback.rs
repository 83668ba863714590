//! Removal of delivered messages from mailboxes: `/email/v1/messages`.

use crate::{
    models::macros::model,
    operation::macros::{listed, operation},
};

operation! {
    /// Removes a delivered message from the mailboxes of its recipients, or of some.
    ///
    /// The service accepts the request with 202; [`GetMessageStatus`] returns its state.
    pub struct ClawBackMessage = POST "/email/v1/messages/:id/clawback" (tenant) -> Clawback {
        /// The message's id.
        id!: String,
        /// The reason, such as `phishing`.
        reason!: String,
        /// The recipients; in a request all if empty.
        recipients: [String],
    }
}

// The published list has no example of this response.
operation! {
    /// Returns the state of the removal of a message.
    pub struct GetMessageStatus = GET "/email/v1/messages/:id/status" (tenant) -> Clawback {
        /// The message's id.
        id!: String,
    }
}

model! {
    /// The removal of a message.
    pub struct Clawback {
        /// The message's id.
        id as id: String,
        /// The recipients; in a request all if empty.
        recipients: Vec<String>,
        /// The failures.
        errors: Vec<ClawbackError>,
    }
}

model! {
    /// The failure of a removal.
    pub struct ClawbackError {
        /// The recipient.
        recipient: String,
        /// The failure.
        error: String,
    }
}

listed! {
    ClawBackMessage
    GetMessageStatus
}
