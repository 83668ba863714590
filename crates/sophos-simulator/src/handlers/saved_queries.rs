//! Saved queries, their categories, and the start of runs, for Live Discover and the data lake.

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::engine::filter::{scalar_text, values_at};
use crate::engine::{AccountState, Collection, Filter, Member, Seed};
use crate::response::ApiError;
use crate::time;

pub(crate) const FILTERS: &[Filter] = &[Filter::equals("categoryId", "categories.id")];
pub(crate) const SEARCHED: &[&str] = &["name", "description", "template"];

/// A query that Sophos provides.
#[derive(Debug)]
pub(crate) struct SavedQuery {
    pub(crate) category: usize,
    pub(crate) code: &'static str,
    pub(crate) name: &'static str,
    pub(crate) template: &'static str,
    pub(crate) variables: &'static [(&'static str, &'static str)],
    pub(crate) systems: &'static [&'static str],
}

pub(crate) fn seed_categories(
    seed: &mut Seed<'_>,
    names: &[(&str, &str)],
    queries: &[SavedQuery],
) -> Vec<Value> {
    let author = json!({ "id": seed.uuid() });
    let category = |(index, (code, name)): (usize, &(&str, &str))| {
        let at = seed.past(900);
        json!({
            "name": name, "code": code, "description": format!("Queries about {}.", name.to_lowercase()),
            "icon": code, "tenant": seed.tenant_ref(), "type": "canned",
            "queryCount": queries.iter().filter(|query| query.category == index).count(),
            "createdAt": at, "createdBy": author, "updatedAt": at, "updatedBy": author,
        })
    };
    names.iter().enumerate().map(category).collect()
}

/// The saved queries, in the categories of the collection `categories`.
pub(crate) fn seed_queries(seed: &mut Seed<'_>, queries: &[SavedQuery], categories: &str) -> Vec<Value> {
    let author = json!({
        "id": seed.uuid(), "type": "user", "name": seed.person(0).name,
        "accountType": "tenant", "accountId": seed.tenant_ref()["id"],
    });
    let query = |query: &SavedQuery| {
        let at = seed.past(900);
        let variable = |(name, data_type): &(&str, &str)| json!({ "name": name, "dataType": data_type });
        let mut record = json!({
            "name": query.name, "code": query.code, "description": format!("{}.", query.name),
            "template": query.template, "type": "canned", "tenant": seed.tenant_ref(),
            "variables": query.variables.iter().map(variable).collect::<Value>(),
            "categories": [{ "id": seed.id(categories, query.category as u64) }],
            "createdAt": at, "createdBy": author, "updatedAt": at, "updatedBy": author,
        });
        if !query.systems.is_empty() {
            record["supportedOSes"] = json!(query.systems);
            record["performance"] = json!({
                "score": "excellent", "averageExecutionTimeInMillis": 40 + seed.rng.below(400),
                "averageDataTransferredInBytes": 500 + seed.rng.below(9_000),
            });
        }
        record
    };
    queries.iter().map(query).collect()
}

const SAVED: &[Member] = &[Member::uuid("queryId").required(), Member::uuid("categoryId")];
const AD_HOC: &[Member] =
    &[Member::text_up_to("template", 50_000).required(), Member::text_up_to("name", 300)];
const VARIABLE: &[Member] = &[
    Member::text_up_to("name", 300).required(),
    Member::one_of("dataType", &["boolean", "dateTime", "double", "integer", "text"]).required(),
    Member::any("value"),
    Member::text_up_to("pivotType", 100),
];
const FILTER: Member = Member::object("filter", &[Member::list("ids", &Member::uuid("id"), 1_000)]);

/// The members of a request to run a query.
pub(crate) const RUN_MEMBERS: &[Member] = &[
    Member::object("savedQuery", SAVED),
    Member::object("adHocQuery", AD_HOC),
    Member::list("variables", &Member::object("variable", VARIABLE), 100),
    Member::object("matchEndpoints", &[Member::boolean("all"), Member::list("filters", &FILTER, 100)]),
    Member::time("from"),
    Member::time("to"),
];

/// The new run of a valid body: the query, the caller and the time. `_sql` has the values of
/// the variables.
pub(crate) fn start_run(
    context: &Context<'_>,
    state: &mut AccountState,
    body: &Value,
    queries: &'static Collection,
    categories: &'static Collection,
) -> Result<Value, ApiError> {
    let now = context.central.clock.now_ms();
    let given = body["variables"].as_array().cloned().unwrap_or_default();
    let mut run = json!({
        "createdAt": time::format_millis(now), "_createdMs": now,
        "createdBy": context.actor(), "variables": given,
    });
    match (body.get("savedQuery"), body.get("adHocQuery")) {
        (Some(saved), None) => {
            let id = scalar_text(&saved["queryId"]);
            let query = state.find(context.central, queries, &id).cloned();
            let query = query.ok_or_else(|| invalid_parameter("queryId"))?;
            let category = match saved.get("categoryId") {
                Some(id) => values_at(&query, "categories.id").into_iter().find(|other| *other == id),
                None => values_at(&query, "categories.id").into_iter().next(),
            };
            let category = category.map(scalar_text).ok_or_else(|| invalid_parameter("categoryId"))?;
            let wanted = values_at(&query, "variables.name");
            if wanted.iter().any(|name| !has_value(&given, name)) {
                return Err(invalid_parameter("variables"));
            }
            let reference = |record: &Value| json!({ "id": record["id"], "name": record["name"], "code": record["code"] });
            run["query"] = reference(&query);
            if let Some(category) = state.find(context.central, categories, &category) {
                run["category"] = reference(category);
            }
            run["name"] = query["name"].clone();
            run["template"] = query["template"].clone();
        }
        (None, Some(ad_hoc)) => {
            run["name"] = ad_hoc.get("name").cloned().unwrap_or_else(|| json!("Ad hoc query"));
            run["template"] = ad_hoc["template"].clone();
        }
        _ => return Err(ApiError::bad_request("Exactly one of 'savedQuery' and 'adHocQuery' is required")),
    }
    let mut sql = scalar_text(&run["template"]);
    for variable in &given {
        let name = format!("$${}$$", scalar_text(&variable["name"]));
        sql = sql.replace(&name, &scalar_text(&variable["value"]));
    }
    run["_sql"] = json!(sql);
    Ok(run)
}

fn has_value(given: &[Value], name: &Value) -> bool {
    given.iter().any(|variable| variable["name"] == *name && !variable["value"].is_null())
}

/// The rows with the keys of their positions, for keyed pages.
pub(crate) fn with_keys(rows: &mut [Value]) {
    use base64::Engine as _;
    for (at, row) in rows.iter_mut().enumerate() {
        let position = u32::try_from(at).unwrap_or(u32::MAX).to_be_bytes();
        row["_key"] = json!(base64::engine::general_purpose::STANDARD.encode(position));
    }
}
