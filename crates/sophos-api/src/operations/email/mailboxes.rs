//! Mailbox Management: `/email/v1/mailboxes` and the operations beside it.

use serde_json::Value;

use crate::{KeyedPage, Timestamp, models::{Deleted, Reference}, model::{model}, operation_macro::{operation, tested}};

model! {
    /// A mailbox.
    pub struct Mailbox {
        /// The id.
        id!: String,
        /// The type.
        r#type: String,
        /// The email.
        email: String,
        /// The name.
        name: String,
        /// The time of creation.
        created_at: Timestamp,
        /// Whether `blocked` is set.
        blocked: bool,
        /// The bulk sender privilege.
        bulk_sender_privilege: MailboxBulkSenderPrivilege,
        /// The distribution list owners.
        distribution_list_owners: Vec<String>,
        /// The aliases.
        aliases: Vec<String>,
        /// The delegates.
        delegates: Vec<String>,
        /// The policies.
        policies: MailboxPolicy,
        /// The items.
        items: Vec<MailboxItem>,
        /// The errors.
        errors: Vec<MailboxError>,
    }
}

model! {
    /// A mailbox bulk sender privilege.
    pub struct MailboxBulkSenderPrivilege {
        /// The bulk sender privilege status.
        bulk_sender_privilege_status: String,
    }
}

model! {
    /// A mailbox policy.
    pub struct MailboxPolicy {
        /// The email security.
        email_security: Vec<String>,
        /// The data control.
        data_control: Vec<String>,
        /// The secure message.
        secure_message: Vec<String>,
    }
}

model! {
    /// A mailbox alias.
    pub struct MailboxAlias {
        /// The added.
        added: Vec<String>,
        /// The removed.
        removed: Vec<String>,
        /// The errors.
        errors: MailboxAliasError,
    }
}

model! {
    /// A mailbox alias error.
    pub struct MailboxAliasError {
        /// The failed to add.
        failed_to_add: Vec<MailboxAliasErrorFailedToAdd>,
        /// The failed to remove.
        failed_to_remove: Vec<MailboxAliasErrorFailedToRemove>,
    }
}

model! {
    /// A mailbox alias error failed to add.
    pub struct MailboxAliasErrorFailedToAdd {
        /// The error.
        error: String,
        /// The message.
        message: String,
        /// The correlation id.
        correlation_id: String,
        /// The code.
        code: String,
        /// The time of creation.
        created_at: Timestamp,
        /// The request id.
        request_id: String,
        /// The doc url.
        doc_url: String,
    }
}

model! {
    /// A mailbox alias error failed to remove.
    pub struct MailboxAliasErrorFailedToRemove {
        /// The error.
        error: String,
        /// The message.
        message: String,
        /// The correlation id.
        correlation_id: String,
        /// The code.
        code: String,
        /// The time of creation.
        created_at: Timestamp,
        /// The request id.
        request_id: String,
        /// The doc url.
        doc_url: String,
    }
}

model! {
    /// A bulk sender privilege.
    pub struct BulkSenderPrivilege {
        /// Whether `accepted` is set.
        accepted: bool,
    }
}

model! {
    /// A distribution list owner.
    pub struct DistributionListOwner {
        /// The added.
        added: Vec<String>,
        /// The removed.
        removed: Vec<String>,
        /// The errors.
        errors: DistributionListOwnerError,
    }
}

model! {
    /// A distribution list owner error.
    pub struct DistributionListOwnerError {
        /// The failed to add.
        failed_to_add: Vec<DistributionListOwnerErrorFailedToAdd>,
        /// The failed to remove.
        failed_to_remove: Vec<DistributionListOwnerErrorFailedToRemove>,
    }
}

model! {
    /// A distribution list owner error failed to add.
    pub struct DistributionListOwnerErrorFailedToAdd {
        /// The error.
        error: String,
        /// The message.
        message: String,
        /// The correlation id.
        correlation_id: String,
        /// The code.
        code: String,
        /// The time of creation.
        created_at: Timestamp,
        /// The request id.
        request_id: String,
        /// The doc url.
        doc_url: String,
    }
}

model! {
    /// A distribution list owner error failed to remove.
    pub struct DistributionListOwnerErrorFailedToRemove {
        /// The error.
        error: String,
        /// The message.
        message: String,
        /// The correlation id.
        correlation_id: String,
        /// The code.
        code: String,
        /// The time of creation.
        created_at: Timestamp,
        /// The request id.
        request_id: String,
        /// The doc url.
        doc_url: String,
    }
}

model! {
    /// A mailbox item.
    pub struct MailboxItem {
        /// The id.
        id as id: String,
        /// The type.
        r#type: String,
        /// The email.
        email: String,
        /// The name.
        name: String,
        /// The time of creation.
        created_at: Timestamp,
        /// Whether `blocked` is set.
        blocked: bool,
    }
}

model! {
    /// A mailbox error.
    pub struct MailboxError {
        /// The error.
        error: String,
        /// The id.
        id as id: String,
    }
}

operation! {
    /// Lists all mailboxes or search mailboxes based on query parameter.
    pub struct ListMailboxes = GET "/email/v1/mailboxes" (tenant)
        -> KeyedPage<Mailbox> {
        /// The key of the page.
        page_from_key: String,
        /// The number of items per page.
        page_size: u32,
        /// The name.
        name: String,
        /// The name starts with.
        name_starts_with: String,
        /// The email.
        email: String,
        /// The email starts with.
        email_starts_with: String,
        /// The created after.
        created_after: String,
        /// The created before.
        created_before: String,
        /// The type.
        r#type: String,
        /// The bulk sender privilege status.
        bulk_sender_privilege_status: String,
        /// The blocked.
        blocked: String,
        /// The distribution list owned by.
        distribution_list_owned_by: String,
        /// The alias.
        alias: String,
        /// The aliases start with.
        aliases_start_with: String,
        /// The delegate.
        delegate: String,
    }
}

operation! {
    /// Adds a new mailbox.
    pub struct CreateMailbox = POST "/email/v1/mailboxes" (tenant)
        -> Mailbox {
        /// The type.
        r#type: String,
        /// The email.
        email: String,
        /// The name.
        name: String,
    }
}

operation! {
    /// Deletes the mailbox.
    pub struct DeleteMailbox = DELETE "/email/v1/mailboxes/:id" (tenant)
        -> Deleted {
        /// The id.
        id!: String,
    }
}

operation! {
    /// Gets information of the mailbox.
    pub struct GetMailbox = GET "/email/v1/mailboxes/:id" (tenant)
        -> Mailbox {
        /// The id.
        id!: String,
    }
}

operation! {
    /// Updates name of the mailbox.
    pub struct UpdateMailbox = PATCH "/email/v1/mailboxes/:id" (tenant)
        -> Mailbox {
        /// The id.
        id!: String,
        /// The name.
        name: String,
    }
}

operation! {
    /// Adds and remove aliases of the mailbox.
    pub struct UpdateMailboxAliases = POST "/email/v1/mailboxes/:id/aliases" (tenant)
        -> MailboxAlias {
        /// The id.
        id!: String,
        /// The add.
        add: [String],
        /// The remove.
        remove: [String],
    }
}

operation! {
    /// Generates request to get bulk sender privilege for the mailbox.
    pub struct RequestBulkSenderPrivilege = POST "/email/v1/mailboxes/:id/bulksender-privilege-request" (tenant)
        -> BulkSenderPrivilege {
        /// The id.
        id!: String,
        /// The count.
        count: i64,
        /// The period.
        period: String,
        /// The purpose.
        purpose: String,
    }
}

operation! {
    /// Adds and remove delegates of the mailbox.
    pub struct UpdateMailboxDelegates = POST "/email/v1/mailboxes/:id/delegates" (tenant)
        -> Value {
        /// The id.
        id!: String,
        /// The add.
        add: [String],
        /// The remove.
        remove: [String],
    }
}

operation! {
    /// Adds and remove distribution list owners of the mailbox.
    pub struct UpdateDistributionListOwners = POST "/email/v1/mailboxes/:id/distribution-list-owners" (tenant)
        -> DistributionListOwner {
        /// The id.
        id!: String,
        /// The add.
        add: [String],
        /// The remove.
        remove: [String],
    }
}

operation! {
    /// Requests to add multiple mailboxes.
    pub struct CreateMailboxes = POST "/email/v1/mailboxes/bulk" (tenant)
        -> Mailbox {
        /// The items.
        items: [MailboxItem],
    }
}

operation! {
    /// Deletes multiple mailboxes.
    pub struct DeleteMailboxes = POST "/email/v1/mailboxes/delete" (tenant)
        -> Mailbox {
        /// The items.
        items: [Reference],
    }
}

tested! {
    ListMailboxes
    CreateMailbox
    DeleteMailbox
    GetMailbox
    UpdateMailbox
    UpdateMailboxAliases
    RequestBulkSenderPrivilege
    UpdateMailboxDelegates
    UpdateDistributionListOwners
    CreateMailboxes
    DeleteMailboxes
}
