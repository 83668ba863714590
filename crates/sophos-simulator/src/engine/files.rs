//! Files at pre-signed URLs: downloads of results, and uploads.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use serde_json::json;

use crate::call::Context;
use crate::response::{ApiError, ApiResponse};
use crate::routes::Route;

/// 15 minutes, the lifetime of a URL.
pub(crate) const URL_LIFETIME_MS: i64 = 15 * 60_000;

pub(crate) static ROUTES: &[Route] = &[
    Route::read("files.download", "/files/:token", download).global().unauthenticated(),
    Route::read("files.upload", "/files/:token", upload).with_method("PUT").global().unauthenticated(),
];

#[derive(Debug)]
struct StoredFile {
    content: Bytes,
    content_type: &'static str,
    /// Whether the URL is for an upload.
    is_upload: bool,
    expires_ms: i64,
}

/// All files, by the token in their URL.
#[derive(Debug, Default)]
pub(crate) struct Files(Mutex<HashMap<String, StoredFile>>);

impl Files {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, StoredFile>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The content that a client uploaded to this URL.
    pub(crate) fn uploaded(&self, url: &str) -> Option<Bytes> {
        let token = url.rsplit('/').next()?;
        let files = self.lock();
        files.get(token).filter(|file| !file.content.is_empty()).map(|file| file.content.clone())
    }
}

fn add(context: &Context<'_>, content: Bytes, content_type: &'static str, is_upload: bool) -> String {
    let token = context.central.new_rng().hex(40);
    let expires_ms = context.central.clock.now_ms() + URL_LIFETIME_MS;
    let url = format!("{}/files/{token}", context.central.addresses().global);
    context.central.files.lock().insert(token, StoredFile { content, content_type, is_upload, expires_ms });
    url
}

/// A URL that serves `content` without a token for 15 minutes.
pub(crate) fn download_url(context: &Context<'_>, content: Vec<u8>, content_type: &'static str) -> String {
    add(context, content.into(), content_type, false)
}

/// A URL that accepts one file by `PUT` without a token for 15 minutes.
pub(crate) fn upload_url(context: &Context<'_>) -> String {
    add(context, Bytes::new(), "application/octet-stream", true)
}

fn download(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let files = context.central.files.lock();
    let token = context.params.first().copied().unwrap_or_default();
    let now = context.central.clock.now_ms();
    let file = files.get(token).filter(|file| !file.is_upload && now < file.expires_ms);
    let file = file.ok_or_else(ApiError::access_denied)?;
    Ok(ApiResponse { content_type: file.content_type, ..ApiResponse::bytes(200, file.content.to_vec()) })
}

fn upload(context: &Context<'_>) -> Result<ApiResponse, ApiError> {
    let mut files = context.central.files.lock();
    let token = context.params.first().copied().unwrap_or_default();
    let now = context.central.clock.now_ms();
    let file = files.get_mut(token).filter(|file| file.is_upload && now < file.expires_ms);
    file.ok_or_else(ApiError::access_denied)?.content = context.call.body.clone();
    Ok(ApiResponse::json(200, &json!({})))
}
