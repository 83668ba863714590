use std::{error::Error, fmt, future::ready, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{TryStream, TryStreamExt};
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, ObjectStoreExt, PutMode, PutPayload, RetryConfig,
    aws::{AmazonS3Builder, AwsCredentialProvider, Checksum},
    client::{HttpError, HttpErrorKind},
    local::LocalFileSystem,
    path::Path,
};
use tokio::{
    sync::OnceCell,
    time::{Instant, sleep},
};

use crate::{error::StoreError, partition::s3_endpoint};

/// A bucket, or a folder with the same behavior.
///
/// # Examples
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let temporary = tempfile::tempdir()?;
/// # let location = temporary.path().to_str().ok_or("no UTF-8")?;
/// use sophos_store::Store;
///
/// // A folder, or s3://bucket/prefix.
/// let store = Store::open(location)?;
/// assert!(store.create("runs/1.json", b"first".to_vec()).await?);
/// // The object exists, so a second writer learns that it is late.
/// assert!(!store.create("runs/1.json", b"second".to_vec()).await?);
/// assert_eq!(store.read("runs/1.json").await?.as_deref(), Some(&b"first"[..]));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Store {
    pub(crate) objects: Arc<dyn ObjectStore>,
    root: Path,
    location: String,
    /// Whether this is an S3 bucket: listings are ordered, so that they may end early,
    /// and concurrent writes may conflict.
    is_s3: bool,
    /// Set after the bucket has honored `If-None-Match`.
    probed: Arc<OnceCell<()>>,
}

/// The object that tests whether a bucket honors `If-None-Match`, below the root of
/// the store. It stays, so that the next process needs one request instead of two.
const PROBE_PATH: &str = "_probe/if-none-match";
const PROBE_BODY: &str =
    "Shows that this store honors If-None-Match. Keep it: it saves a request at each start.\n";

/// The time for which failed requests to a bucket are retried. A function has minutes,
/// unlike the quarter of an hour that is usual.
const RETRY_TIMEOUT: Duration = Duration::from_secs(45);

/// The retries of a write after a conflict, and their initial back-off. It doubles each
/// time: 1.5 seconds in all.
const MAX_CONFLICT_RETRIES: u32 = 5;
const INITIAL_BACKOFF: Duration = Duration::from_millis(50);

/// The maximum back-off between two attempts of a failed request.
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// Shows the location only: the rest holds credentials.
impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.location).finish()
    }
}

impl Store {
    /// Opens `s3://bucket/prefix`, or a folder by its path or `file://` URL. Creates a
    /// missing folder; a bucket must exist.
    ///
    /// Credentials, region and endpoint of S3 come from the usual variables
    /// (`AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, …). Failed requests are
    /// retried for 45 seconds.
    ///
    /// # Errors
    /// When the location is invalid or cannot be opened.
    pub fn open(location: &str) -> Result<Self, StoreError> {
        Self::open_with_retry_timeout(location, RETRY_TIMEOUT)
    }

    /// Opens a store whose failed requests are retried for `retry_timeout`, for callers
    /// with a short deadline.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn open_with_retry_timeout(location: &str, retry_timeout: Duration) -> Result<Self, StoreError> {
        let invalid = |reason: String| StoreError::InvalidLocation { url: location.to_owned(), reason };
        if location.starts_with("s3://") {
            return Self::from_s3_builder(s3_builder_from_env(), location, retry_timeout);
        }
        let folder = location.strip_prefix("file://").unwrap_or(location);
        if folder.is_empty() || folder.contains("://") {
            return Err(invalid("expected s3://bucket/prefix or a folder".into()));
        }
        std::fs::create_dir_all(folder).map_err(|error| invalid(error.to_string()))?;
        let objects = LocalFileSystem::new_with_prefix(folder).map_err(|error| invalid(error.to_string()))?;
        Ok(Self {
            objects: Arc::new(objects),
            root: Path::default(),
            location: folder.to_owned(),
            is_s3: false,
            probed: Arc::default(),
        })
    }

    /// Opens `s3://bucket/prefix` with these credentials, such as those of a role of
    /// another account. All else is as for [`open`](Self::open).
    ///
    /// # Errors
    /// When the location is invalid or is not in a bucket.
    pub fn open_with_credentials(
        location: &str,
        credentials: AwsCredentialProvider,
    ) -> Result<Self, StoreError> {
        let builder = s3_builder_from_env().with_credentials(credentials);
        Self::from_s3_builder(builder, location, RETRY_TIMEOUT)
    }

    /// Opens `s3://bucket/prefix` with the credentials, region and endpoint of `builder`.
    /// Failed requests are retried for `retry_timeout`. Each object is sent with its
    /// SHA-256, which a bucket with Object Lock requires.
    ///
    /// # Errors
    /// When the location is invalid or cannot be opened.
    pub fn from_s3_builder(
        builder: AmazonS3Builder,
        location: &str,
        retry_timeout: Duration,
    ) -> Result<Self, StoreError> {
        let invalid = |reason: String| StoreError::InvalidLocation { url: location.to_owned(), reason };
        let Some(rest) = location.strip_prefix("s3://") else {
            return Err(invalid("expected s3://bucket/prefix".into()));
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(invalid("the bucket is missing: expected s3://bucket/prefix".into()));
        }
        let builder =
            builder.with_retry(retry_config(retry_timeout)).with_checksum_algorithm(Checksum::SHA256);
        let objects = builder.with_bucket_name(bucket).build().map_err(|error| invalid(error.to_string()))?;
        let root = Path::parse(prefix).map_err(|error| invalid(error.to_string()))?;
        Ok(Self {
            objects: Arc::new(objects),
            root,
            location: location.to_owned(),
            is_s3: true,
            probed: Arc::default(),
        })
    }

    /// Returns the store without the test of conditional writes, for a bucket in which the
    /// test's object is not welcome. If the bucket ignores `If-None-Match`,
    /// [`create`](Self::create) replaces objects.
    #[must_use]
    pub fn without_probe(self) -> Self {
        Self { probed: Arc::new(OnceCell::new_with(Some(()))), ..self }
    }

    /// Creates a store over any object store.
    pub fn from_object_store(objects: Arc<dyn ObjectStore>) -> Self {
        Self {
            location: objects.to_string(),
            objects,
            root: Path::default(),
            is_s3: false,
            probed: Arc::default(),
        }
    }

    /// The location for messages: `s3://bucket/prefix`, or the folder.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// Creates an object if it is absent. Returns `false` if the object exists.
    ///
    /// The existing object may be from this request: if a response is lost, the retry
    /// finds the object. A caller that must know reads the object.
    ///
    /// A concurrent request for the same object in S3 is a conflict. The write is then
    /// retried for 1.5 seconds.
    ///
    /// The first write to a bucket tests whether it honors `If-None-Match`, with the
    /// object `_probe/if-none-match` below the store's root. The test takes one request
    /// in each process, and two the first time.
    ///
    /// # Errors
    /// When the store fails; the object may exist nevertheless.
    /// [`StoreError::Conflict`] when concurrent requests go on for longer.
    /// [`StoreError::ConditionalWritesUnsupported`] when the bucket ignores
    /// `If-None-Match`; only the test's object was written then.
    pub async fn create(&self, path: &str, body: Vec<u8>) -> Result<bool, StoreError> {
        Ok(self.create_with_e_tag(path, body).await?.is_some())
    }

    /// Creates an object as [`create`](Self::create) does. Returns `None` if the object
    /// exists, and else its entity tag without quotes, which is empty if the store has none.
    ///
    /// # Errors
    /// As for [`create`](Self::create).
    pub async fn create_with_e_tag(&self, path: &str, body: Vec<u8>) -> Result<Option<String>, StoreError> {
        let at = self.resolve(path)?;
        self.probe().await?;
        self.put_if_absent(&at, body.into()).await
    }

    /// Writes an object and replaces an existing one. Tests the bucket first, as
    /// [`create`](Self::create) does.
    ///
    /// # Errors
    /// When the store fails; the object may be written nevertheless.
    /// [`StoreError::ConditionalWritesUnsupported`] when the bucket ignores `If-None-Match`.
    pub async fn write(&self, path: &str, body: Vec<u8>) -> Result<(), StoreError> {
        let at = self.resolve(path)?;
        self.probe().await?;
        self.objects.put(&at, PutPayload::from(body)).await?;
        Ok(())
    }

    /// Tests once whether a bucket refuses to create an existing object.
    async fn probe(&self) -> Result<(), StoreError> {
        if !self.is_s3 {
            return Ok(());
        }
        let test = || async {
            let at = self.resolve(PROBE_PATH)?;
            let put = || self.put_if_absent(&at, PutPayload::from_static(PROBE_BODY.as_bytes()));
            match async { Ok(put().await?.is_some() && put().await?.is_some()) }.await {
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

    async fn put_if_absent(&self, at: &Path, body: PutPayload) -> Result<Option<String>, StoreError> {
        let begun = Instant::now();
        let (mut conflicts, mut unanswered) = (0, 0);
        loop {
            match self.objects.put_opts(at, body.clone(), PutMode::Create.into()).await {
                Ok(put) => {
                    return Ok(Some(put.e_tag.unwrap_or_default().trim_matches('"').to_owned()));
                }
                Err(object_store::Error::AlreadyExists { source, .. }) => {
                    if !(self.is_s3 && is_conflict(source.as_ref())) {
                        return Ok(None);
                    }
                    if conflicts == MAX_CONFLICT_RETRIES {
                        return Err(StoreError::Conflict { path: at.to_string() });
                    }
                    sleep(INITIAL_BACKOFF * 2_u32.pow(conflicts)).await;
                    conflicts += 1;
                }
                // `object_store` does not retry a conditional write without a response.
                // Callers expect that an existing object may be their own.
                Err(error) if self.is_s3 && is_response_lost(&error) && begun.elapsed() < RETRY_TIMEOUT => {
                    sleep((INITIAL_BACKOFF * 2_u32.pow(unanswered)).min(MAX_BACKOFF)).await;
                    unanswered = (unanswered + 1).min(MAX_CONFLICT_RETRIES + 1);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Reads an object; `None` if it does not exist.
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

    /// Deletes an object if it exists.
    ///
    /// # Errors
    /// When the store fails; the object may be deleted nevertheless.
    pub async fn delete(&self, path: &str) -> Result<(), StoreError> {
        match self.objects.delete(&self.resolve(path)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes an object that readers do not need, if it exists. If access is denied, the
    /// object stays and the log has a warning.
    ///
    /// # Errors
    /// When the store fails otherwise; the object may be deleted nevertheless.
    pub async fn remove_if_allowed(&self, path: &str) -> Result<(), StoreError> {
        match self.delete(path).await {
            Err(error) if error.is_denied() => {
                tracing::warn!(event = "delete_denied", path, %error, "failed to delete an unneeded object; allow s3:DeleteObject there");
                Ok(())
            }
            removed => removed,
        }
    }

    /// Lists the names of the objects in `folder`, without subfolders, in order. Starts
    /// after the name `after`, or with the first if `after` is empty.
    ///
    /// The store lists subfolders as well, so keep them out of folders that are listed
    /// often.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn list_names(&self, folder: &str, after: &str) -> Result<Vec<String>, StoreError> {
        self.list_names_with_limit(folder, after, usize::MAX).await
    }

    /// Lists the first `limit` names of [`list_names`](Self::list_names). Requests only
    /// as many pages of 1,000 from a bucket as these need; reads a folder to its end.
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

    pub(crate) fn resolve(&self, path: &str) -> Result<Path, StoreError> {
        let whole =
            if self.root.as_ref().is_empty() { path.to_owned() } else { format!("{}/{path}", self.root) };
        Path::parse(whole).map_err(|error| object_store::Error::from(error).into())
    }

    /// The path of an object from the root; `None` outside of it.
    pub(crate) fn relative_path(&self, object: &Path) -> Option<String> {
        let parts: Vec<_> = object.prefix_match(&self.root)?.map(|part| part.as_ref().to_owned()).collect();
        Some(parts.join("/"))
    }
}

/// A builder with the credentials, region and endpoint of the environment.
fn s3_builder_from_env() -> AmazonS3Builder {
    let variable = |name| std::env::var(name).ok();
    let endpoint = variable("AWS_ENDPOINT_URL_S3")
        .or_else(|| variable("AWS_ENDPOINT_URL"))
        .or_else(|| s3_endpoint(&variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"))?));
    let builder = AmazonS3Builder::from_env();
    let Some(endpoint) = endpoint else { return builder };
    let plain = endpoint.starts_with("http://");
    let options = ClientOptions::new().with_allow_http(plain);
    builder.with_endpoint(endpoint).with_client_options(options).with_allow_http(plain)
}

/// Whether an error is S3's 409 (`ConditionalRequestConflict`) rather than its 412.
///
/// `object_store` reports both as an existing object. It wraps a 412 in an error of its
/// own; a 409 keeps the error of the request.
fn is_conflict(source: &(dyn Error + Send + Sync + 'static)) -> bool {
    !source.is::<object_store::Error>()
}

/// The name of an object directly in the folder.
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

/// Whether a request was sent and its response was lost.
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

/// Retries failed requests, `503 SlowDown` included, until the timeout. The default of
/// ten attempts with short waits would end after a few seconds.
fn retry_config(retry_timeout: Duration) -> RetryConfig {
    RetryConfig {
        // Each wait is random between the initial one and `base` times the last: with the
        // default of 2 it hardly grows.
        backoff: BackoffConfig { init_backoff: INITIAL_BACKOFF * 2, max_backoff: MAX_BACKOFF, base: 4.0 },
        max_retries: usize::MAX,
        retry_timeout,
    }
}
