//! Attachments of messages in quarantine: `/email/v1/quarantine/messages/{id}/attachments`.

use crate::{
    Job, JobProgress, NumberedPage,
    models::{
        SecretText,
        macros::{model, open_enum},
    },
    operation::macros::{listed, operation},
};

operation! {
    /// Returns a download job with its state.
    pub struct GetQuarantineDownloadStatus = GET "/email/v1/quarantine/downloads/:downloadId/status" (tenant)
        -> DownloadJob {
        /// The job's id.
        download_id!: String,
    }
}

operation! {
    /// Lists the attachments of a message in quarantine.
    pub struct ListQuarantinedAttachments = GET "/email/v1/quarantine/messages/:id/attachments" (tenant)
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
    /// [`GetQuarantineDownloadStatus`] returns its state.
    pub struct DownloadQuarantinedAttachments = POST "/email/v1/quarantine/messages/:id/attachments/download" (tenant)
        -> DownloadJob {
        /// The message's id.
        id!: String,
        /// The names of the attachments.
        attachments!: [String],
    }
}

operation! {
    /// Restores stripped attachments of a message in quarantine.
    pub struct ReattachQuarantinedAttachments = POST "/email/v1/quarantine/messages/:id/attachments/reattach" (tenant)
        -> AttachmentChanges {
        /// The message's id.
        id!: String,
        /// The names of the attachments.
        attachments!: [String],
        /// The recipients; all if empty.
        for_recipients: [String],
    }
}

operation! {
    /// Removes attachments of a message in quarantine.
    pub struct StripQuarantinedAttachments = POST "/email/v1/quarantine/messages/:id/attachments/strip" (tenant)
        -> AttachmentChanges {
        /// The message's id.
        id!: String,
        /// The names of the attachments.
        attachments!: [String],
        /// The recipients; all if empty.
        for_recipients: [String],
    }
}

model! {
    /// A job that packs attachments into a protected archive.
    pub struct DownloadJob {
        /// The job's id.
        id as id: String,
        /// The state.
        status: DownloadStatus,
        /// The names of the attachments.
        attachments: Vec<String>,
        /// The URL of the archive, once it is ready. It grants access by itself.
        url: SecretText,
        /// The password of the archive.
        password: SecretText,
        /// The failure.
        error: String,
    }
}

model! {
    /// An attachment of a message in quarantine.
    pub struct QuarantinedAttachment {
        /// The file name.
        name: String,
        /// The size, in bytes.
        size_in_bytes: i64,
        /// The file type.
        file_type: String,
        /// Whether it was removed from the message.
        stripped: bool,
    }
}

model! {
    /// The changed attachments.
    pub struct AttachmentChanges {
        /// The changed attachments.
        items: Vec<AttachmentRecipient>,
        /// The attachments that were not changed.
        errors: Vec<AttachmentRecipient>,
    }
}

model! {
    /// An attachment in the message of a recipient.
    pub struct AttachmentRecipient {
        /// The name of the attachment.
        attachment: String,
        /// The recipient.
        recipient: String,
    }
}

open_enum! {
    /// The state of a download job.
    pub enum DownloadStatus {
        /// The archive is ready.
        Completed = "completed",
        /// The job failed.
        Failed = "failed",
        /// The job is in progress.
        Processing = "processing",
    }
}

impl DownloadJob {
    pub(crate) fn progress(&self) -> JobProgress {
        let status = self.status.as_ref().map(DownloadStatus::as_str);
        JobProgress::from_words(status, self.error.as_deref().filter(|_| status == Some("failed")))
    }
}

impl Job for GetQuarantineDownloadStatus {
    fn progress(job: &DownloadJob) -> JobProgress {
        job.progress()
    }
}

listed! {
    GetQuarantineDownloadStatus
    ListQuarantinedAttachments
    DownloadQuarantinedAttachments
    ReattachQuarantinedAttachments
    StripQuarantinedAttachments
}
