//! Messages that were put in quarantine after their delivery: `/email/v1/post-delivery-quarantine`.

use crate::{
    Job, JobProgress, NumberedPage, Timestamp,
    models::macros::model,
    operation::macros::{listed, operation},
    operations::email::{
        quarantine::{
            AttachmentPreview, BulkResult, MailAddress, MessagePreview, MessageSelection, ProductType,
        },
        quarantine_attachments::{DownloadJob, QuarantinedAttachment},
    },
};

operation! {
    /// Returns a download job with its state.
    pub struct GetPostDeliveryDownloadStatus = GET "/email/v1/post-delivery-quarantine/downloads/:downloadId/status" (tenant)
        -> DownloadJob {
        /// The job's id.
        download_id!: String,
    }
}

operation! {
    /// Lists the attachments of a message.
    pub struct ListPostDeliveryAttachments = GET "/email/v1/post-delivery-quarantine/messages/:id/attachments" (tenant)
        -> NumberedPage<QuarantinedAttachment> {
        /// The message's id.
        id!: String,
        /// The number of items per page.
        page_size: u32,
        /// The page number, from 1.
        page: u64,
    }
}

operation! {
    /// Starts a job that packs attachments for download.
    ///
    /// [`GetPostDeliveryDownloadStatus`] returns its state.
    pub struct DownloadPostDeliveryAttachments = POST "/email/v1/post-delivery-quarantine/messages/:id/attachments/download" (tenant)
        -> DownloadJob {
        /// The message's id.
        id!: String,
        /// The names of the attachments.
        attachments!: [String],
    }
}

operation! {
    /// Returns the text of a message.
    pub struct PreviewPostDeliveryMessage = GET "/email/v1/post-delivery-quarantine/messages/:id/preview" (tenant)
        -> MessagePreview {
        /// The message's id.
        id!: String,
    }
}

operation! {
    /// Deletes messages from post-delivery quarantine.
    ///
    /// Succeeds although some fail; the response lists them.
    pub struct DeletePostDeliveryMessages = POST "/email/v1/post-delivery-quarantine/messages/delete" (tenant)
        -> BulkResult {
        /// The messages.
        items!: [MessageSelection],
    }
}

operation! {
    /// Queues messages for their release from post-delivery quarantine.
    ///
    /// Succeeds although some fail; the response lists them.
    pub struct ReleasePostDeliveryMessages = POST "/email/v1/post-delivery-quarantine/messages/release" (tenant)
        -> BulkResult {
        /// The messages.
        items!: [MessageSelection],
    }
}

operation! {
    /// Lists the messages in post-delivery quarantine.
    pub struct SearchPostDeliveryMessages = POST "/email/v1/post-delivery-quarantine/messages/search" (tenant)
        -> NumberedPage<PostDeliveryMessage> {
        /// The start of the time range.
        begin_date!: Timestamp,
        /// The end of the time range.
        end_date!: Timestamp,
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// The order, such as `forRecipient:DESC`.
        sort: [String],
        /// The conditions.
        filter: PostDeliveryMessageFilter,
    }
}

model! {
    /// A message in post-delivery quarantine.
    pub struct PostDeliveryMessage {
        /// The message's id.
        id as id: String,
        /// The time of the quarantine.
        quarantined_at: Timestamp,
        /// The id of the message in Microsoft 365.
        o365_message_id: String,
        /// The reason of the quarantine.
        reason: String,
        /// The recipient.
        for_recipient: String,
        /// The `Message-ID` header.
        mime_message_id: String,
        /// The sender of the envelope.
        envelope_sender: MailAddress,
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
        /// The way of processing.
        product_type: ProductType,
        /// The attachments.
        attachments: AttachmentPreview,
    }
}

model! {
    /// The conditions on messages.
    pub struct PostDeliveryMessageFilter with setters {
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
        /// The way of processing.
        product_type: ProductType,
        /// The reasons of the quarantine.
        reason: Vec<String>,
        /// Whether the message has an attachment.
        has_any_attachment: bool,
    }
}

impl Job for GetPostDeliveryDownloadStatus {
    fn progress(job: &DownloadJob) -> JobProgress {
        job.progress()
    }
}

listed! {
    GetPostDeliveryDownloadStatus
    ListPostDeliveryAttachments
    DownloadPostDeliveryAttachments
    PreviewPostDeliveryMessage
    DeletePostDeliveryMessages
    ReleasePostDeliveryMessages
    SearchPostDeliveryMessages
}
