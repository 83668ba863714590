//! Settings of the event journal and of migrations.

use serde_json::{Value, json};

use crate::call::Context;
use crate::engine::collection::IdKind;
use crate::engine::{Collection, Member, Seed, member, verbs};
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;
use crate::time;

/// The event journal, by endpoint type.
static JOURNALS: Collection = Collection {
    id_kind: IdKind::Text,
    id_member: "_type",
    members: &[
        Member::boolean("useRecommended"),
        Member::integer("diskSpaceLimitInMB", 0, 1_000_000),
        Member::integer("diskSpaceLimitAsPercentage", 0, 100),
    ],
    has_times: false,
    seed: seed_journals,
    ..Collection::new("event_journal", "event journal settings")
};

static MIGRATION: Collection = Collection {
    seed: seed_migration,
    view: |context, record| {
        let expires = record["expiresAt"].as_str().and_then(time::parse);
        record["enabled"] = json!(expires.is_some_and(|at| context.central.clock.now_ms() < at));
    },
    ..Collection::singleton("migration_settings", "migration settings")
};

const JOURNAL: &str = "/endpoint/v1/settings/event-journal/:endpointType";

pub(crate) static ROUTES: &[Route] = &[
    Route::get("event_journal.get", JOURNAL, &JOURNALS),
    Route::write("event_journal.update", "PATCH", JOURNAL, update_journal),
    Route::get("migrations.settings", "/endpoint/v1/settings/migration", &MIGRATION),
];

fn seed_journals(_: &mut Seed<'_>) -> Vec<Value> {
    let journal = |kind: &&str| {
        json!({
            "_type": kind,
            "useRecommended": true,
            "diskSpaceLimitInMB": { "recommendedValue": 5_250, "value": 5_250 },
            "diskSpaceLimitAsPercentage": { "recommendedValue": 0, "value": 0 },
        })
    };
    ["computer", "server"].iter().map(journal).collect()
}

/// Migration is turned on for 180 days.
fn seed_migration(seed: &mut Seed<'_>) -> Vec<Value> {
    let expires = seed.central.start_ms + 180 * 86_400_000;
    vec![json!({ "enabled": true, "expiresAt": time::format_millis(expires) })]
}

fn update_journal(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let changes = member::accept(JOURNALS.members, &context.call.json()?, true)?;
    let kind = context.params.first().copied().unwrap_or_default();
    let mut state = context.state();
    let journal = state.find(context.central, &JOURNALS, kind).ok_or_else(|| JOURNALS.not_found())?;
    for (name, value) in changes.as_object().into_iter().flatten() {
        if value.is_number() {
            journal[name.as_str()]["value"] = value.clone();
        } else if value.is_boolean() {
            journal[name.as_str()] = value.clone();
        }
    }
    let journal = journal.clone();
    Ok(ApiResponse::json(200, &verbs::show(context, &JOURNALS, journal)))
}
