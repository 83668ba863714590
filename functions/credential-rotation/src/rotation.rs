use jiff::Timestamp;
use sophos_secrets::{
    AWSCURRENT, AWSPENDING, AWSPREVIOUS, ExposeSecret, SecretDescription, SecretError, SecretString,
    StagingLabels, StoredCredential,
};

use crate::{
    CredentialCheck, CredentialCheckError, RotationStep, Versions,
    staged::{CandidateFilter, is_same_credential},
};

/// The rotation of one secret.
#[derive(Debug, Clone, Copy)]
pub struct Rotation<'a, V, T> {
    versions: &'a V,
    check: &'a T,
    now: Timestamp,
}

/// The failure of a step. The current credential stays in force.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RotationError {
    /// Reading or changing the secret failed. The step can be retried.
    #[error(transparent)]
    Source(#[from] SecretError),
    /// The step does not fit the state of the secret.
    #[error("{secret}: {problem}")]
    InvalidState {
        /// The secret.
        secret: String,
        /// The cause and the remedy.
        problem: String,
    },
    /// The pending version has no visible value yet. The step can be retried: a value that
    /// was just stored may take a moment to be visible.
    #[error(
        "{secret}: reading version {version} failed: it has no value yet; retry the step, or start again with \
         rotate-secret if createSecret did not run"
    )]
    NoPendingValue {
        /// The secret.
        secret: String,
        /// The version.
        version: String,
    },
    /// No staged credential is eligible.
    #[error(
        "{secret}: no eligible staged credential{}; create one in Sophos Central, and stage it: \
         aws secretsmanager put-secret-value --secret-id {secret} --secret-string file://next.json \
         --version-stages STAGED", parenthesized(.skipped)
    )]
    NoStagedVersion {
        /// The secret.
        secret: String,
        /// The skipped credentials, each with the reason.
        skipped: Vec<String>,
    },
    /// The test of the credential failed.
    #[error("{secret} (client id {client_id:?}): {error}")]
    CheckFailed {
        /// The secret.
        secret: String,
        /// The credential's client id.
        client_id: String,
        /// The failure.
        error: CredentialCheckError,
    },
}

fn parenthesized(reasons: &[String]) -> String {
    if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join("; ")) }
}

/// The current and the previous credential.
struct ActiveCredentials {
    /// The text of the current version, even if it is invalid.
    current_value: Option<SecretString>,
    current: Option<StoredCredential>,
    previous: Option<StoredCredential>,
}

impl ActiveCredentials {
    fn candidate_filter(&self, now: Timestamp) -> CandidateFilter<'_> {
        CandidateFilter { current: self.current.as_ref(), previous: self.previous.as_ref(), now }
    }

    /// Whether this is a copy of the current version.
    fn is_copy_of_current(&self, value: &SecretString) -> bool {
        self.current_value.as_ref().is_some_and(|current| current.expose_secret() == value.expose_secret())
    }
}

/// The label, the version and the credential of a staged version.
type StagedVersion<'l> = (&'l str, &'l str, StoredCredential);

/// The next staged credential.
struct Candidate {
    label: String,
    value: SecretString,
    credential: StoredCredential,
}

impl<'a, V: Versions, T: CredentialCheck> Rotation<'a, V, T> {
    /// Creates the rotation of a secret at this time.
    pub fn new(versions: &'a V, check: &'a T, now: Timestamp) -> Self {
        Self { versions, check, now }
    }

    /// Runs a step of the rotation to version `token`. Returns a message about the result.
    /// Idempotent.
    ///
    /// # Errors
    /// When the step fails; see [the crate's documentation](crate).
    pub async fn step(&self, step: RotationStep, token: &str) -> Result<String, RotationError> {
        let SecretDescription { rotation_enabled, labels, .. } = self.versions.describe().await?;
        // Secrets Manager calls `testSecret` alone when a rotation is configured, perhaps
        // before it is enabled.
        if !rotation_enabled && step != RotationStep::TestSecret {
            return Err(self.not_enabled());
        }
        if !labels.has_version(token) {
            return Err(self.invalid_state(&format!(
                "unknown version {token}: it does not exist, or its rotation was abandoned; start again with \
                 rotate-secret"
            )));
        }
        let is_current = labels.version_has_label(AWSCURRENT, token);
        if step == RotationStep::FinishSecret {
            return self.finish(&labels, token, is_current).await;
        }
        if is_current {
            return Ok("nothing to do: it is the current version".into());
        }
        match step {
            RotationStep::CreateSecret => self.create(&labels, token).await,
            _ => {
                self.ensure_pending(&labels, token)?;
                if step == RotationStep::SetSecret {
                    return Ok("nothing to do: the console of Sophos Central creates credentials".into());
                }
                self.test(&labels, token, rotation_enabled).await
            }
        }
    }

    /// Tests the next staged credential, and changes nothing.
    ///
    /// # Errors
    /// When no staged credential is eligible, or the test fails.
    pub async fn check(&self) -> Result<String, RotationError> {
        let labels = self.versions.describe().await?.labels;
        let active = self.load_active(&labels).await?;
        let Candidate { label, credential, .. } = self.select_candidate(&labels, &active).await?;
        self.check_candidate(&credential, &active)
            .await
            .map_err(|error| self.check_failed(&credential, error))?;
        Ok(format!("{label} passed the test (client id {:?})", credential.credentials.client_id()))
    }

    async fn create(&self, labels: &StagingLabels, token: &str) -> Result<String, RotationError> {
        if labels.version_has_label(AWSPENDING, token) && self.versions.value(token).await?.is_some() {
            return Ok("nothing to do: the version is pending".into());
        }
        let active = self.load_active(labels).await?;
        let Candidate { label, value, credential } = self.select_candidate(labels, &active).await?;
        self.versions.put_value(token, &value, AWSPENDING).await?;
        Ok(format!("{label} is pending (client id {:?})", credential.credentials.client_id()))
    }

    async fn test(
        &self,
        labels: &StagingLabels,
        token: &str,
        rotation_enabled: bool,
    ) -> Result<String, RotationError> {
        let active = self.load_active(labels).await?;
        // When a rotation is only configured (`RotateImmediately` is false), Secrets
        // Manager calls this step alone, for a temporary copy of the current version.
        // `create` never creates such a copy.
        let value = self.versions.value(token).await?;
        let is_dry_run = match &value {
            Some(value) => active.is_copy_of_current(value),
            None => !rotation_enabled,
        };
        if is_dry_run {
            return Ok("nothing to do: Secrets Manager only tests the configuration".into());
        }
        if !rotation_enabled {
            return Err(self.not_enabled());
        }
        let value = value.ok_or_else(|| self.no_pending_value(token))?;
        self.check_pending(labels, token, &value, &active).await?;
        Ok("tested: it gets a token, has the same owner, and reads the data of its purposes".into())
    }

    /// Tests the pending version, and abandons it if it is rejected.
    async fn check_pending(
        &self,
        labels: &StagingLabels,
        token: &str,
        value: &SecretString,
        active: &ActiveCredentials,
    ) -> Result<StoredCredential, RotationError> {
        let candidate = match self.parse_version(token, value) {
            Ok(candidate) => candidate,
            Err(invalid) => {
                self.abandon_pending(token).await?;
                return Err(invalid);
            }
        };
        let Err(error) = self.check_candidate(&candidate, active).await else { return Ok(candidate) };
        match error {
            CredentialCheckError::Transient(_) => {}
            CredentialCheckError::OwnerUnknown(_) => self.abandon_pending(token).await?,
            CredentialCheckError::Rejected(_) => {
                self.quarantine(labels, &candidate).await?;
                self.abandon_pending(token).await?;
            }
        }
        Err(self.check_failed(&candidate, error))
    }

    async fn finish(
        &self,
        labels: &StagingLabels,
        token: &str,
        is_current: bool,
    ) -> Result<String, RotationError> {
        if !is_current {
            self.ensure_pending(labels, token)?;
        }
        let value = self.versions.value(token).await?;
        let value = value.ok_or_else(|| self.no_pending_value(token))?;
        let credential = if is_current {
            self.parse_version(token, &value)?
        } else {
            self.promote(labels, token, &value).await?
        };
        self.unstage(&self.load_staged(labels).await, &credential).await?;
        if labels.version_has_label(AWSPENDING, token) {
            self.abandon_pending(token).await?;
        }
        Ok(format!("current: client id {:?}", credential.credentials.client_id()))
    }

    /// Makes the pending version the current one.
    async fn promote(
        &self,
        labels: &StagingLabels,
        token: &str,
        value: &SecretString,
    ) -> Result<StoredCredential, RotationError> {
        let before = self.load_active(labels).await?;
        if before.is_copy_of_current(value) {
            // A test of the configuration ends with `testSecret`.
            self.abandon_pending(token).await?;
            return Err(self.invalid_state(&format!(
                "version {token} is a copy of the current one; start again with rotate-secret"
            )));
        }
        // Tested again: the success of `testSecret` does not prove this value.
        let credential = self.check_pending(labels, token, value, &before).await?;
        // Before the promotion: former credentials must not become current again.
        let staged = self.load_staged(labels).await;
        for used in [&before.current, &before.previous].into_iter().flatten() {
            self.unstage(&staged, used).await?;
        }
        self.versions.move_staging_label(AWSCURRENT, labels.version_with(AWSCURRENT), Some(token)).await?;
        Ok(credential)
    }

    /// Removes the label `AWSPENDING`.
    async fn abandon_pending(&self, token: &str) -> Result<(), SecretError> {
        self.versions.move_staging_label(AWSPENDING, Some(token), None).await
    }

    /// Moves a rejected credential behind all other staged ones.
    async fn quarantine(
        &self,
        labels: &StagingLabels,
        rejected: &StoredCredential,
    ) -> Result<(), SecretError> {
        let staged = self.load_staged(labels).await;
        let same = staged.iter().filter(|(.., staged)| is_same_credential(staged, rejected));
        let mut same: Vec<_> = same.map(|(label, version, _)| (*label, *version)).collect();
        let last = labels.staged().last().copied();
        if let Some(kept) =
            same.iter().position(|entry| StagingLabels::is_rejected(entry.0) && Some(*entry) == last)
        {
            same.remove(kept);
        } else if let Some((previous_label, version)) = same.first() {
            // The new label first: a version without a label is lost.
            let label = labels.next_rejected_label();
            self.versions.move_staging_label(&label, None, Some(version)).await?;
            tracing::error!(
                event = "staged_credential_rejected",
                secret_name = self.versions.secret(),
                client_id = rejected.credentials.client_id(),
                previous_label,
                label,
                "rejected a staged credential; it moved behind all others"
            );
        }
        for (label, version) in same {
            self.versions.move_staging_label(label, Some(version), None).await?;
        }
        Ok(())
    }

    /// Removes the staging labels of a credential.
    async fn unstage(
        &self,
        staged: &[StagedVersion<'_>],
        used: &StoredCredential,
    ) -> Result<(), SecretError> {
        for (label, version, _) in staged.iter().filter(|(.., staged)| is_same_credential(staged, used)) {
            self.versions.move_staging_label(label, Some(version), None).await?;
        }
        Ok(())
    }

    /// Loads the valid staged credentials.
    async fn load_staged<'l>(&self, labels: &'l StagingLabels) -> Vec<StagedVersion<'l>> {
        let mut staged = Vec::new();
        for (label, version) in labels.staged() {
            if let Ok(Some(value)) = self.versions.value(version).await
                && let Ok(credential) = StoredCredential::from_json(&value)
            {
                staged.push((label, version, credential));
            }
        }
        staged
    }

    /// Selects the first eligible staged credential.
    async fn select_candidate(
        &self,
        labels: &StagingLabels,
        active: &ActiveCredentials,
    ) -> Result<Candidate, RotationError> {
        let pool = active.candidate_filter(self.now);
        let mut skipped = Vec::new();
        for (label, version) in labels.staged() {
            let reason = match self.versions.value(version).await {
                Ok(Some(value)) => match StoredCredential::from_json(&value) {
                    Ok(credential) => match pool.check(&credential) {
                        Ok(()) => return Ok(Candidate { label: label.to_owned(), value, credential }),
                        Err(rejected) => rejected.to_string(),
                    },
                    Err(invalid) => invalid.to_string(),
                },
                Ok(None) => "the version has no value".into(),
                Err(error) => error.to_string(),
            };
            let secret = self.versions.secret();
            tracing::warn!(
                event = "staged_credential_skipped",
                secret_name = secret,
                label,
                reason,
                "skipped a staged credential"
            );
            skipped.push(format!("{label:?}: {reason}"));
        }
        Err(RotationError::NoStagedVersion { secret: self.versions.secret().to_owned(), skipped })
    }

    async fn check_candidate(
        &self,
        candidate: &StoredCredential,
        active: &ActiveCredentials,
    ) -> Result<(), CredentialCheckError> {
        let pool = active.candidate_filter(self.now);
        pool.check(candidate).map_err(|rejected| CredentialCheckError::Rejected(rejected.to_string()))?;
        let purposes = pool.required_purposes(candidate);
        if let Some(role) = candidate.role.filter(|role| role.is_overprivileged_for(&purposes)) {
            let secret = self.versions.secret();
            tracing::warn!(event = "credential_overprivileged", secret_name = secret, %role, "the new credential has more privileges than its purposes need");
        }
        for purpose in pool.dropped_purposes(candidate) {
            let secret = self.versions.secret();
            tracing::warn!(event = "purpose_dropped", secret_name = secret, %purpose, "the new credential does not serve a purpose of the current one");
        }
        self.check.check(candidate, pool.current, &purposes).await
    }

    /// Parses the value of a version.
    fn parse_version(&self, token: &str, value: &SecretString) -> Result<StoredCredential, RotationError> {
        StoredCredential::from_json(value)
            .map_err(|error| self.invalid_state(&format!("version {token}: {error}")))
    }

    async fn load_active(&self, labels: &StagingLabels) -> Result<ActiveCredentials, SecretError> {
        let value = async |label: &str| match labels.version_with(label) {
            Some(version) => self.versions.value(version).await,
            None => Ok(None),
        };
        // A rotation can replace an invalid credential.
        let read = |label: &str, value: &SecretString| {
            let read = StoredCredential::from_json(value).inspect_err(|reason| {
                let secret_name = self.versions.secret();
                tracing::warn!(event = "version_invalid", secret_name, label, error = %reason, "ignored an invalid version");
            });
            read.ok()
        };
        let (current, previous) = (value(AWSCURRENT).await?, value(AWSPREVIOUS).await?);
        Ok(ActiveCredentials {
            current: current.as_ref().and_then(|value| read(AWSCURRENT, value)),
            previous: previous.as_ref().and_then(|value| read(AWSPREVIOUS, value)),
            current_value: current,
        })
    }

    fn ensure_pending(&self, labels: &StagingLabels, token: &str) -> Result<(), RotationError> {
        if labels.version_has_label(AWSPENDING, token) {
            return Ok(());
        }
        Err(self.invalid_state(&format!(
            "version {token} is not pending ({AWSPENDING}); start again with rotate-secret"
        )))
    }

    fn not_enabled(&self) -> RotationError {
        self.invalid_state("rotation is not enabled; enable it with rotate-secret")
    }

    fn no_pending_value(&self, token: &str) -> RotationError {
        RotationError::NoPendingValue { secret: self.versions.secret().to_owned(), version: token.to_owned() }
    }

    fn invalid_state(&self, problem: &str) -> RotationError {
        RotationError::InvalidState { secret: self.versions.secret().to_owned(), problem: problem.to_owned() }
    }

    fn check_failed(&self, candidate: &StoredCredential, error: CredentialCheckError) -> RotationError {
        let client_id = candidate.credentials.client_id().to_owned();
        RotationError::CheckFailed { secret: self.versions.secret().to_owned(), client_id, error }
    }
}
