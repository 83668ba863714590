//! Operations of the email API.

use crate::operation::macros::files;

files! { clawback mailboxes post_delivery_quarantine quarantine quarantine_attachments }
