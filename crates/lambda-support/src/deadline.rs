use std::time::Duration;

use sophos_secrets::{CredentialStore, ListedCredential, SecretError};

use crate::clock;

/// Lists the credentials of a store before `deadline`, in time since the Unix epoch.
/// The AWS SDK bounds single requests only, not a listing of many pages.
///
/// # Errors
/// When the store fails, or the deadline passes first.
pub async fn list_credentials(
    store: &dyn CredentialStore,
    deadline: Duration,
) -> Result<Vec<ListedCredential>, SecretError> {
    list_before(deadline, || format!("{store:?}"), store.list()).await
}

/// Waits for a listing of credentials until `deadline`, in time since the Unix epoch.
pub(crate) async fn list_before<T>(
    deadline: Duration,
    location: impl FnOnce() -> String,
    listing: impl Future<Output = Result<T, SecretError>>,
) -> Result<T, SecretError> {
    run_until(deadline, listing).await.unwrap_or_else(|| {
        let message = "listing credentials failed: deadline exceeded; check the route to Secrets Manager, or \
                       raise the function's timeout";
        Err(SecretError::new(location(), message))
    })
}

/// Runs a future until `deadline`, in time since the Unix epoch. Returns `None`, and
/// drops the future, if the deadline passes first.
pub async fn run_until<F: Future>(deadline: Duration, future: F) -> Option<F::Output> {
    let left = deadline.saturating_sub(clock::since_epoch());
    tokio::time::timeout(left, future).await.ok()
}

#[cfg(test)]
mod tests {
    use std::{future::pending, sync::Arc};

    use sophos_api::BoxFuture;
    use sophos_secrets::{RequestedVersion, StoredCredential};

    use super::*;

    /// A store that never answers.
    #[derive(Debug)]
    struct Hanging;

    impl CredentialStore for Hanging {
        fn list(&self) -> BoxFuture<'_, Result<Vec<ListedCredential>, SecretError>> {
            Box::pin(pending())
        }

        fn load<'a>(
            &'a self,
            _: &'a str,
            _: RequestedVersion,
        ) -> BoxFuture<'a, Result<Option<Arc<StoredCredential>>, SecretError>> {
            Box::pin(pending())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn list_credentials_fails_at_the_deadline() {
        let began = tokio::time::Instant::now();
        let deadline = clock::since_epoch() + Duration::from_secs(20);
        let error = list_credentials(&Hanging, deadline).await.expect_err("it never ends").to_string();
        assert!(error.starts_with("Hanging: listing credentials failed: deadline exceeded; "), "{error}");
        let waited = began.elapsed();
        assert!(waited <= Duration::from_secs(20) && waited > Duration::from_secs(15), "{waited:?}");
        list_credentials(&Hanging, Duration::ZERO).await.expect_err("a deadline in the past");
    }
}
