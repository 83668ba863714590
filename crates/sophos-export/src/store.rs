use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::{
    ClientOptions, ObjectStore, ObjectStoreExt, PutMode, PutPayload, RetryConfig, aws::AmazonS3Builder,
    local::LocalFileSystem, path::Path,
};

use crate::error::Error;

/// Where objects go: a bucket, or a folder that stands for one.
#[derive(Debug, Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    root: Path,
}

impl Store {
    /// Opens `s3://bucket/prefix`, or a folder by its path or `file://` URL. A
    /// folder is made if need be; a bucket must be there.
    ///
    /// S3 takes its credentials, region and endpoint from the usual variables
    /// (`AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL`, …).
    ///
    /// # Errors
    /// When the location is no location, or cannot be opened.
    pub fn open(location: &str) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Location { url: location.to_owned(), reason };
        if let Some(rest) = location.strip_prefix("s3://") {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            if bucket.is_empty() {
                return Err(wrong("it names no bucket".into()));
            }
            let endpoint =
                std::env::var("AWS_ENDPOINT_URL_S3").or_else(|_| std::env::var("AWS_ENDPOINT_URL"));
            let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket).with_retry(patience());
            if let Ok(endpoint) = endpoint {
                let plain = endpoint.starts_with("http://");
                let options = ClientOptions::new().with_allow_http(plain);
                builder = builder.with_endpoint(endpoint).with_client_options(options).with_allow_http(plain);
            }
            let objects = builder.build().map_err(|error| wrong(error.to_string()))?;
            let root = Path::parse(prefix).map_err(|error| wrong(error.to_string()))?;
            return Ok(Self { objects: Arc::new(objects), root });
        }
        let folder = location.strip_prefix("file://").unwrap_or(location);
        if folder.is_empty() || folder.contains("://") {
            return Err(wrong("it must be s3://bucket/prefix or a folder".into()));
        }
        std::fs::create_dir_all(folder).map_err(|error| wrong(error.to_string()))?;
        let objects = LocalFileSystem::new_with_prefix(folder).map_err(|error| wrong(error.to_string()))?;
        Ok(Self { objects: Arc::new(objects), root: Path::default() })
    }

    /// The same over any object store.
    pub fn over(objects: Arc<dyn ObjectStore>) -> Self {
        Self { objects, root: Path::default() }
    }

    /// Writes an object that must not be there. Says whether it was written:
    /// `false` means that there is one.
    pub(crate) async fn create(&self, path: &str, body: Vec<u8>) -> Result<bool, Error> {
        let put =
            self.objects.put_opts(&self.at(path)?, PutPayload::from(body), PutMode::Create.into()).await;
        match put {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes an object, over one that may be there.
    pub(crate) async fn write(&self, path: &str, body: Vec<u8>) -> Result<(), Error> {
        self.objects.put(&self.at(path)?, PutPayload::from(body)).await?;
        Ok(())
    }

    /// Reads an object, if there is one.
    pub(crate) async fn read(&self, path: &str) -> Result<Option<Bytes>, Error> {
        match self.objects.get(&self.at(path)?).await {
            Ok(object) => Ok(Some(object.bytes().await?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes an object, if there is one.
    pub(crate) async fn remove(&self, path: &str) -> Result<(), Error> {
        match self.objects.delete(&self.at(path)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The names of the objects in `folder`, in order, from the one after
    /// `after` on.
    pub(crate) async fn names_after(&self, folder: &str, after: &str) -> Result<Vec<String>, Error> {
        let folder = self.at(folder)?;
        let listing = if after.is_empty() {
            self.objects.list(Some(&folder))
        } else {
            self.objects.list_with_offset(Some(&folder), &folder.clone().join(after))
        };
        let mut names: Vec<String> = listing
            .try_filter_map(async |object| Ok(object.location.filename().map(str::to_owned)))
            .try_collect()
            .await?;
        // A folder lists in no order.
        names.sort_unstable();
        Ok(names)
    }

    fn at(&self, path: &str) -> Result<Path, Error> {
        let whole =
            if self.root.as_ref().is_empty() { path.to_owned() } else { format!("{}/{path}", self.root) };
        Path::parse(whole).map_err(|error| Error::Store(error.into()))
    }
}

/// A function has minutes, not the quarter of an hour that is usual.
fn patience() -> RetryConfig {
    RetryConfig { max_retries: 6, retry_timeout: Duration::from_secs(45), ..RetryConfig::default() }
}
