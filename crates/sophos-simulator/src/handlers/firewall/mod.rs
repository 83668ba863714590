//! Firewalls, their groups, MDR threat feed and configurations.

mod archive;
mod config_files;
pub(crate) mod firewalls;
mod firmware;
mod groups;
mod threat_feed;
mod transactions;

use crate::routes::Route;

use firewalls::FIREWALLS;
use groups::GROUPS;

const FIREWALL: &str = "/firewall/v1/firewalls/:firewallId";
const UPGRADE: &str = "/firewall/v1/firewalls/actions/firmware-upgrade";
const GROUP: &str = "/firewall/v1/firewall-groups/:groupId";
const FEED: &str = "/firewall/v1/firewall-config/firewalls/:firewallId/mdr-threat-feed";
const INDICATORS: &str = "/firewall/v1/firewall-config/firewalls/:firewallId/mdr-threat-feed/indicators";

pub(crate) static ROUTES: &[Route] = &[
    Route::list("firewalls.list", "/firewall/v1/firewalls", &FIREWALLS),
    Route::update("firewalls.update", FIREWALL, &FIREWALLS),
    Route::delete("firewalls.delete", FIREWALL, &FIREWALLS),
    Route::write("firewalls.act", "POST", "/firewall/v1/firewalls/:firewallId/action", firewalls::act)
        .with_success(201),
    Route::read(
        "firewalls.check_firmware",
        "/firewall/v1/firewalls/actions/firmware-upgrade-check",
        firmware::check,
    )
    .with_method("POST")
    .with_success(201),
    Route::write("firewalls.upgrade", "POST", UPGRADE, firmware::schedule).with_success(201),
    Route::write("firewalls.cancel_upgrade", "DELETE", UPGRADE, firmware::cancel),
    Route::read("firewall_groups.list", "/firewall/v1/firewall-groups", groups::list),
    Route::create("firewall_groups.create", "/firewall/v1/firewall-groups", &GROUPS),
    Route::update("firewall_groups.update", GROUP, &GROUPS),
    Route::delete("firewall_groups.delete", GROUP, &GROUPS),
    Route::read(
        "firewall_groups.sync_status",
        "/firewall/v1/firewall-groups/:groupId/firewalls/sync-status",
        groups::sync_status,
    ),
    Route::read("firewall_feed.get", FEED, threat_feed::get).with_success(202),
    Route::write("firewall_feed.create_indicators", "POST", INDICATORS, threat_feed::create)
        .with_success(202),
    Route::write("firewall_feed.delete_all", "DELETE", INDICATORS, threat_feed::delete_all).with_success(202),
    Route::write(
        "firewall_feed.delete_indicators",
        "POST",
        "/firewall/v1/firewall-config/firewalls/:firewallId/mdr-threat-feed/indicators/delete",
        threat_feed::delete,
    )
    .with_success(202),
    Route::read(
        "firewall_feed.search",
        "/firewall/v1/firewall-config/firewalls/:firewallId/mdr-threat-feed/indicators/search",
        threat_feed::search,
    )
    .with_method("POST")
    .with_success(202),
    Route::write(
        "firewall_feed.settings",
        "PATCH",
        "/firewall/v1/firewall-config/firewalls/:firewallId/mdr-threat-feed/settings",
        threat_feed::set,
    )
    .with_success(202),
    Route::read(
        "firewall_feed.transaction",
        "/firewall/v1/firewall-config/firewalls/:firewallId/transactions/:transactionId",
        transactions::get,
    ),
    Route::write(
        "firewall_config.export",
        "POST",
        "/firewall/v1/firewall-config/firewalls/:firewallId/export",
        config_files::export,
    )
    .with_success(202)
    .tenant_or_partner(),
    Route::write(
        "firewall_config.import",
        "POST",
        "/firewall/v1/firewall-config/firewalls/import",
        config_files::import,
    )
    .with_success(202)
    .tenant_or_partner(),
    Route::write(
        "firewall_config.upload_complete",
        "POST",
        "/firewall/v1/firewall-config/firewalls/import/:transactionId/upload-complete",
        config_files::complete_upload,
    )
    .tenant_or_partner(),
    Route::read(
        "firewall_config.transaction",
        "/firewall/v1/firewall-config/firewalls/transactions/:transactionId",
        config_files::transaction,
    )
    .tenant_or_partner(),
];
