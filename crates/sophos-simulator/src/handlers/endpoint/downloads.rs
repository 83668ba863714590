//! The links of installers.

use serde_json::{Value, json};

use crate::call::{Context, invalid_parameter};
use crate::engine::files;
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;

const PRODUCTS: &[&str] =
    &["coreAgent", "interceptX", "endpointProtection", "deviceEncryption", "mtr", "mtd", "xdr", "ztna"];

/// The products that the tenants have.
const LICENSED: &[&str] = &["coreAgent", "interceptX", "endpointProtection", "deviceEncryption", "xdr"];

/// The platform, endpoint type, product name, file name and products of an installer.
const INSTALLERS: &[(&str, &str, &str, &str, &[&str])] = &[
    ("windows", "computer", "Sophos Endpoint Protection", "SophosSetup.exe", LICENSED),
    ("windows", "server", "Sophos Server Protection", "SophosSetup.exe", LICENSED),
    ("macOS", "computer", "Sophos Endpoint Protection", "SophosInstall.zip", LICENSED),
    (
        "linux",
        "server",
        "Sophos Protection for Linux",
        "SophosSetup.sh",
        &["coreAgent", "interceptX", "endpointProtection", "xdr"],
    ),
];

pub(crate) static ROUTES: &[Route] = &[Route::read("downloads.list", "/endpoint/v1/downloads", list)];

fn list(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let query = &context.call.query;
    let (products, platforms) = (query.list("requestedProducts"), query.list("platforms"));
    if products.iter().any(|product| !PRODUCTS.contains(product)) {
        return Err(invalid_parameter("requestedProducts"));
    }
    if platforms.iter().any(|platform| !["windows", "linux", "macOS"].contains(platform)) {
        return Err(invalid_parameter("platforms"));
    }
    let mut installers: Vec<Value> = Vec::new();
    for (platform, kind, name, file, supported) in INSTALLERS {
        let held = |product: &&&str| products.is_empty() || products.contains(*product);
        let supported: Vec<&&str> = supported.iter().filter(held).collect();
        if supported.is_empty() || !(platforms.is_empty() || platforms.contains(platform)) {
            continue;
        }
        let content = format!("{file} of {}\n", context.tenant()?.id_text).into_bytes();
        installers.push(json!({
            "productName": name, "platform": platform, "type": kind, "supportedProducts": supported,
            "downloadUrl": files::download_url(context, content, "application/octet-stream"),
        }));
    }
    let tenant = json!({ "id": context.tenant()?.id_text });
    let body = json!({ "tenant": tenant, "licensedProducts": LICENSED, "installers": installers });
    Ok(ApiResponse::json(200, &body))
}
