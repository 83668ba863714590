//! Credentials of a role, such as that of another account, for a store.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_config::sts::AssumeRoleProvider;
use aws_sdk_secretsmanager::{
    config::{Credentials, ProvideCredentials},
    error::DisplayErrorContext,
};
use object_store::{
    CredentialProvider,
    aws::{AwsCredential, AwsCredentialProvider},
};
use sophos_api::BoxFuture;
use tokio::sync::Mutex;

use crate::{ConfigReader, aws};

/// The time before their expiry at which credentials are replaced. Requests are retried
/// for less.
const RENEWAL_MARGIN: Duration = Duration::from_secs(300);

/// The name of the sessions, which CloudTrail records in both accounts.
const SESSION_NAME: &str = "sophos-central";

/// The reference to a role that a function assumes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleRef {
    /// The ARN of the role.
    pub arn: String,
    /// The external id that the trust policy of the role requires.
    pub external_id: Option<String>,
}

impl RoleRef {
    /// Reads a role from the variables with its ARN and its external id; `None` if the
    /// first is not set.
    pub fn from_reader(
        reader: &mut ConfigReader<'_>,
        arn_variable: &str,
        external_id_variable: &str,
    ) -> Option<Self> {
        let external_id = reader.text(external_id_variable);
        let Some(arn) = reader.text(arn_variable) else {
            if external_id.is_some() {
                let problem = format!("is set without {arn_variable}; set both or none");
                reader.invalid(external_id_variable, problem);
            }
            return None;
        };
        if !is_role_arn(&arn) {
            let problem =
                "is invalid: expected the ARN of a role, such as arn:aws:iam::123456789012:role/export";
            reader.invalid(arn_variable, problem);
        }
        Some(Self { arn, external_id })
    }
}

fn is_role_arn(arn: &str) -> bool {
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    let [prefix, partition, service, region, account, resource] = parts[..] else { return false };
    prefix == "arn"
        && partition.starts_with("aws")
        && (service, region) == ("iam", "")
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && resource.strip_prefix("role/").is_some_and(|name| !name.is_empty())
}

/// The credentials of a role for `sophos_store::Store::open_with_credentials`. They are
/// requested from STS when the store needs them first, and again five minutes before they
/// expire.
pub async fn credentials(role: &RoleRef) -> AwsCredentialProvider {
    let builder = AssumeRoleProvider::builder(&role.arn).session_name(SESSION_NAME);
    let builder = match &role.external_id {
        Some(id) => builder.external_id(id),
        None => builder,
    };
    let provider = Arc::new(builder.configure(&aws::sdk_config().await).build().await);
    let role = role.arn.clone();
    Arc::new(RoleCredentials {
        assume: Box::new(move || {
            let (provider, role) = (Arc::clone(&provider), role.clone());
            Box::pin(async move {
                let assumed = provider.provide_credentials().await;
                assumed
                    .map_err(|error| AssumeRoleError { role, cause: DisplayErrorContext(error).to_string() })
            })
        }),
        now: SystemTime::now,
        current: Mutex::default(),
    })
}

/// The failure to assume a role.
#[derive(Debug, thiserror::Error)]
#[error(
    "assuming the role {role} failed: {cause}; check its trust policy, the external id, and the function's permission \
     for sts:AssumeRole"
)]
struct AssumeRoleError {
    role: String,
    cause: String,
}

type Assume = dyn Fn() -> BoxFuture<'static, Result<Credentials, AssumeRoleError>> + Send + Sync;

/// Temporary credentials that are kept until shortly before they expire.
struct RoleCredentials {
    assume: Box<Assume>,
    now: fn() -> SystemTime,
    /// The current credentials and their expiry.
    current: Mutex<Option<(Arc<AwsCredential>, SystemTime)>>,
}

impl RoleCredentials {
    async fn get(&self) -> object_store::Result<Arc<AwsCredential>> {
        // Concurrent requests wait for one request to STS.
        let mut current = self.current.lock().await;
        if let Some((credential, expiry)) = &*current
            && (self.now)() + RENEWAL_MARGIN < *expiry
        {
            return Ok(Arc::clone(credential));
        }
        let failed = |error| object_store::Error::Generic { store: "S3", source: Box::new(error) };
        let assumed = (self.assume)().await.map_err(failed)?;
        let credential = Arc::new(AwsCredential {
            key_id: assumed.access_key_id().to_owned(),
            secret_key: assumed.secret_access_key().to_owned(),
            token: assumed.session_token().map(str::to_owned),
        });
        let expiry = assumed.expiry().unwrap_or_else(|| (self.now)());
        *current = Some((Arc::clone(&credential), expiry));
        Ok(credential)
    }
}

/// Shows no credential.
impl fmt::Debug for RoleCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoleCredentials").finish_non_exhaustive()
    }
}

impl CredentialProvider for RoleCredentials {
    type Credential = AwsCredential;

    // Written as the macro of the trait expands it.
    fn get_credential<'life0, 'async_trait>(
        &'life0 self,
    ) -> Pin<Box<dyn Future<Output = object_store::Result<Arc<AwsCredential>>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(self.get())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    const ARN: &str = "arn:aws:iam::123456789012:role/siem/export";

    static NOW: AtomicU64 = AtomicU64::new(0);

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(NOW.load(Ordering::Relaxed))
    }

    /// Credentials for an hour, or an error in the second quarter of it.
    fn role_credentials() -> RoleCredentials {
        RoleCredentials {
            assume: Box::new(|| {
                Box::pin(async {
                    let second = NOW.load(Ordering::Relaxed);
                    if second == 9_000 {
                        let cause = "AccessDenied".to_owned();
                        return Err(AssumeRoleError { role: ARN.into(), cause });
                    }
                    let expiry = now() + Duration::from_secs(3_600);
                    let key = format!("key-{second}");
                    Ok(Credentials::new(key, "hush", Some("token".into()), Some(expiry), "tests"))
                })
            }),
            now,
            current: Mutex::default(),
        }
    }

    #[tokio::test]
    async fn credentials_are_replaced_before_they_expire() {
        let credentials = role_credentials();
        for (second, expected) in [(0, "key-0"), (3_299, "key-0"), (3_300, "key-3300"), (6_000, "key-3300")] {
            NOW.store(second, Ordering::Relaxed);
            let got = credentials.get_credential().await.expect("credentials");
            assert_eq!(got.key_id, expected, "after {second} s");
            assert_eq!(got.token.as_deref(), Some("token"));
        }
        NOW.store(9_000, Ordering::Relaxed);
        let error = credentials.get_credential().await.expect_err("denied").to_string();
        assert!(error.contains(ARN) && error.contains("AccessDenied"), "{error}");
        assert!(!format!("{credentials:?}").contains("hush"));
        NOW.store(9_001, Ordering::Relaxed);
        assert_eq!(credentials.get_credential().await.expect("again").key_id, "key-9001");
    }

    #[test]
    fn role_ref_is_read_from_its_variables() {
        let read = |arn: &str, id: &str| {
            let mut reader =
                ConfigReader::from_fn(|name| Some(if name == "ROLE" { arn } else { id }.to_owned()));
            let role = RoleRef::from_reader(&mut reader, "ROLE", "ID");
            reader.finish(role).map_err(|error| error.to_string())
        };
        assert_eq!(read("", ""), Ok(None));
        let role = |external_id| Ok(Some(RoleRef { arn: ARN.into(), external_id }));
        assert_eq!(read(ARN, ""), role(None));
        assert_eq!(read(ARN, "acme"), role(Some("acme".into())));
        assert!(read("", "acme").is_err_and(|error| error.contains("ID is set without ROLE")));
        for arn in
            ["role", "arn:aws:iam::12:role/a", "arn:aws:iam::123456789012:role/", "arn:aws:s3:::bucket"]
        {
            assert!(read(arn, "").is_err_and(|error| error.contains("ROLE is invalid")), "{arn}");
        }
    }
}
