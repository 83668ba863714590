//! Stores of another account, through a role there.

use std::{pin::Pin, sync::Arc, time::Duration};

use aws_config::sts::AssumeRoleProvider;
use aws_sdk_secretsmanager::{
    config::{Credentials, ProvideCredentials},
    error::DisplayErrorContext,
};
use object_store::{CredentialProvider, aws::AwsCredential};
use sophos_store::{Store, StoreError, s3_builder_from_env};
use tokio::sync::Mutex;

use crate::{aws, clock};

/// The name of the session, which CloudTrail of the other account shows.
const SESSION_NAME: &str = "sophos-central";

/// The time before the expiry of credentials at which they are replaced.
const EXPIRY_MARGIN: Duration = Duration::from_secs(300);

/// The time for which failed requests to the bucket are retried.
const RETRY_TIMEOUT: Duration = Duration::from_secs(45);

/// A role that the function assumes, such as one of another account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumedRole {
    /// The role's ARN.
    pub arn: String,
    /// The external id that the role's trust policy expects.
    pub external_id: Option<String>,
}

impl AssumedRole {
    /// Opens `s3://bucket/prefix` as this role. Region and endpoint come from the usual
    /// variables. The role's credentials are requested with the first object, and renewed
    /// before they expire.
    ///
    /// # Errors
    /// When the location is not a bucket.
    pub async fn open_store(&self, location: &str) -> Result<Store, StoreError> {
        let provider = AssumeRoleProvider::builder(&self.arn).session_name(SESSION_NAME);
        let provider = match &self.external_id {
            Some(id) => provider.external_id(id),
            None => provider,
        };
        let provider = provider.configure(&aws::sdk_config().await).build().await;
        let credentials = RoleCredentials { provider, current: Mutex::default() };
        let builder = s3_builder_from_env().with_credentials(Arc::new(credentials));
        Store::from_s3_builder(builder, location, RETRY_TIMEOUT)
    }
}

/// The credentials of a role, which several requests share.
#[derive(Debug)]
struct RoleCredentials<P> {
    provider: P,
    current: Mutex<Option<CurrentCredential>>,
}

#[derive(Debug)]
struct CurrentCredential {
    credential: Arc<AwsCredential>,
    /// The time since the Unix epoch; `None` for credentials that do not expire.
    expires_at: Option<Duration>,
}

impl<P: ProvideCredentials> RoleCredentials<P> {
    async fn get(&self) -> object_store::Result<Arc<AwsCredential>> {
        // Concurrent requests wait for one answer.
        let mut current = self.current.lock().await;
        let now = clock::since_epoch();
        if let Some(current) = current.as_ref()
            && current.expires_at.is_none_or(|expires_at| now + EXPIRY_MARGIN < expires_at)
        {
            return Ok(Arc::clone(&current.credential));
        }
        let credentials = self.provider.provide_credentials().await;
        let credentials = credentials.map_err(|source| object_store::Error::Generic {
            store: "S3",
            source: format!("AssumeRole failed: {}", DisplayErrorContext(&source)).into(),
        })?;
        let credential = Arc::new(to_credential(&credentials));
        let expires_at =
            credentials.expiry().map(|time| time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default());
        *current = Some(CurrentCredential { credential: Arc::clone(&credential), expires_at });
        Ok(credential)
    }
}

fn to_credential(credentials: &Credentials) -> AwsCredential {
    AwsCredential {
        key_id: credentials.access_key_id().to_owned(),
        secret_key: credentials.secret_access_key().to_owned(),
        token: credentials.session_token().map(str::to_owned),
    }
}

impl<P: ProvideCredentials> CredentialProvider for RoleCredentials<P> {
    type Credential = AwsCredential;

    // The form of `async_trait`.
    fn get_credential<'s, 'f>(
        &'s self,
    ) -> Pin<Box<dyn Future<Output = object_store::Result<Arc<AwsCredential>>> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(self.get())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use aws_credential_types::provider::{error::CredentialsError, future};

    use super::*;

    /// Credentials with a number, which live for some seconds.
    #[derive(Debug)]
    struct Numbered {
        count: AtomicU32,
        lifetime: Option<Duration>,
    }

    impl ProvideCredentials for Numbered {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let number = self.count.fetch_add(1, Ordering::Relaxed);
            let expiry =
                self.lifetime.map(|lifetime| std::time::UNIX_EPOCH + clock::since_epoch() + lifetime);
            let credentials = Credentials::new(format!("key-{number}"), "hush", None, expiry, "test");
            future::ProvideCredentials::ready(Ok(credentials))
        }
    }

    async fn two_keys(lifetime: Option<Duration>) -> [String; 2] {
        let provider = Numbered { count: AtomicU32::new(0), lifetime };
        let credentials = RoleCredentials { provider, current: Mutex::default() };
        let key = async || credentials.get_credential().await.expect("a credential").key_id.clone();
        [key().await, key().await]
    }

    #[tokio::test]
    async fn credentials_are_renewed_before_they_expire() {
        assert_eq!(two_keys(Some(Duration::from_secs(3600))).await, ["key-0", "key-0"]);
        assert_eq!(two_keys(None).await, ["key-0", "key-0"]);
        assert_eq!(two_keys(Some(Duration::from_secs(299))).await, ["key-0", "key-1"]);
    }

    #[derive(Debug)]
    struct Refusing;

    impl ProvideCredentials for Refusing {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let denied = CredentialsError::provider_error("AccessDenied: sts:AssumeRole");
            future::ProvideCredentials::ready(Err(denied))
        }
    }

    #[tokio::test]
    async fn refused_role_is_named_in_the_error() {
        let credentials = RoleCredentials { provider: Refusing, current: Mutex::default() };
        let error = credentials.get_credential().await.expect_err("refused").to_string();
        assert!(error.contains("AssumeRole failed: ") && error.contains("AccessDenied"), "{error}");
    }
}
