//! Web Control: the categories of websites, and the websites that a tenant categorized.

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::engine::{Change, Collection, Member, Seed};
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;

/// The names of the categories, in the order of their ids from 1.
pub(super) const CATEGORIES: &[&str] = &[
    "Adult / Sexually Explicit",
    "Advertisements & Pop-Ups",
    "Alcohol & Tobacco",
    "Arts",
    "Blogs & Forums",
    "Business",
    "Chat",
    "Computing & Internet",
    "Criminal Activity",
    "Downloads",
    "Education",
    "Entertainment",
    "Fashion & Beauty",
    "Finance & Investment",
    "Food & Dining",
    "Gambling",
    "Games",
    "Government",
    "Hacking",
    "Health & Medicine",
    "Hobbies & Recreation",
    "Hosting Sites",
    "Illegal Drugs",
    "Infrastructure",
    "Intimate Apparel & Swimwear",
    "Intolerance & Hate",
    "Job Search & Career Development",
    "Kids Sites",
    "Motor Vehicles",
    "News",
    "Peer-to-Peer",
    "Personals & Dating",
    "Philanthropic & Professional Organizations",
    "Phishing & Fraud",
    "Photo Searches",
    "Politics",
    "Proxies & Translators",
    "Real Estate",
    "Reference",
    "Religion",
    "Ringtones & Mobile Phone Downloads",
    "Search Engines",
    "Sex Education",
    "Shopping",
    "Society & Culture",
    "Spam URLs",
    "Sports",
    "Spyware",
    "Streaming Media",
    "Tasteless & Offensive",
    "Travel",
    "Violence",
    "Weapons",
    "Web-based Email",
    "Custom",
    "Uncategorized",
    "Restricted",
];

const TAG: Member = Member::text_up_to("tag", 64);

static LOCAL_SITES: Collection = Collection {
    members: &[
        Member::text_up_to("url", 2_048).required(),
        Member::integer("categoryId", 1, CATEGORIES.len() as i64),
        Member::list("tags", &TAG, 100),
        Member::text_up_to("comment", 300),
    ],
    unique: &["url"],
    conflict: "The website already exists.",
    has_times: false,
    may_delete_unknown: true,
    seed: seed_sites,
    on_create: check,
    on_update: check,
    ..Collection::new("local_sites", "local site")
};

const SITES: &str = "/endpoint/v1/settings/web-control/local-sites";
const SITE: &str = "/endpoint/v1/settings/web-control/local-sites/:localSiteId";

pub(crate) static ROUTES: &[Route] = &[
    Route::read("web_control.categories", "/endpoint/v1/settings/web-control/categories", list_categories),
    Route::list("local_sites.list", SITES, &LOCAL_SITES),
    Route::create("local_sites.create", SITES, &LOCAL_SITES),
    Route::get("local_sites.get", SITE, &LOCAL_SITES),
    Route::update("local_sites.update", SITE, &LOCAL_SITES),
    Route::delete("local_sites.delete", SITE, &LOCAL_SITES),
];

/// `{"id": …, "name": …, "label": …}` of each category.
pub(super) fn categories() -> Vec<Value> {
    let label = |name: &str| {
        let kept = |c: char| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let parts: String = name.chars().map(kept).collect();
        parts.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
    };
    let category = |(id, name): (i64, &&str)| json!({ "id": id, "name": name, "label": label(name) });
    (1..).zip(CATEGORIES).map(category).collect()
}

fn list_categories(_: &Context<'_>) -> Result<ApiResponse, ApiError> {
    // A client of Sophos takes the id of a category as its position in this list.
    let mut all = vec![json!({ "id": 0, "name": "Uncategorized", "label": "uncategorized" })];
    all.extend(categories());
    Ok(ApiResponse::json(200, &Value::Array(all)))
}

fn seed_sites(_: &mut Seed<'_>) -> Vec<Value> {
    vec![
        json!({
            "url": "https://intranet.example.com", "categoryId": 6, "tags": ["internal"],
            "comment": "Company portal",
        }),
        json!({
            "url": "games.example.net", "categoryId": 17, "tags": ["leisure"], "comment": "Allowed at noon",
        }),
    ]
}

/// Requires a category or a tag.
fn check(change: &mut Change<'_, '_>) -> Result<(), ApiError> {
    let has_tags = change.record["tags"].as_array().is_some_and(|tags| !tags.is_empty());
    if change.record["categoryId"].is_null() && !has_tags {
        return Err(invalid_parameter("categoryId"));
    }
    Ok(())
}
