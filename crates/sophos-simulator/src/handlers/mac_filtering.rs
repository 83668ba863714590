//! MAC filtering of switches and of wireless access points, and the tasks that apply it.

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::engine::{Collection, Filter, Paging, Seed, verbs};
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;
use crate::time;

const MAX_ADDRESSES: usize = 1_000;
/// The simulated time until the devices have applied a change.
const TASK_MS: i64 = 60_000;
/// The number of devices. The last one has no support subscription.
const DEVICES: usize = 4;

/// The API of switches, or of access points.
#[derive(Debug)]
struct Product {
    settings: &'static Collection,
    tasks: &'static Collection,
}

const FILTERS: &[Filter] = &[Filter::equals("type", "type")];

const fn settings(name: &'static str) -> Collection {
    Collection { seed: seed_settings, ..Collection::singleton(name, "MAC filter") }
}

const fn tasks(name: &'static str) -> Collection {
    Collection {
        paging: Paging::Numbered { default: 100, max: 1_000 },
        filters: FILTERS,
        has_times: false,
        view: show_task,
        ..Collection::new(name, "task")
    }
}

static SWITCH_SETTINGS: Collection = settings("switch_mac_filter");
static SWITCH_TASKS: Collection =
    Collection { seed: |seed| seed_tasks(seed, "switches"), ..tasks("switch_tasks") };
static WIFI_SETTINGS: Collection = settings("wifi_mac_filter");
static WIFI_TASKS: Collection =
    Collection { seed: |seed| seed_tasks(seed, "accessPoints"), ..tasks("wifi_tasks") };

static SWITCH: Product = Product { settings: &SWITCH_SETTINGS, tasks: &SWITCH_TASKS };
static WIFI: Product = Product { settings: &WIFI_SETTINGS, tasks: &WIFI_TASKS };

const SWITCH_PATH: &str = "/switch/v1/settings/mac-filtering";
const WIFI_PATH: &str = "/wifi/v1/settings/mac-filtering";

pub(crate) static ROUTES: &[Route] = &[
    Route::get("switch.mac_filter", SWITCH_PATH, &SWITCH_SETTINGS),
    Route::write("switch.set_mac_filter", "PUT", SWITCH_PATH, |context| set(context, &SWITCH))
        .with_success(201),
    Route::list("switch.tasks", "/switch/v1/tasks", &SWITCH_TASKS),
    Route::get("wifi.mac_filter", WIFI_PATH, &WIFI_SETTINGS),
    Route::write("wifi.set_mac_filter", "PUT", WIFI_PATH, |context| set(context, &WIFI)).with_success(201),
    Route::list("wifi.tasks", "/wifi/v1/tasks", &WIFI_TASKS),
];

/// A time without a zone, as these operations show it.
fn local(text: &str) -> Value {
    json!(text.trim_end_matches('Z'))
}

fn seeded_by(seed: &Seed<'_>) -> Value {
    let account = seed.tenant.map(|tenant| tenant.id_text.as_str());
    json!({ "id": seed.id("users", 0), "type": "user", "accountId": account, "accountType": "tenant" })
}

fn seed_settings(seed: &mut Seed<'_>) -> Vec<Value> {
    let (by, at) = (seeded_by(seed), seed.past(100));
    vec![json!({
        "macAddresses": ["00:00:5e:00:53:01", "00:00:5e:00:53:02"], "tenant": seed.tenant_ref(),
        "createdBy": by, "createdAt": local(&at), "updatedBy": by, "updatedAt": local(&at),
    })]
}

fn seed_tasks(seed: &mut Seed<'_>, devices: &'static str) -> Vec<Value> {
    let (by, at) = (seeded_by(seed), seed.past(100));
    let statuses = ["succeeded", "succeeded", "succeeded", "noSupportSubscription"].into_iter().enumerate();
    let devices_of =
        |(number, status): (usize, &str)| json!({ "id": seed.id(devices, number as u64), "status": status });
    let list: Vec<Value> = statuses.map(devices_of).collect();
    vec![json!({
        "type": "macFilter", "tenant": seed.tenant_ref(), "createdBy": by, "createdAt": local(&at),
        "updatedBy": by, "updatedAt": local(&at), devices: list, "_devices": devices,
    })]
}

/// Brings the devices of a task to their state, and counts them.
fn show_task(context: &Context<'_>, task: &mut Value) {
    let now = context.central.clock.now_ms();
    let is_over = task["_finishMs"].as_i64().is_none_or(|end| now >= end);
    let name = task["_devices"].as_str().unwrap_or_default().to_owned();
    let mut counts = json!({ "succeeded": 0, "failed": 0, "pending": 0, "noSupportSubscription": 0 });
    let devices = task[name.as_str()].as_array_mut();
    let mut total = 0;
    for device in devices.into_iter().flatten() {
        if is_over && device["status"] == "pending" {
            if device["_error"].is_object() {
                device["status"] = json!("failed");
                device["error"] = device["_error"].clone();
            } else {
                device["status"] = json!("succeeded");
            }
        }
        let status = device["status"].as_str().unwrap_or_default();
        counts[status] = json!(counts[status].as_u64().unwrap_or_default() + 1);
        total += 1;
    }
    counts["total"] = json!(total);
    task["status"] = counts;
}

fn is_mac_address(value: &Value) -> bool {
    let parts: Vec<&str> = value.as_str().unwrap_or_default().split(':').collect();
    let is_hex = |part: &&str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    parts.len() == 6 && parts.iter().all(is_hex)
}

/// Replaces the addresses, and starts the task that sends them to the devices.
fn set(context: &Context<'_>, product: &Product) -> Result<ApiResponse, ApiError> {
    let body = context.call.json()?;
    let addresses = body["macAddresses"].as_array().ok_or_else(|| invalid_parameter("macAddresses"))?;
    if addresses.len() > MAX_ADDRESSES || !addresses.iter().all(is_mac_address) {
        return Err(invalid_parameter("macAddresses"));
    }
    let central = context.central;
    let now = central.clock.now_ms();
    let (by, at) = (context.actor(), local(&time::format_millis(now)));
    let mut state = context.state();
    let devices = state.records(central, product.tasks).first().map(|task| task["_devices"].clone());
    let devices = devices.unwrap_or_default().as_str().unwrap_or_default().to_owned();
    let seed = Seed::new(central, context.account_id(), product.tasks.name);
    let folded: Vec<String> = addresses.iter().map(|a| a.to_string().to_lowercase()).collect();
    let is_repeated = (1..folded.len()).any(|at| folded[..at].contains(&folded[at]));
    let device = |number: usize| {
        let id = seed.id(&devices, number as u64);
        if number == DEVICES - 1 {
            return json!({ "id": id, "status": "noSupportSubscription" });
        }
        let mut device = json!({ "id": id, "status": "pending" });
        if is_repeated {
            device["_error"] = json!({ "error": "badRequest", "message": "The MAC address filter already exists", "code": "10905" });
        }
        device
    };
    let list: Vec<Value> = (0..DEVICES).map(device).collect();
    let task = json!({
        "type": "macFilter", "tenant": seed.tenant_ref(), "createdBy": by, "createdAt": at,
        "updatedBy": by, "updatedAt": at, devices.as_str(): list, "_devices": devices,
        "_finishMs": now + TASK_MS,
    });
    verbs::add(context, &mut state, product.tasks, task)?;
    let settings = state.records(central, product.settings).first_mut();
    let settings = settings.ok_or_else(|| product.settings.not_found())?;
    settings["macAddresses"] = body["macAddresses"].clone();
    settings["updatedBy"] = by;
    settings["updatedAt"] = at;
    Ok(ApiResponse::json(context.success, &verbs::show(context, product.settings, settings.clone())))
}
