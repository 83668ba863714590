//! Quarantine: `/email/v1/quarantine/downloads/:downloadId/status` and the operations beside it.

use serde_json::Value;

use crate::{KeyedPage, NumberedPage, Timestamp, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// A quarantine download status.
    pub struct QuarantineDownloadStatus {
        /// The id.
        id as id: String,
        /// The status.
        status: QuarantineDownloadStatusStatus,
        /// The attachments.
        attachments: Vec<String>,
        /// The url.
        url: String,
        /// The password.
        password: String,
        /// The error.
        error: String,
    }
}

model! {
    /// A quarantined attachment.
    pub struct QuarantinedAttachment {
        /// The name.
        name: String,
        /// The size in bytes.
        size_in_bytes: i64,
        /// The file type.
        file_type: String,
        /// Whether `stripped` is set.
        stripped: bool,
    }
}

model! {
    /// A reattach quarantined attachments response.
    pub struct ReattachQuarantinedAttachmentsResponse {
        /// The items.
        items: Vec<ReattachQuarantinedAttachmentsResponseItem>,
        /// The errors.
        errors: Vec<ReattachQuarantinedAttachmentsResponseError>,
    }
}

model! {
    /// A reattach quarantined attachments response item.
    pub struct ReattachQuarantinedAttachmentsResponseItem {
        /// The attachment.
        attachment: String,
        /// The recipient.
        recipient: String,
    }
}

model! {
    /// A reattach quarantined attachments response error.
    pub struct ReattachQuarantinedAttachmentsResponseError {
        /// The attachment.
        attachment: String,
        /// The recipient.
        recipient: String,
    }
}

model! {
    /// A strip quarantined attachments response.
    pub struct StripQuarantinedAttachmentsResponse {
        /// The items.
        items: Vec<StripQuarantinedAttachmentsResponseItem>,
        /// The errors.
        errors: Vec<StripQuarantinedAttachmentsResponseError>,
    }
}

model! {
    /// A strip quarantined attachments response item.
    pub struct StripQuarantinedAttachmentsResponseItem {
        /// The attachment.
        attachment: String,
        /// The recipient.
        recipient: String,
    }
}

model! {
    /// A strip quarantined attachments response error.
    pub struct StripQuarantinedAttachmentsResponseError {
        /// The attachment.
        attachment: String,
        /// The recipient.
        recipient: String,
    }
}

model! {
    /// A preview quarantined message response.
    pub struct PreviewQuarantinedMessageResponse {
        /// The headers.
        headers: Vec<String>,
        /// The html body.
        html_body: String,
        /// The text body.
        text_body: String,
    }
}

model! {
    /// A quarantined message.
    pub struct QuarantinedMessage {
        /// The items.
        items: Vec<QuarantinedMessageItem>,
        /// The errors.
        errors: Vec<QuarantinedMessageError>,
        /// The direction.
        direction: QuarantinedMessageDirection,
        /// The for recipient.
        for_recipient: String,
        /// The id.
        id as id: String,
        /// The reason.
        reason: String,
        /// The mime message id.
        mime_message_id: String,
        /// The envelope sender.
        envelope_sender: QuarantinedMessageEnvelopeSender,
        /// The envelope recipients.
        envelope_recipients: Vec<QuarantinedMessageEnvelopeRecipient>,
        /// The from.
        from: QuarantinedMessageFrom,
        /// The to.
        to: Vec<QuarantinedMessageTo>,
        /// The cc.
        cc: Vec<QuarantinedMessageCc>,
        /// The subject.
        subject: String,
        /// The size in bytes.
        size_in_bytes: f64,
        /// The client ip.
        client_ip: String,
        /// The time: sent.
        sent_at: Timestamp,
        /// The time: received.
        received_at: Timestamp,
        /// The time: quarantined.
        quarantined_at: Timestamp,
        /// The product type.
        product_type: QuarantinedMessageProductType,
        /// The attachments.
        attachments: QuarantinedMessageAttachment,
        /// The reason detail.
        reason_detail: String,
    }
}

model! {
    /// A quarantined message item.
    pub struct QuarantinedMessageItem {
        /// The id.
        id as id: String,
        /// The recipient.
        recipient: String,
        /// The for recipients.
        for_recipients: Vec<String>,
    }
}

model! {
    /// A quarantined message error.
    pub struct QuarantinedMessageError {
        /// The id.
        id as id: String,
        /// The recipient.
        recipient: String,
        /// The error.
        error: String,
    }
}

model! {
    /// A release quarantined messages response.
    pub struct ReleaseQuarantinedMessagesResponse {
        /// The items.
        items: Vec<ReleaseQuarantinedMessagesResponseItem>,
        /// The errors.
        errors: Vec<ReleaseQuarantinedMessagesResponseError>,
    }
}

model! {
    /// A release quarantined messages response item.
    pub struct ReleaseQuarantinedMessagesResponseItem {
        /// The id.
        id as id: String,
        /// The recipient.
        recipient: String,
        /// The for recipients.
        for_recipients: Vec<String>,
        /// The strip attachments.
        strip_attachments: Vec<String>,
    }
}

model! {
    /// A release quarantined messages response error.
    pub struct ReleaseQuarantinedMessagesResponseError {
        /// The id.
        id as id: String,
        /// The recipient.
        recipient: String,
        /// The error.
        error: String,
    }
}

model! {
    /// A quarantined message envelope sender.
    pub struct QuarantinedMessageEnvelopeSender {
        /// The local address.
        local_address: String,
        /// The domain address.
        domain_address: String,
        /// The name.
        name: String,
    }
}

model! {
    /// A quarantined message envelope recipient.
    pub struct QuarantinedMessageEnvelopeRecipient {
        /// The local address.
        local_address: String,
        /// The domain address.
        domain_address: String,
        /// The name.
        name: String,
    }
}

model! {
    /// A quarantined message from.
    pub struct QuarantinedMessageFrom {
        /// The local address.
        local_address: String,
        /// The domain address.
        domain_address: String,
        /// The name.
        name: String,
    }
}

model! {
    /// A quarantined message to.
    pub struct QuarantinedMessageTo {
        /// The local address.
        local_address: String,
        /// The domain address.
        domain_address: String,
        /// The name.
        name: String,
    }
}

model! {
    /// A quarantined message cc.
    pub struct QuarantinedMessageCc {
        /// The local address.
        local_address: String,
        /// The domain address.
        domain_address: String,
        /// The name.
        name: String,
    }
}

model! {
    /// A quarantined message attachment.
    pub struct QuarantinedMessageAttachment {
        /// The total.
        total: i64,
        /// The size.
        size: i64,
        /// The items.
        items: Vec<QuarantinedMessageAttachmentItem>,
    }
}

model! {
    /// A quarantined message attachment item.
    pub struct QuarantinedMessageAttachmentItem {
        /// The name.
        name: String,
        /// The size in bytes.
        size_in_bytes: i64,
        /// The file type.
        file_type: String,
        /// Whether `stripped` is set.
        stripped: bool,
    }
}

model! {
    /// A quarantined message filter.
    pub struct QuarantinedMessageFilter {
        /// The id.
        id as id: String,
        /// The from contains.
        from_contains: String,
        /// The to contains.
        to_contains: String,
        /// The subject contains.
        subject_contains: String,
        /// The attachment name contains.
        attachment_name_contains: String,
        /// The size in mbgreater than.
        #[serde(rename = "sizeInMBGreaterThan")]
        size_in_mbgreater_than: i64,
        /// The size in mblower than.
        #[serde(rename = "sizeInMBLowerThan")]
        size_in_mblower_than: i64,
        /// The direction.
        direction: QuarantinedMessageFilterDirection,
        /// The product type.
        product_type: QuarantinedMessageFilterProductType,
        /// The reason.
        reason: Vec<String>,
        /// Whether `hasAnyAttachment` is set.
        has_any_attachment: bool,
    }
}

open_enum! {
    /// The quarantine download status status.
    pub enum QuarantineDownloadStatusStatus {
        /// `completed`.
        Completed = "completed",
        /// `failed`.
        Failed = "failed",
        /// `processing`.
        Processing = "processing",
    }
}

open_enum! {
    /// The quarantined message direction.
    pub enum QuarantinedMessageDirection {
        /// `inbound`.
        Inbound = "inbound",
        /// `outbound`.
        Outbound = "outbound",
    }
}

open_enum! {
    /// The quarantined message product type.
    pub enum QuarantinedMessageProductType {
        /// `gateway`.
        Gateway = "gateway",
        /// `mailflow`.
        Mailflow = "mailflow",
    }
}

open_enum! {
    /// The quarantined message filter direction.
    pub enum QuarantinedMessageFilterDirection {
        /// `inbound`.
        Inbound = "inbound",
        /// `outbound`.
        Outbound = "outbound",
    }
}

open_enum! {
    /// The quarantined message filter product type.
    pub enum QuarantinedMessageFilterProductType {
        /// `gateway`.
        Gateway = "gateway",
        /// `mailflow`.
        Mailflow = "mailflow",
    }
}

operation! {
    /// Gets status of a download job.
    pub struct GetQuarantineDownloadStatus = GET "/email/v1/quarantine/downloads/:downloadId/status" (tenant)
        -> QuarantineDownloadStatus {
        /// The download id.
        download_id!: String,
    }
}

operation! {
    /// Gets all attachments of a quaratined message.
    pub struct ListQuarantinedAttachments = GET "/email/v1/quarantine/messages/:id/attachments" (tenant)
        -> NumberedPage<QuarantinedAttachment> {
        /// The id.
        id!: String,
        /// The number of items per page.
        page_size: u32,
        /// The page number, from 1.
        page: u64,
    }
}

operation! {
    /// Downloads one or more attachments.
    pub struct DownloadQuarantinedAttachments = POST "/email/v1/quarantine/messages/:id/attachments/download" (tenant)
        -> Value {
        /// The id.
        id!: String,
        /// The attachments.
        attachments: [String],
    }
}

operation! {
    /// Reattaches one or more attachments to the message.
    pub struct ReattachQuarantinedAttachments = POST "/email/v1/quarantine/messages/:id/attachments/reattach" (tenant)
        -> ReattachQuarantinedAttachmentsResponse {
        /// The id.
        id!: String,
        /// The attachments.
        attachments: [String],
        /// The for recipients.
        for_recipients: [String],
    }
}

operation! {
    /// Strips the quarantined attachments.
    pub struct StripQuarantinedAttachments = POST "/email/v1/quarantine/messages/:id/attachments/strip" (tenant)
        -> StripQuarantinedAttachmentsResponse {
        /// The id.
        id!: String,
        /// The attachments.
        attachments: [String],
        /// The for recipients.
        for_recipients: [String],
    }
}

operation! {
    /// Previews a message in quarantine.
    pub struct PreviewQuarantinedMessage = GET "/email/v1/quarantine/messages/:id/preview" (tenant)
        -> PreviewQuarantinedMessageResponse {
        /// The id.
        id!: String,
    }
}

operation! {
    /// Gets all URLs found in body of a quarantined message.
    pub struct ListQuarantinedMessageUrls = GET "/email/v1/quarantine/messages/:id/urls" (tenant)
        -> NumberedPage<String> {
        /// The id.
        id!: String,
        /// The number of items per page.
        page_size: u32,
        /// The page number, from 1.
        page: u64,
    }
}

operation! {
    /// Deletes one or more messages from quarantine.
    pub struct DeleteQuarantinedMessages = POST "/email/v1/quarantine/messages/delete" (tenant)
        -> QuarantinedMessage {
        /// The items.
        items: [QuarantinedMessageItem],
        /// Whether `blockSender` is set.
        block_sender: bool,
    }
}

operation! {
    /// Releases the quarantined messages.
    pub struct ReleaseQuarantinedMessages = POST "/email/v1/quarantine/messages/release" (tenant)
        -> ReleaseQuarantinedMessagesResponse {
        /// The items.
        items: [ReleaseQuarantinedMessagesResponseItem],
        /// Whether `allowSender` is set.
        allow_sender: bool,
        /// Whether `enforceSenderAuthentication` is set.
        enforce_sender_authentication: bool,
        /// Whether `submitMessageToLabs` is set.
        submit_message_to_labs: bool,
    }
}

operation! {
    /// Searches the quarantined messages.
    pub struct SearchQuarantinedMessages = POST "/email/v1/quarantine/messages/search" (tenant)
        -> KeyedPage<QuarantinedMessage> {
        /// The time: begin.
        begin_date: Timestamp,
        /// The time: end.
        end_date: Timestamp,
        /// The fields to return.
        fields: [String],
        /// The key of the page.
        page_from_key: String,
        /// The number of items per page.
        page_size: u32,
        /// The order, such as `name:asc`.
        sort: [String],
        /// The filter.
        filter: QuarantinedMessageFilter,
    }
}

tested! {
    GetQuarantineDownloadStatus
    ListQuarantinedAttachments
    DownloadQuarantinedAttachments
    ReattachQuarantinedAttachments
    StripQuarantinedAttachments
    PreviewQuarantinedMessage
    ListQuarantinedMessageUrls
    DeleteQuarantinedMessages
    ReleaseQuarantinedMessages
    SearchQuarantinedMessages
}
