//! Post-Delivery Quarantine: `/email/v1/post-delivery-quarantine/downloads/:downloadId/status` and the operations beside it.

use serde_json::Value;

use crate::{NumberedPage, Timestamp, model::{model, open_enum}, operation_macro::{operation, tested}};

model! {
    /// A post delivery download status.
    pub struct PostDeliveryDownloadStatus {
        /// The id.
        id as id: String,
        /// The status.
        status: PostDeliveryDownloadStatusStatus,
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
    /// A post delivery attachment.
    pub struct PostDeliveryAttachment {
        /// The name.
        name: String,
        /// The size in bytes.
        size_in_bytes: i64,
    }
}

model! {
    /// A download post delivery attachments response.
    pub struct DownloadPostDeliveryAttachmentsResponse {
        /// The id.
        id as id: String,
        /// The status.
        status: DownloadPostDeliveryAttachmentsResponseStatus,
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
    /// A preview post delivery message response.
    pub struct PreviewPostDeliveryMessageResponse {
        /// The headers.
        headers: Vec<String>,
        /// The html body.
        html_body: String,
        /// The text body.
        text_body: String,
        /// The date.
        date: Value,
    }
}

model! {
    /// A post delivery message.
    pub struct PostDeliveryMessage {
        /// The items.
        items: Vec<PostDeliveryMessageItem>,
        /// The errors.
        errors: Vec<PostDeliveryMessageError>,
        /// The id.
        id as id: String,
        /// The time: quarantined.
        quarantined_at: Timestamp,
        /// The o365 message id.
        o365_message_id: String,
        /// The reason.
        reason: String,
        /// The for recipient.
        for_recipient: String,
        /// The mime message id.
        mime_message_id: String,
        /// The envelope sender.
        envelope_sender: PostDeliveryMessageEnvelopeSender,
        /// The to.
        to: Vec<PostDeliveryMessageTo>,
        /// The cc.
        cc: Vec<PostDeliveryMessageCc>,
        /// The subject.
        subject: String,
        /// The size in bytes.
        size_in_bytes: f64,
        /// The client ip.
        client_ip: String,
        /// The time: sent.
        sent_at: Timestamp,
        /// The product type.
        product_type: PostDeliveryMessageProductType,
        /// The attachments.
        attachments: PostDeliveryMessageAttachment,
    }
}

model! {
    /// A post delivery message item.
    pub struct PostDeliveryMessageItem {
        /// The id.
        id as id: String,
        /// The recipient.
        recipient: String,
        /// The for recipients.
        for_recipients: Vec<String>,
    }
}

model! {
    /// A post delivery message error.
    pub struct PostDeliveryMessageError {
        /// The id.
        id as id: String,
        /// The recipient.
        recipient: String,
        /// The error.
        error: String,
    }
}

model! {
    /// A release post delivery messages response.
    pub struct ReleasePostDeliveryMessagesResponse {
        /// The items.
        items: Vec<ReleasePostDeliveryMessagesResponseItem>,
        /// The errors.
        errors: Vec<ReleasePostDeliveryMessagesResponseError>,
    }
}

model! {
    /// A release post delivery messages response item.
    pub struct ReleasePostDeliveryMessagesResponseItem {
        /// The id.
        id as id: String,
        /// The recipient.
        recipient: String,
        /// The for recipients.
        for_recipients: Vec<String>,
    }
}

model! {
    /// A release post delivery messages response error.
    pub struct ReleasePostDeliveryMessagesResponseError {
        /// The id.
        id as id: String,
        /// The recipient.
        recipient: String,
        /// The error.
        error: String,
    }
}

model! {
    /// A post delivery message envelope sender.
    pub struct PostDeliveryMessageEnvelopeSender {
        /// The local address.
        local_address: String,
        /// The domain address.
        domain_address: String,
        /// The name.
        name: String,
    }
}

model! {
    /// A post delivery message to.
    pub struct PostDeliveryMessageTo {
        /// The local address.
        local_address: String,
        /// The domain address.
        domain_address: String,
        /// The name.
        name: String,
    }
}

model! {
    /// A post delivery message cc.
    pub struct PostDeliveryMessageCc {
        /// The local address.
        local_address: String,
        /// The domain address.
        domain_address: String,
        /// The name.
        name: String,
    }
}

model! {
    /// A post delivery message attachment.
    pub struct PostDeliveryMessageAttachment {
        /// The total.
        total: i64,
        /// The items.
        items: Vec<PostDeliveryMessageAttachmentItem>,
    }
}

model! {
    /// A post delivery message attachment item.
    pub struct PostDeliveryMessageAttachmentItem {
        /// The name.
        name: String,
        /// The size in bytes.
        size_in_bytes: i64,
    }
}

model! {
    /// A post delivery message filter.
    pub struct PostDeliveryMessageFilter {
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
        /// The product type.
        product_type: PostDeliveryMessageFilterProductType,
        /// The reason.
        reason: Vec<String>,
        /// Whether `hasAnyAttachment` is set.
        has_any_attachment: bool,
    }
}

open_enum! {
    /// The post delivery download status status.
    pub enum PostDeliveryDownloadStatusStatus {
        /// `completed`.
        Completed = "completed",
        /// `failed`.
        Failed = "failed",
        /// `processing`.
        Processing = "processing",
    }
}

open_enum! {
    /// The download post delivery attachments response status.
    pub enum DownloadPostDeliveryAttachmentsResponseStatus {
        /// `completed`.
        Completed = "completed",
        /// `failed`.
        Failed = "failed",
        /// `processing`.
        Processing = "processing",
    }
}

open_enum! {
    /// The post delivery message product type.
    pub enum PostDeliveryMessageProductType {
        /// `gateway`.
        Gateway = "gateway",
        /// `mailflow`.
        Mailflow = "mailflow",
    }
}

open_enum! {
    /// The post delivery message filter product type.
    pub enum PostDeliveryMessageFilterProductType {
        /// `gateway`.
        Gateway = "gateway",
        /// `mailflow`.
        Mailflow = "mailflow",
    }
}

operation! {
    /// Gets status of a download job.
    pub struct GetPostDeliveryDownloadStatus = GET "/email/v1/post-delivery-quarantine/downloads/:downloadId/status" (tenant)
        -> PostDeliveryDownloadStatus {
        /// The download id.
        download_id!: String,
    }
}

operation! {
    /// Gets all attachments of a post-delivery quarantined message.
    pub struct ListPostDeliveryAttachments = GET "/email/v1/post-delivery-quarantine/messages/:id/attachments" (tenant)
        -> NumberedPage<PostDeliveryAttachment> {
        /// The id.
        id!: String,
        /// The number of items per page.
        page_size: u32,
        /// The page number, from 1.
        page: u64,
    }
}

operation! {
    /// Downloads one ore more attachments.
    pub struct DownloadPostDeliveryAttachments = POST "/email/v1/post-delivery-quarantine/messages/:id/attachments/download" (tenant)
        -> DownloadPostDeliveryAttachmentsResponse {
        /// The id.
        id!: String,
        /// The attachments.
        attachments: [String],
    }
}

operation! {
    /// Previews a message in post-delivery quarantine.
    pub struct PreviewPostDeliveryMessage = GET "/email/v1/post-delivery-quarantine/messages/:id/preview" (tenant)
        -> PreviewPostDeliveryMessageResponse {
        /// The id.
        id!: String,
    }
}

operation! {
    /// Deletes one or more messages from post quarantine.
    pub struct DeletePostDeliveryMessages = POST "/email/v1/post-delivery-quarantine/messages/delete" (tenant)
        -> PostDeliveryMessage {
        /// The items.
        items: [PostDeliveryMessageItem],
    }
}

operation! {
    /// Releases the post delivery messages.
    pub struct ReleasePostDeliveryMessages = POST "/email/v1/post-delivery-quarantine/messages/release" (tenant)
        -> ReleasePostDeliveryMessagesResponse {
        /// The items.
        items: [ReleasePostDeliveryMessagesResponseItem],
    }
}

operation! {
    /// Searches the post delivery messages.
    pub struct SearchPostDeliveryMessages = POST "/email/v1/post-delivery-quarantine/messages/search" (tenant)
        -> NumberedPage<PostDeliveryMessage> {
        /// The time: begin.
        begin_date: Timestamp,
        /// The time: end.
        end_date: Timestamp,
        /// The page number, from 1.
        page: u64,
        /// The number of items per page.
        page_size: u32,
        /// The order, such as `name:asc`.
        sort: [String],
        /// The filter.
        filter: PostDeliveryMessageFilter,
    }
}

tested! {
    GetPostDeliveryDownloadStatus
    ListPostDeliveryAttachments
    DownloadPostDeliveryAttachments
    PreviewPostDeliveryMessage
    DeletePostDeliveryMessages
    ReleasePostDeliveryMessages
    SearchPostDeliveryMessages
}
