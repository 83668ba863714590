pub mod clawback;
pub mod mailboxes;
pub mod post_delivery_quarantine;
pub mod quarantine;
pub mod quarantine_attachments;

//! Operations of the email API.
