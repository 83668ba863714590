//! The nouns of the command line, each in its own file.

mod access;
mod accounts;
mod alerts;
mod directory;
mod endpoints;
mod firewalls;
mod health;
mod investigations;
mod policies;
mod queries;
mod settings;

use crate::verb::Noun;

/// All nouns, in the order of the help.
pub(crate) const NOUNS: &[&Noun] = &[
    &accounts::TENANTS,
    &access::ADMINS,
    &access::ROLES,
    &endpoints::ENDPOINTS,
    &endpoints::GROUPS,
    &alerts::ALERTS,
    &alerts::EVENTS,
    &alerts::AUDIT,
    &directory::USERS,
    &directory::USER_GROUPS,
    &policies::POLICIES,
    &settings::EXCLUSIONS,
    &settings::ALLOWED,
    &settings::BLOCKED,
    &settings::WEB_CONTROL,
    &queries::QUERIES,
    &investigations::DETECTIONS,
    &investigations::CASES,
    &health::HEALTH,
    &health::LICENSES,
    &firewalls::FIREWALLS,
];
