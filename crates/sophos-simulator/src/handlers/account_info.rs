//! The name of a tenant.

use serde_json::json;

use crate::call::Context;
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;

pub(crate) static ROUTES: &[Route] = &[Route::read("account_info.get", "/account-info/v1/account-info", get)];

fn get(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let tenant = context.tenant()?;
    let show_as = tenant.show_as.as_deref().unwrap_or(&tenant.name);
    Ok(ApiResponse::json(200, &json!({ "name": tenant.name, "showAs": show_as })))
}
