//! Operations of the email API.

use crate::operation_macro::files;

files! { clawback mailboxes post_delivery_quarantine quarantine quarantine_attachments }
