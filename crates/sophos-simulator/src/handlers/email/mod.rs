//! Sophos Email: mailboxes, quarantined messages and clawback.

mod attachments;
mod clawback;
mod download;
mod mailboxes;
mod messages;
mod quarantine;

use crate::routes::Route;

use mailboxes::MAILBOXES;
use messages::{POST_DELIVERY, QUARANTINE};

const MAILBOX: &str = "/email/v1/mailboxes/:id";

pub(crate) static ROUTES: &[Route] = &[
    Route::list("mailboxes.list", "/email/v1/mailboxes", &MAILBOXES),
    Route::create("mailboxes.create", "/email/v1/mailboxes", &MAILBOXES),
    Route::get("mailboxes.get", MAILBOX, &MAILBOXES),
    Route::update("mailboxes.update", MAILBOX, &MAILBOXES).with_success(201),
    Route::delete("mailboxes.delete", MAILBOX, &MAILBOXES),
    Route::write("mailboxes.aliases", "POST", "/email/v1/mailboxes/:id/aliases", |context| {
        mailboxes::change(context, &mailboxes::ALIASES)
    }),
    Route::write("mailboxes.delegates", "POST", "/email/v1/mailboxes/:id/delegates", |context| {
        mailboxes::change(context, &mailboxes::DELEGATES)
    }),
    Route::write("mailboxes.owners", "POST", "/email/v1/mailboxes/:id/distribution-list-owners", |context| {
        mailboxes::change(context, &mailboxes::OWNERS)
    }),
    Route::write(
        "mailboxes.request_privilege",
        "POST",
        "/email/v1/mailboxes/:id/bulksender-privilege-request",
        mailboxes::request_privilege,
    ),
    Route::write("mailboxes.create_many", "POST", "/email/v1/mailboxes/bulk", mailboxes::create_many)
        .with_success(201),
    Route::write("mailboxes.delete_many", "POST", "/email/v1/mailboxes/delete", mailboxes::delete_many),
    Route::write("messages.clawback", "POST", "/email/v1/messages/:id/clawback", clawback::start)
        .with_success(202),
    Route::read("messages.status", "/email/v1/messages/:id/status", clawback::status),
    Route::read("quarantine.search", "/email/v1/quarantine/messages/search", |context| {
        quarantine::search(context, &QUARANTINE)
    })
    .with_method("POST"),
    Route::write("quarantine.delete", "POST", "/email/v1/quarantine/messages/delete", |context| {
        quarantine::delete(context, &QUARANTINE)
    }),
    Route::write("quarantine.release", "POST", "/email/v1/quarantine/messages/release", |context| {
        quarantine::release(context, &QUARANTINE)
    })
    .with_success(202),
    Route::read("quarantine.preview", "/email/v1/quarantine/messages/:id/preview", |context| {
        quarantine::preview(context, &QUARANTINE)
    }),
    Route::read("quarantine.urls", "/email/v1/quarantine/messages/:id/urls", |context| {
        quarantine::urls(context, &QUARANTINE)
    }),
    Route::read("quarantine.attachments", "/email/v1/quarantine/messages/:id/attachments", |context| {
        attachments::list(context, &QUARANTINE)
    }),
    Route::write(
        "quarantine.strip_attachments",
        "POST",
        "/email/v1/quarantine/messages/:id/attachments/strip",
        |context| attachments::strip(context, true),
    ),
    Route::write(
        "quarantine.reattach_attachments",
        "POST",
        "/email/v1/quarantine/messages/:id/attachments/reattach",
        |context| attachments::strip(context, false),
    ),
    Route::read(
        "quarantine.download_attachments",
        "/email/v1/quarantine/messages/:id/attachments/download",
        |context| download::start(context, &QUARANTINE),
    )
    .with_method("POST"),
    Route::read(
        "quarantine.download_status",
        "/email/v1/quarantine/downloads/:downloadId/status",
        |context| download::status(context, &QUARANTINE),
    ),
    Route::read("post_delivery.search", "/email/v1/post-delivery-quarantine/messages/search", |context| {
        quarantine::search(context, &POST_DELIVERY)
    })
    .with_method("POST"),
    Route::write(
        "post_delivery.delete",
        "POST",
        "/email/v1/post-delivery-quarantine/messages/delete",
        |context| quarantine::delete(context, &POST_DELIVERY),
    ),
    Route::write(
        "post_delivery.release",
        "POST",
        "/email/v1/post-delivery-quarantine/messages/release",
        |context| quarantine::release(context, &POST_DELIVERY),
    )
    .with_success(202),
    Route::read(
        "post_delivery.preview",
        "/email/v1/post-delivery-quarantine/messages/:id/preview",
        |context| quarantine::preview(context, &POST_DELIVERY),
    ),
    Route::read(
        "post_delivery.attachments",
        "/email/v1/post-delivery-quarantine/messages/:id/attachments",
        |context| attachments::list(context, &POST_DELIVERY),
    ),
    Route::read(
        "post_delivery.download_attachments",
        "/email/v1/post-delivery-quarantine/messages/:id/attachments/download",
        |context| download::start(context, &POST_DELIVERY),
    )
    .with_method("POST"),
    Route::read(
        "post_delivery.download_status",
        "/email/v1/post-delivery-quarantine/downloads/:downloadId/status",
        |context| download::status(context, &POST_DELIVERY),
    ),
];
