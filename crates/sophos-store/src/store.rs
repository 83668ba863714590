use std::{error::Error, fmt, future::ready, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{TryStream, TryStreamExt};
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, ObjectStoreExt, PutMode, PutPayload, RetryConfig,
    aws::{AmazonS3Builder, Checksum},
    client::{HttpError, HttpErrorKind},
    local::LocalFileSystem,
    path::Path,
};
use tokio::{
    sync::OnceCell,
    time::{Instant, sleep},
};

use crate::{error::StoreError, partition::s3_endpoint};

/// Where objects go: a bucket, or a folder that stands for one.
#[derive(Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    root: Path,
    location: String,
    /// Whether it is a bucket of S3: a listing comes in order, so that it need not be
    /// read to its end, and a write may meet another one.
    is_s3: bool,
    /// Set once the bucket has shown that it honors `If-None-Match`.
    probed: Arc<OnceCell<()>>,
}

/// The object that shows whether a bucket honors `If-None-Match`, below the root of
/// the store. It stays: so the next process needs one request, not two.
const PROBE_PATH: &str = "_probe/if-none-match";
const PROBE_BODY: &str =
    "Shows that this store honors If-None-Match. Keep it: it saves a request at each start.\n";

/// Longest time that failed requests to a bucket are repeated. A function has minutes,
/// not the quarter of an hour that is usual.
const RETRY_TIMEOUT: Duration = Duration::from_secs(45);

/// How often a write that met another one is repeated, and how long it waits first:
/// twice as long each time, which is a second and a half in all.
const MAX_CONFLICT_RETRIES: u32 = 5;
const INITIAL_BACKOFF: Duration = Duration::from_millis(50);

/// Longest wait between two attempts of a request that failed.
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// Says where it is, and nothing of how it is reached: that holds credentials.
impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.location).finish()
    }
}

impl Store {
    /// Opens `s3://bucket/prefix`, or a folder by its path or `file://` URL. A
    /// folder is made if need be; a bucket must be there.
    ///
    /// S3 takes its credentials, region and endpoint from the usual variables
    /// (`AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, …).
    ///
    /// Failed requests are repeated for 45 seconds.
    ///
    /// # Errors
    /// When the location is no location, or cannot be opened.
    pub fn open(location: &str) -> Result<Self, StoreError> {
        Self::open_with_retry_timeout(location, RETRY_TIMEOUT)
    }

    /// The same, with another time for which failed requests are repeated: for a
    /// caller whose own caller waits.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn open_with_retry_timeout(location: &str, retry_timeout: Duration) -> Result<Self, StoreError> {
        let wrong = |reason: String| StoreError::InvalidLocation { url: location.to_owned(), reason };
        if location.starts_with("s3://") {
            let variable = |name| std::env::var(name).ok();
            let endpoint = variable("AWS_ENDPOINT_URL_S3")
                .or_else(|| variable("AWS_ENDPOINT_URL"))
                .or_else(|| s3_endpoint(&variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"))?));
            let mut builder = AmazonS3Builder::from_env();
            if let Some(endpoint) = endpoint {
                let plain = endpoint.starts_with("http://");
                let options = ClientOptions::new().with_allow_http(plain);
                builder = builder.with_endpoint(endpoint).with_client_options(options).with_allow_http(plain);
            }
            return Self::from_s3_builder(builder, location, retry_timeout);
        }
        let folder = location.strip_prefix("file://").unwrap_or(location);
        if folder.is_empty() || folder.contains("://") {
            return Err(wrong("it must be s3://bucket/prefix or a folder".into()));
        }
        std::fs::create_dir_all(folder).map_err(|error| wrong(error.to_string()))?;
        let objects = LocalFileSystem::new_with_prefix(folder).map_err(|error| wrong(error.to_string()))?;
        Ok(Self {
            objects: Arc::new(objects),
            root: Path::default(),
            location: folder.to_owned(),
            is_s3: false,
            probed: Arc::default(),
        })
    }

    /// Opens `s3://bucket/prefix` where and as `builder` says, whatever the usual
    /// variables do. Failed requests are repeated for `retry_time`, and each object is
    /// sent with its SHA-256, which a bucket with Object Lock requires.
    ///
    /// # Errors
    /// When the location is no such location, or cannot be opened.
    pub fn from_s3_builder(
        builder: AmazonS3Builder,
        location: &str,
        retry_timeout: Duration,
    ) -> Result<Self, StoreError> {
        let wrong = |reason: String| StoreError::InvalidLocation { url: location.to_owned(), reason };
        let Some(rest) = location.strip_prefix("s3://") else {
            return Err(wrong("it must be s3://bucket/prefix".into()));
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(wrong("it names no bucket".into()));
        }
        let builder =
            builder.with_retry(retry_config(retry_timeout)).with_checksum_algorithm(Checksum::SHA256);
        let objects = builder.with_bucket_name(bucket).build().map_err(|error| wrong(error.to_string()))?;
        let root = Path::parse(prefix).map_err(|error| wrong(error.to_string()))?;
        Ok(Self {
            objects: Arc::new(objects),
            root,
            location: location.to_owned(),
            is_s3: true,
            probed: Arc::default(),
        })
    }

    /// The same over any object store.
    pub fn from_object_store(objects: Arc<dyn ObjectStore>) -> Self {
        Self {
            location: objects.to_string(),
            objects,
            root: Path::default(),
            is_s3: false,
            probed: Arc::default(),
        }
    }

    /// Where it is, for people: `s3://bucket/prefix`, or the folder.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// Writes an object that must not be there. Says whether it was written:
    /// `false` means that there is one. It may be this very request's: a store
    /// that lost its answer refuses the repetition, so who must know reads it.
    ///
    /// A bucket of S3 may be at another request for the same object. Nothing is
    /// written then, and nothing is known of what is there: the request is repeated
    /// for a second and a half.
    ///
    /// The first write to a bucket tests whether it honors `If-None-Match`, by an
    /// object `_probe/if-none-match` below the store's root: one more request in each
    /// process, and two the first time.
    ///
    /// # Errors
    /// When the store fails; the object may be there nevertheless.
    /// [`StoreError::Conflict`] when others are at this object for longer.
    /// [`StoreError::ConditionalWritesUnsupported`] when the bucket ignores `If-None-Match`; nothing
    /// but the test's object was written then.
    pub async fn create(&self, path: &str, body: Vec<u8>) -> Result<bool, StoreError> {
        let at = self.resolve(path)?;
        self.probe().await?;
        self.put_if_absent(&at, body.into()).await
    }

    /// Writes an object, over one that may be there. Tests the bucket first, as
    /// [`create`](Self::create) does.
    ///
    /// # Errors
    /// When the store fails; the object may be there nevertheless.
    /// [`StoreError::ConditionalWritesUnsupported`] when the bucket ignores `If-None-Match`.
    pub async fn write(&self, path: &str, body: Vec<u8>) -> Result<(), StoreError> {
        let at = self.resolve(path)?;
        self.probe().await?;
        self.objects.put(&at, PutPayload::from(body)).await?;
        Ok(())
    }

    /// Tests once whether a bucket refuses to create an object that is there.
    async fn probe(&self) -> Result<(), StoreError> {
        if !self.is_s3 {
            return Ok(());
        }
        let test = || async {
            let at = self.resolve(PROBE_PATH)?;
            let put = || self.put_if_absent(&at, PutPayload::from_static(PROBE_BODY.as_bytes()));
            match async { Ok(put().await? && put().await?) }.await {
                Ok(false) => Ok(()),
                Ok(true) => Err(StoreError::ConditionalWritesUnsupported { url: self.location.clone() }),
                Err(StoreError::Backend(source)) => {
                    Err(StoreError::ProbeFailed { path: at.to_string(), source })
                }
                Err(other) => Err(other),
            }
        };
        self.probed.get_or_try_init(test).await.copied()
    }

    async fn put_if_absent(&self, at: &Path, body: PutPayload) -> Result<bool, StoreError> {
        let begun = Instant::now();
        let (mut conflicts, mut unanswered) = (0, 0);
        loop {
            match self.objects.put_opts(at, body.clone(), PutMode::Create.into()).await {
                Ok(_) => return Ok(true),
                Err(object_store::Error::AlreadyExists { source, .. }) => {
                    if !(self.is_s3 && is_conflict(source.as_ref())) {
                        return Ok(false);
                    }
                    if conflicts == MAX_CONFLICT_RETRIES {
                        return Err(StoreError::Conflict { path: at.to_string() });
                    }
                    sleep(INITIAL_BACKOFF * 2_u32.pow(conflicts)).await;
                    conflicts += 1;
                }
                // `object_store` repeats no conditional write without an answer. Callers
                // expect that the object is their own where there is one.
                Err(error) if self.is_s3 && is_response_lost(&error) && begun.elapsed() < RETRY_TIMEOUT => {
                    sleep((INITIAL_BACKOFF * 2_u32.pow(unanswered)).min(MAX_BACKOFF)).await;
                    unanswered = (unanswered + 1).min(MAX_CONFLICT_RETRIES + 1);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Reads an object, if there is one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn read(&self, path: &str) -> Result<Option<Bytes>, StoreError> {
        match self.objects.get(&self.resolve(path)?).await {
            Ok(object) => Ok(Some(object.bytes().await?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes an object, if there is one.
    ///
    /// # Errors
    /// When the store fails; the object may be gone nevertheless.
    pub async fn delete(&self, path: &str) -> Result<(), StoreError> {
        match self.objects.delete(&self.resolve(path)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes an object that no reader needs, if there is one. It stays, with a
    /// warning in the log, when the store does not allow it.
    ///
    /// # Errors
    /// When the store fails otherwise; the object may be gone nevertheless.
    pub async fn remove_if_allowed(&self, path: &str) -> Result<(), StoreError> {
        match self.delete(path).await {
            Err(error) if error.is_denied() => {
                let event = "delete_denied";
                tracing::warn!(event, path, %error, "an unneeded object stays; allow s3:DeleteObject there");
                Ok(())
            }
            removed => removed,
        }
    }

    /// The names of the objects in `folder` itself, not of those in folders
    /// below it, in order, from the one after `after` on; from the first, if
    /// that is empty.
    ///
    /// The store is asked for what is below as well, so keep folders of
    /// folders out of what is listed often.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list_names(&self, folder: &str, after: &str) -> Result<Vec<String>, StoreError> {
        self.list_names_with_limit(folder, after, usize::MAX).await
    }

    /// The first `limit` of [`list_names`](Self::list_names). A bucket is
    /// asked for no more pages of a thousand than these need; a folder is read
    /// to its end.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list_names_with_limit(
        &self,
        folder: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        let within = self.resolve(folder)?;
        let listing = if after.is_empty() {
            self.objects.list(Some(&within))
        } else {
            self.objects.list_with_offset(Some(&within), &self.resolve(&format!("{folder}/{after}"))?)
        };
        let names = listing.try_filter_map(|object| ready(Ok(child_name(&object.location, &within))));
        let mut names = take_names(names, if self.is_s3 { limit } else { usize::MAX }).await?;
        names.sort_unstable();
        names.truncate(limit);
        Ok(names)
    }

    fn resolve(&self, path: &str) -> Result<Path, StoreError> {
        let whole =
            if self.root.as_ref().is_empty() { path.to_owned() } else { format!("{}/{path}", self.root) };
        Path::parse(whole).map_err(|error| object_store::Error::from(error).into())
    }
}

/// Whether this is S3's 409 (`ConditionalRequestConflict`) rather than its 412.
///
/// `object_store` takes both for an object that is there. Of a 412 it makes one of
/// its own errors first; a 409 is the answer to the request as it came.
fn is_conflict(source: &(dyn Error + Send + Sync + 'static)) -> bool {
    !source.is::<object_store::Error>()
}

/// The name of an object that is in the folder itself.
fn child_name(object: &Path, folder: &Path) -> Option<String> {
    let mut parts = object.prefix_match(folder)?;
    let name = parts.next()?.as_ref().to_owned();
    parts.next().is_none().then_some(name)
}

async fn take_names<L>(mut names: L, limit: usize) -> Result<Vec<String>, L::Error>
where
    L: TryStream<Ok = String> + Unpin,
{
    let mut first = Vec::new();
    while first.len() < limit {
        let Some(name) = names.try_next().await? else { break };
        first.push(name);
    }
    Ok(first)
}

/// Whether a request was sent, and no answer came.
fn is_response_lost(error: &object_store::Error) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<HttpError>() {
            return matches!(error.kind(), HttpErrorKind::Timeout | HttpErrorKind::Interrupted);
        }
        cause = error.source();
    }
    false
}

/// Repeats what failed, `503 SlowDown` included, until the time is up: the usual
/// ten attempts with their short waits would end after a few seconds.
fn retry_config(retry_timeout: Duration) -> RetryConfig {
    RetryConfig {
        // The next wait is at random from the least to `base` times the last: with the
        // usual 2 it hardly grows.
        backoff: BackoffConfig { init_backoff: INITIAL_BACKOFF * 2, max_backoff: MAX_BACKOFF, base: 4.0 },
        max_retries: usize::MAX,
        retry_timeout,
    }
}
