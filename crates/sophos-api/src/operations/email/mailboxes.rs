//! Mailboxes, with their aliases, delegates and owners: `/email/v1/mailboxes`.

use crate::{
    KeyedPage, Timestamp,
    models::{Deleted, Reference, macros::model},
    operation::macros::{listed, operation},
};

operation! {
    /// Lists the mailboxes of a tenant.
    pub struct ListMailboxes = GET "/email/v1/mailboxes" (tenant) -> KeyedPage<Mailbox> {
        /// The key of the page, from the page before.
        page_from_key: String,
        /// The number of items per page.
        page_size: u32,
        /// The name, exactly.
        name: String,
        /// The start of the name.
        name_starts_with: String,
        /// The email address, exactly.
        email: String,
        /// The start of the email address.
        email_starts_with: String,
        /// The date, or the date and time, of the earliest creation.
        created_after: String,
        /// The date, or the date and time, of the latest creation.
        created_before: String,
        /// The type, such as `user`.
        r#type: String,
        /// The state, such as `approved`.
        bulk_sender_privilege_status: String,
        /// Whether the mailbox is blocked.
        blocked: bool,
        /// The name or email address of the owner of the distribution list.
        distribution_list_owned_by: String,
        /// The alias.
        alias: String,
        /// The start of an alias.
        aliases_start_with: String,
        /// The email address of a delegate.
        delegate: String,
    }
}

operation! {
    /// Adds a mailbox.
    ///
    /// Fails with 409 if a mailbox or alias has the address.
    pub struct CreateMailbox = POST "/email/v1/mailboxes" (tenant) -> Mailbox {
        /// The type, such as `user`.
        r#type!: String,
        /// The email address.
        email!: String,
        /// The name.
        name!: String,
    }
}

operation! {
    /// Deletes a mailbox; succeeds as well if it does not exist.
    ///
    /// Fails with 409 for a mailbox that is synchronized from a directory.
    pub struct DeleteMailbox = DELETE "/email/v1/mailboxes/:id" (tenant) -> Deleted {
        /// The mailbox's id.
        id!: String,
    }
}

operation! {
    /// Returns a mailbox.
    pub struct GetMailbox = GET "/email/v1/mailboxes/:id" (tenant) -> Mailbox {
        /// The mailbox's id.
        id!: String,
    }
}

operation! {
    /// Changes the name of a mailbox.
    ///
    /// Fails with 409 for a mailbox that is synchronized from a directory.
    pub struct UpdateMailbox = PATCH "/email/v1/mailboxes/:id" (tenant) -> Mailbox {
        /// The mailbox's id.
        id!: String,
        /// The name.
        name!: String,
    }
}

operation! {
    /// Adds and removes aliases of a mailbox.
    ///
    /// Succeeds although some changes fail; the response lists them.
    pub struct UpdateMailboxAliases = POST "/email/v1/mailboxes/:id/aliases" (tenant) -> MailboxChanges {
        /// The mailbox's id.
        id!: String,
        /// The email addresses to add.
        add: [String],
        /// The email addresses to remove.
        remove: [String],
    }
}

operation! {
    /// Requests the privilege to send bulk messages from a mailbox.
    pub struct RequestBulkSenderPrivilege = POST "/email/v1/mailboxes/:id/bulksender-privilege-request" (tenant)
        -> BulkSenderRequest {
        /// The mailbox's id.
        id!: String,
        /// The number of messages in a period.
        count!: i64,
        /// The period, such as `daily`.
        period!: String,
        /// The purpose.
        purpose!: String,
    }
}

operation! {
    /// Adds and removes delegates of a mailbox.
    ///
    /// Succeeds although some changes fail; the response lists them.
    pub struct UpdateMailboxDelegates = POST "/email/v1/mailboxes/:id/delegates" (tenant) -> MailboxChanges {
        /// The mailbox's id.
        id!: String,
        /// The email addresses to add.
        add: [String],
        /// The email addresses to remove.
        remove: [String],
    }
}

operation! {
    /// Adds and removes owners of a distribution list.
    ///
    /// Succeeds although some changes fail; the response lists them.
    pub struct UpdateDistributionListOwners = POST "/email/v1/mailboxes/:id/distribution-list-owners" (tenant)
        -> MailboxChanges {
        /// The mailbox's id.
        id!: String,
        /// The email addresses to add.
        add: [String],
        /// The email addresses to remove.
        remove: [String],
    }
}

operation! {
    /// Adds mailboxes.
    ///
    /// Succeeds although some fail; the response lists them.
    pub struct CreateMailboxes = POST "/email/v1/mailboxes/bulk" (tenant) -> CreatedMailboxes {
        /// The mailboxes to add.
        items!: [NewMailbox],
    }
}

operation! {
    /// Deletes mailboxes.
    ///
    /// Succeeds although some fail; the response lists them.
    pub struct DeleteMailboxes = POST "/email/v1/mailboxes/delete" (tenant) -> DeletedMailboxes {
        /// The ids of the mailboxes.
        items!: [MailboxSelection],
    }
}

model! {
    /// A mailbox.
    pub struct Mailbox {
        /// The mailbox's id.
        id!: String,
        /// The type, such as `user`.
        r#type: String,
        /// The email address.
        email: String,
        /// The name.
        name: String,
        /// The time of creation.
        created_at: Timestamp,
        /// Whether the mailbox is blocked.
        blocked: bool,
        /// The privilege to send bulk messages.
        bulk_sender_privilege: BulkSenderPrivilegeState,
        /// The owners of the distribution list.
        distribution_list_owners: Vec<String>,
        /// The aliases.
        aliases: Vec<String>,
        /// The delegates.
        delegates: Vec<String>,
        /// The policies.
        policies: MailboxPolicies,
    }
}

model! {
    /// The state of the privilege to send bulk messages.
    pub struct BulkSenderPrivilegeState {
        /// The state, such as `approved`.
        bulk_sender_privilege_status: String,
    }
}

model! {
    /// The names of the policies of a mailbox.
    pub struct MailboxPolicies {
        /// The policies of email security.
        email_security: Vec<String>,
        /// The policies of data control.
        data_control: Vec<String>,
        /// The policies of secure messages.
        secure_message: Vec<String>,
    }
}

model! {
    /// The changed addresses.
    pub struct MailboxChanges {
        /// The added email addresses.
        added: Vec<String>,
        /// The removed email addresses.
        removed: Vec<String>,
        /// The failures.
        errors: MailboxChangeErrors,
    }
}

model! {
    /// The changes that failed.
    pub struct MailboxChangeErrors {
        /// The addresses that were not added.
        failed_to_add: Vec<ChangeFailure>,
        /// The addresses that were not removed.
        failed_to_remove: Vec<ChangeFailure>,
    }
}

model! {
    /// A change that failed.
    pub struct ChangeFailure {
        /// The kind of failure.
        error: String,
        /// The message.
        message: String,
        /// The correlation id of the service.
        correlation_id: String,
        /// The code.
        code: String,
        /// The time of creation.
        created_at: Timestamp,
        /// The request id of the service.
        request_id: String,
        /// The URL of the documentation.
        doc_url: String,
    }
}

model! {
    /// The result of a request for the privilege.
    pub struct BulkSenderRequest {
        /// Whether the request was accepted.
        accepted: bool,
    }
}

model! {
    /// A mailbox that was not added or deleted.
    pub struct MailboxError {
        /// The kind of failure.
        error: String,
        /// The mailbox's id.
        id as id: String,
    }
}

model! {
    /// A mailbox to delete.
    pub struct MailboxSelection with setters {
        /// The mailbox's id.
        id as id: String,
    }
}

model! {
    /// A mailbox to add.
    pub struct NewMailbox with setters {
        /// The type, such as `user`.
        r#type: String,
        /// The email address.
        email: String,
        /// The name.
        name: String,
    }
}

model! {
    /// The added mailboxes.
    pub struct CreatedMailboxes {
        /// The added mailboxes.
        items: Vec<Mailbox>,
        /// The failures.
        errors: Vec<MailboxError>,
    }
}

model! {
    /// The deleted mailboxes.
    pub struct DeletedMailboxes {
        /// The deleted mailboxes.
        items: Vec<Reference>,
        /// The failures.
        errors: Vec<MailboxError>,
    }
}

listed! {
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
