pub mod clawback;
pub mod mailboxes;
pub mod post_delivery_quarantine;
pub mod quarantine;

//! Operations of the email API.
