//! Messages in quarantine: `/email/v1/quarantine/messages`.

use crate::{
    KeyedPage, NumberedPage, Timestamp,
    models::macros::{model, open_enum},
    operation::macros::{listed, operation},
    operations::email::quarantine_attachments::QuarantinedAttachment,
};

operation! {
    /// Returns the text of a message in quarantine.
    pub struct PreviewQuarantinedMessage = GET "/email/v1/quarantine/messages/:id/preview" (tenant)
        -> MessagePreview {
        /// The message's id.
        id!: String,
    }
}

operation! {
    /// Lists the URLs in the body of a message in quarantine.
    pub struct ListQuarantinedMessageUrls = GET "/email/v1/quarantine/messages/:id/urls" (tenant)
        -> NumberedPage<String> {
        /// The message's id.
        id!: String,
        /// The number of items per page.
        page_size: u32,
        /// The page number, from 1.
        page: u64,
    }
}

operation! {
    /// Deletes messages from quarantine.
    ///
    /// Succeeds although some fail; the response lists them.
    pub struct DeleteQuarantinedMessages = POST "/email/v1/quarantine/messages/delete" (tenant)
        -> BulkResult {
        /// The messages.
        items!: [MessageSelection],
        /// Whether to block the sender from now on.
        block_sender: bool,
    }
}

operation! {
    /// Queues messages for their release from quarantine.
    ///
    /// Succeeds although some fail; the response lists them.
    pub struct ReleaseQuarantinedMessages = POST "/email/v1/quarantine/messages/release" (tenant)
        -> BulkResult {
        /// The messages.
        items!: [MessageSelection],
        /// Whether to allow the sender from now on.
        allow_sender: bool,
        /// Whether an allowed sender must pass authentication.
        enforce_sender_authentication: bool,
        /// Whether to send the message to SophosLabs for analysis.
        submit_message_to_labs: bool,
    }
}

operation! {
    /// Lists the messages in quarantine.
    pub struct SearchQuarantinedMessages = POST "/email/v1/quarantine/messages/search" (tenant)
        -> KeyedPage<QuarantinedMessage> {
        /// The start of the time range.
        begin_date!: Timestamp,
        /// The end of the time range.
        end_date!: Timestamp,
        /// The fields to return; all if empty.
        fields: [String],
        /// The key of the page, from the page before.
        page_from_key: String,
        /// The number of items per page.
        page_size: u32,
        /// The order, such as `quarantinedAt:DESC`.
        sort: [String],
        /// The conditions.
        filter: QuarantinedMessageFilter,
    }
}

model! {
    /// The text of a message.
    pub struct MessagePreview {
        /// The headers.
        headers: Vec<String>,
        /// The HTML body.
        html_body: String,
        /// The text body.
        text_body: String,
        /// The date of the message.
        date: Timestamp,
    }
}

model! {
    /// A message in quarantine.
    pub struct QuarantinedMessage {
        /// The direction.
        direction: MessageDirection,
        /// The recipient.
        for_recipient: String,
        /// The message's id.
        id as id: String,
        /// The reason of the quarantine.
        reason: String,
        /// The `Message-ID` header.
        mime_message_id: String,
        /// The sender of the envelope.
        envelope_sender: MailAddress,
        /// The recipients of the envelope.
        envelope_recipients: Vec<MailAddress>,
        /// The sender.
        from: MailAddress,
        /// The recipients.
        to: Vec<MailAddress>,
        /// The recipients of a copy.
        cc: Vec<MailAddress>,
        /// The subject.
        subject: String,
        /// The size, in bytes.
        size_in_bytes: f64,
        /// The IP address of the sending server.
        client_ip: String,
        /// The time of sending.
        sent_at: Timestamp,
        /// The time of receipt.
        received_at: Timestamp,
        /// The time of the quarantine.
        quarantined_at: Timestamp,
        /// The way of processing.
        product_type: ProductType,
        /// The attachments.
        attachments: AttachmentPreview,
        /// The details of the reason.
        reason_detail: String,
    }
}

model! {
    /// The result for several messages.
    pub struct BulkResult {
        /// The processed messages.
        items: Vec<MessageRecipient>,
        /// The messages that were not processed.
        errors: Vec<MessageError>,
    }
}

model! {
    /// A message to delete or release.
    pub struct MessageSelection with setters {
        /// The message's id.
        id as id: String,
        /// The recipients; all if empty.
        for_recipients: Vec<String>,
        /// The names of attachments to remove.
        strip_attachments: Vec<String>,
    }
}

model! {
    /// A message that was not processed for a recipient.
    pub struct MessageError {
        /// The message's id.
        id as id: String,
        /// The recipient.
        recipient: String,
        /// The failure.
        error: String,
    }
}

model! {
    /// An email address.
    pub struct MailAddress {
        /// The part before the `@`.
        local_address: String,
        /// The domain.
        domain_address: String,
        /// The name.
        name: String,
    }
}

model! {
    /// The first attachments of a message.
    pub struct AttachmentPreview {
        /// The number of attachments.
        total: i64,
        /// The number of listed attachments.
        size: i64,
        /// The listed attachments.
        items: Vec<QuarantinedAttachment>,
    }
}

model! {
    /// The conditions on messages.
    pub struct QuarantinedMessageFilter with setters {
        /// The message's id.
        id as id: String,
        /// The text in the sender.
        from_contains: String,
        /// The text in a recipient.
        to_contains: String,
        /// The text in the subject.
        subject_contains: String,
        /// The text in the name of an attachment.
        attachment_name_contains: String,
        /// The size to exceed, in MB.
        #[serde(rename = "sizeInMBGreaterThan")]
        size_in_mbgreater_than: i64,
        /// The size to stay below, in MB.
        #[serde(rename = "sizeInMBLowerThan")]
        size_in_mblower_than: i64,
        /// The direction.
        direction: MessageDirection,
        /// The way of processing.
        product_type: ProductType,
        /// The reasons of the quarantine.
        reason: Vec<String>,
        /// Whether the message has an attachment.
        has_any_attachment: bool,
    }
}

model! {
    /// A message that was processed for a recipient.
    pub struct MessageRecipient {
        /// The message's id.
        id as id: String,
        /// The recipient.
        recipient: String,
        /// The recipients; all if empty.
        for_recipients: Vec<String>,
    }
}

open_enum! {
    /// The direction of a message.
    pub enum MessageDirection {
        /// To the tenant.
        Inbound = "inbound",
        /// From the tenant.
        Outbound = "outbound",
    }
}

open_enum! {
    /// The way in which Sophos Email processes messages.
    pub enum ProductType {
        /// As a mail gateway.
        Gateway = "gateway",
        /// By rules of Microsoft 365.
        Mailflow = "mailflow",
    }
}

listed! {
    PreviewQuarantinedMessage
    ListQuarantinedMessageUrls
    DeleteQuarantinedMessages
    ReleaseQuarantinedMessages
    SearchQuarantinedMessages
}
