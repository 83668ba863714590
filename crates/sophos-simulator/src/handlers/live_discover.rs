//! Live Discover: saved queries, categories and enrichment pivots. Runs are in a file of their own.

use serde_json::{Value, json};

use crate::engine::{Change, Collection, Member, Paging, Seed};
use crate::handlers::live_discover_runs as runs;
use crate::handlers::saved_queries::{self, SavedQuery};
use crate::response::ApiError;
use crate::routes::Route;

const CATEGORIES_NAME: &str = "live_discover_categories";

pub(crate) static CATEGORIES: Collection = Collection {
    paging: Paging::None,
    seed: |seed| saved_queries::seed_categories(seed, CATEGORY_NAMES, SAVED),
    ..Collection::new(CATEGORIES_NAME, "category")
};

pub(crate) static QUERIES: Collection = Collection {
    filters: saved_queries::FILTERS,
    searched: saved_queries::SEARCHED,
    seed: |seed| saved_queries::seed_queries(seed, SAVED, CATEGORIES_NAME),
    ..Collection::new("live_discover_queries", "query")
};

static PIVOTS: Collection = Collection {
    paging: Paging::None,
    members: &[
        Member::text_up_to("name", 300).required(),
        Member::text("description"),
        Member::text_up_to("url", 2_048).required(),
        Member::one_of("type", PIVOT_TYPES).required(),
    ],
    unique: &["name"],
    conflict: "Enrichment name already in use.",
    may_delete_unknown: true,
    seed: seed_pivots,
    on_create: complete_pivot,
    on_update: |change| {
        check_pivot(change)?;
        change.record["updatedBy"] = change.context.actor();
        Ok(())
    },
    on_delete: check_pivot,
    ..Collection::new("enrichment_pivots", "enrichment")
};

pub(crate) static ROUTES: &[Route] = &[
    Route::list("live_discover.queries", "/live-discover/v1/queries", &QUERIES),
    Route::get("live_discover.query", "/live-discover/v1/queries/:queryId", &QUERIES),
    Route::list("live_discover.categories", "/live-discover/v1/queries/categories", &CATEGORIES),
    Route::get("live_discover.category", "/live-discover/v1/queries/categories/:categoryId", &CATEGORIES),
    Route::list("live_discover.runs", "/live-discover/v1/queries/runs", &runs::RUNS).query(),
    Route::write("live_discover.run", "POST", "/live-discover/v1/queries/runs", runs::create)
        .with_success(201)
        .query(),
    Route::get("live_discover.get_run", "/live-discover/v1/queries/runs/:runId", &runs::RUNS).query(),
    Route::read(
        "live_discover.run_endpoints",
        "/live-discover/v1/queries/runs/:runId/endpoints",
        runs::endpoints,
    )
    .query(),
    Route::read("live_discover.run_results", "/live-discover/v1/queries/runs/:runId/results", runs::results)
        .query(),
    Route::list("live_discover.pivots", "/live-discover/v1/enrichment-pivots", &PIVOTS),
    Route::create("live_discover.create_pivot", "/live-discover/v1/enrichment-pivots", &PIVOTS),
    Route::update(
        "live_discover.update_pivot",
        "/live-discover/v1/enrichment-pivots/:enrichmentPivotId",
        &PIVOTS,
    ),
    Route::delete(
        "live_discover.delete_pivot",
        "/live-discover/v1/enrichment-pivots/:enrichmentPivotId",
        &PIVOTS,
    ),
];

const CATEGORY_NAMES: &[(&str, &str)] =
    &[("processes", "Processes"), ("network", "Network"), ("users", "Users"), ("device", "Device")];
const ALL: &[&str] = &["linuxServer", "macOSComputer", "windowsComputer", "windowsServer"];
const WINDOWS: &[&str] = &["windowsComputer", "windowsServer"];

const SAVED: &[SavedQuery] = &[
    SavedQuery {
        category: 0,
        code: "running_processes",
        name: "Running processes",
        template: "SELECT pid, name, path, cmdline, start_time FROM processes",
        variables: &[],
        systems: ALL,
    },
    SavedQuery {
        category: 0,
        code: "process_by_hash",
        name: "Processes with a file hash",
        template: "SELECT name, path, sha256 FROM processes WHERE sha256 = '$$sha256$$'",
        variables: &[("sha256", "text")],
        systems: WINDOWS,
    },
    SavedQuery {
        category: 1,
        code: "listening_ports",
        name: "Listening ports",
        template: "SELECT * FROM listening_ports",
        variables: &[],
        systems: ALL,
    },
    SavedQuery {
        category: 2,
        code: "local_users",
        name: "Local users",
        template: "SELECT * FROM users",
        variables: &[],
        systems: ALL,
    },
    SavedQuery {
        category: 3,
        code: "os_version",
        name: "Version of the operating system",
        template: "SELECT * FROM os_version LIMIT 1",
        variables: &[],
        systems: ALL,
    },
];

const PIVOT_TYPES: &[&str] = &[
    "deviceId",
    "deviceName",
    "filePath",
    "ipAddress",
    "registryKey",
    "sha256",
    "sophosPid",
    "url",
    "username",
];

fn seed_pivots(seed: &mut Seed<'_>) -> Vec<Value> {
    let pivots = [
        ("custom", "Asset inventory", "ipAddress", "https://assets.example.com/?ip=$$ipAddress$$"),
        ("canned", "File reputation", "sha256", "https://files.example.com/$$sha256$$"),
        ("canned", "Address reputation", "ipAddress", "https://addresses.example.com/$$ipAddress$$"),
    ];
    let pivot = |(source, name, kind, url): (&str, &str, &str, &str)| {
        let at = seed.past(300);
        let author = json!({
            "id": seed.uuid(), "type": "user", "name": seed.person(0).name, "accountType": "tenant",
        });
        json!({
            "sourceType": source, "name": name, "description": format!("Opens {name}."), "type": kind,
            "url": url, "tenant": seed.tenant.map(|tenant| json!({ "id": tenant.id_text, "name": tenant.name })),
            "createdAt": at, "createdBy": author, "updatedAt": at, "updatedBy": author,
        })
    };
    pivots.into_iter().map(pivot).collect()
}

/// Only a tenant's own pivots may change, and their URL has a placeholder.
fn check_pivot(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    if change.record["sourceType"] == "canned" {
        return Err(ApiError::access_denied());
    }
    let url = change.record["url"].as_str().unwrap_or_default();
    if !url.starts_with("https://") && !url.starts_with("http://") || url.matches("$$").count() < 2 {
        return Err(crate::call::invalid_parameter("url"));
    }
    Ok(())
}

fn complete_pivot(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    let tenant = change.context.tenant()?;
    change.record["sourceType"] = json!("custom");
    change.record["tenant"] = json!({ "id": tenant.id_text, "name": tenant.name });
    change.record["createdBy"] = change.context.actor();
    change.record["updatedBy"] = change.context.actor();
    check_pivot(change)
}
