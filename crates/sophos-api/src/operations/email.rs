//! Operations of the email API.

pub mod clawback;
pub mod mailboxes;
pub mod post_delivery_quarantine;
pub mod quarantine;
pub mod quarantine_attachments;
