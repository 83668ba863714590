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

use crate::{error::StoreError, partition::endpoint};

/// Where objects go: a bucket, or a folder that stands for one.
#[derive(Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    root: Path,
    place: String,
    /// Whether it is a bucket of S3: a listing comes in order, so that it need not be
    /// read to its end, and a write may meet another one.
    bucket: bool,
    /// Set once the bucket has shown that it honors `If-None-Match`.
    proven: Arc<OnceCell<()>>,
}

/// The object that shows whether a bucket honors `If-None-Match`, below the root of
/// the store. It stays: so the next process needs one request, not two.
const PROBE: &str = "_probe/if-none-match";
const PROBE_BODY: &str =
    "Shows that this store honors If-None-Match. Keep it: it saves a request at each start.\n";

/// Longest time that failed requests to a bucket are repeated. A function has minutes,
/// not the quarter of an hour that is usual.
const MAX_RETRY_TIME: Duration = Duration::from_secs(45);

/// How often a write that met another one is repeated, and how long it waits first:
/// twice as long each time, which is a second and a half in all.
const REPETITIONS: u32 = 5;
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// Longest wait between two attempts of a request that failed.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// Says where it is, and nothing of how it is reached: that holds credentials.
impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.place).finish()
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
        Self::open_within(location, MAX_RETRY_TIME)
    }

    /// The same, with another time for which failed requests are repeated: for a
    /// caller whose own caller waits.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn open_within(location: &str, retry_time: Duration) -> Result<Self, StoreError> {
        let wrong = |reason: String| StoreError::Location { url: location.to_owned(), reason };
        if location.starts_with("s3://") {
            let variable = |name| std::env::var(name).ok();
            let endpoint = variable("AWS_ENDPOINT_URL_S3")
                .or_else(|| variable("AWS_ENDPOINT_URL"))
                .or_else(|| endpoint(&variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"))?));
            let mut builder = AmazonS3Builder::from_env();
            if let Some(endpoint) = endpoint {
                let plain = endpoint.starts_with("http://");
                let options = ClientOptions::new().with_allow_http(plain);
                builder = builder.with_endpoint(endpoint).with_client_options(options).with_allow_http(plain);
            }
            return Self::in_bucket(builder, location, retry_time);
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
            place: folder.to_owned(),
            bucket: false,
            proven: Arc::default(),
        })
    }

    /// Opens `s3://bucket/prefix` where and as `builder` says, whatever the usual
    /// variables do. Failed requests are repeated for `retry_time`, and each object is
    /// sent with its SHA-256, which a bucket with Object Lock requires.
    ///
    /// # Errors
    /// When the location is no such location, or cannot be opened.
    pub fn in_bucket(
        builder: AmazonS3Builder,
        location: &str,
        retry_time: Duration,
    ) -> Result<Self, StoreError> {
        let wrong = |reason: String| StoreError::Location { url: location.to_owned(), reason };
        let Some(rest) = location.strip_prefix("s3://") else {
            return Err(wrong("it must be s3://bucket/prefix".into()));
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(wrong("it names no bucket".into()));
        }
        let builder = builder.with_retry(retries(retry_time)).with_checksum_algorithm(Checksum::SHA256);
        let objects = builder.with_bucket_name(bucket).build().map_err(|error| wrong(error.to_string()))?;
        let root = Path::parse(prefix).map_err(|error| wrong(error.to_string()))?;
        Ok(Self {
            objects: Arc::new(objects),
            root,
            place: location.to_owned(),
            bucket: true,
            proven: Arc::default(),
        })
    }

    /// The same over any object store.
    pub fn over(objects: Arc<dyn ObjectStore>) -> Self {
        Self {
            place: objects.to_string(),
            objects,
            root: Path::default(),
            bucket: false,
            proven: Arc::default(),
        }
    }

    /// Where it is, for people: `s3://bucket/prefix`, or the folder.
    pub fn describe(&self) -> &str {
        &self.place
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
    /// [`StoreError::Unconditional`] when the bucket ignores `If-None-Match`; nothing
    /// but the test's object was written then.
    pub async fn create(&self, path: &str, body: Vec<u8>) -> Result<bool, StoreError> {
        let at = self.at(path)?;
        self.prove().await?;
        self.put_if_absent(&at, body.into()).await
    }

    /// Writes an object, over one that may be there. Tests the bucket first, as
    /// [`create`](Self::create) does.
    ///
    /// # Errors
    /// When the store fails; the object may be there nevertheless.
    /// [`StoreError::Unconditional`] when the bucket ignores `If-None-Match`.
    pub async fn write(&self, path: &str, body: Vec<u8>) -> Result<(), StoreError> {
        let at = self.at(path)?;
        self.prove().await?;
        self.objects.put(&at, PutPayload::from(body)).await?;
        Ok(())
    }

    /// Tests once whether a bucket refuses to create an object that is there.
    async fn prove(&self) -> Result<(), StoreError> {
        if !self.bucket {
            return Ok(());
        }
        let test = || async {
            let at = self.at(PROBE)?;
            let put = || self.put_if_absent(&at, PutPayload::from_static(PROBE_BODY.as_bytes()));
            match async { Ok(put().await? && put().await?) }.await {
                Ok(false) => Ok(()),
                Ok(true) => Err(StoreError::Unconditional { url: self.place.clone() }),
                Err(StoreError::Failed(source)) => Err(StoreError::Probe { path: at.to_string(), source }),
                Err(other) => Err(other),
            }
        };
        self.proven.get_or_try_init(test).await.copied()
    }

    async fn put_if_absent(&self, at: &Path, body: PutPayload) -> Result<bool, StoreError> {
        let begun = Instant::now();
        let (mut conflicts, mut unanswered) = (0, 0);
        loop {
            match self.objects.put_opts(at, body.clone(), PutMode::Create.into()).await {
                Ok(_) => return Ok(true),
                Err(object_store::Error::AlreadyExists { source, .. }) => {
                    if !(self.bucket && is_conflict(source.as_ref())) {
                        return Ok(false);
                    }
                    if conflicts == REPETITIONS {
                        return Err(StoreError::Conflict { path: at.to_string() });
                    }
                    sleep(FIRST_WAIT * 2_u32.pow(conflicts)).await;
                    conflicts += 1;
                }
                // `object_store` repeats no conditional write without an answer. Callers
                // expect that the object is their own where there is one.
                Err(error) if self.bucket && is_unanswered(&error) && begun.elapsed() < MAX_RETRY_TIME => {
                    sleep((FIRST_WAIT * 2_u32.pow(unanswered)).min(MAX_WAIT)).await;
                    unanswered = (unanswered + 1).min(REPETITIONS + 1);
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
        match self.objects.get(&self.at(path)?).await {
            Ok(object) => Ok(Some(object.bytes().await?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes an object, if there is one.
    ///
    /// # Errors
    /// When the store fails; the object may be gone nevertheless.
    pub async fn remove(&self, path: &str) -> Result<(), StoreError> {
        match self.objects.delete(&self.at(path)?).await {
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
        match self.remove(path).await {
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
    pub async fn names_after(&self, folder: &str, after: &str) -> Result<Vec<String>, StoreError> {
        self.names_first(folder, after, usize::MAX).await
    }

    /// The first `limit` of [`names_after`](Self::names_after). A bucket is
    /// asked for no more pages of a thousand than these need; a folder is read
    /// to its end.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn names_first(
        &self,
        folder: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        let within = self.at(folder)?;
        let listing = if after.is_empty() {
            self.objects.list(Some(&within))
        } else {
            self.objects.list_with_offset(Some(&within), &self.at(&format!("{folder}/{after}"))?)
        };
        let names = listing.try_filter_map(|object| ready(Ok(child(&object.location, &within))));
        let mut names = first(names, if self.bucket { limit } else { usize::MAX }).await?;
        names.sort_unstable();
        names.truncate(limit);
        Ok(names)
    }

    fn at(&self, path: &str) -> Result<Path, StoreError> {
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
fn child(object: &Path, folder: &Path) -> Option<String> {
    let mut parts = object.prefix_match(folder)?;
    let name = parts.next()?.as_ref().to_owned();
    parts.next().is_none().then_some(name)
}

async fn first<L>(mut names: L, limit: usize) -> Result<Vec<String>, L::Error>
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
fn is_unanswered(error: &object_store::Error) -> bool {
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
fn retries(retry_time: Duration) -> RetryConfig {
    RetryConfig {
        // The next wait is at random from the least to `base` times the last: with the
        // usual 2 it hardly grows.
        backoff: BackoffConfig { init_backoff: FIRST_WAIT * 2, max_backoff: MAX_WAIT, base: 4.0 },
        max_retries: usize::MAX,
        retry_timeout: retry_time,
    }
}
