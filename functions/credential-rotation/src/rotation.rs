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

/// Why a step of a rotation failed. The credential that was in force still is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RotationError {
    /// The secret could not be read or changed. The step may be repeated.
    #[error(transparent)]
    Source(#[from] SecretError),
    /// The step does not fit the state of the secret.
    #[error("{secret}: {problem}")]
    InvalidState {
        /// The secret.
        secret: String,
        /// What does not fit, and what to do.
        problem: String,
    },
    /// The pending version has no value that Secrets Manager shows yet. The step may
    /// be repeated: a value that was just stored may take a moment to be visible.
    #[error(
        "{secret}: reading version {version} failed: it has no value yet; repeat the step, or begin again with \
         rotate-secret if createSecret did not run"
    )]
    NoPendingValue {
        /// The secret.
        secret: String,
        /// The version.
        version: String,
    },
    /// No staged credential can take over.
    #[error(
        "{secret}: there is no staged credential that can take over{}; make one in Sophos Central, and stage it: \
         aws secretsmanager put-secret-value --secret-id {secret} --secret-string file://next.json \
         --version-stages STAGED", parenthesized(.skipped)
    )]
    NoStagedVersion {
        /// The secret.
        secret: String,
        /// Those that were passed over, each with the reason.
        skipped: Vec<String>,
    },
    /// The credential whose turn it was did not pass its test.
    #[error("{secret}: the credential with the client id {client_id:?}: {error}")]
    CheckFailed {
        /// The secret.
        secret: String,
        /// The credential.
        client_id: String,
        /// What the test showed.
        error: CredentialCheckError,
    },
}

fn parenthesized(reasons: &[String]) -> String {
    if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join("; ")) }
}

/// What is in force, and what was before.
struct ActiveCredentials {
    /// The text of the current version, also of one that is no credential.
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

/// A staged credential, with its label and its version.
type StagedVersion<'l> = (&'l str, &'l str, StoredCredential);

/// A staged credential whose turn it is.
struct Candidate {
    label: String,
    value: SecretString,
    credential: StoredCredential,
}

impl<'a, V: Versions, T: CredentialCheck> Rotation<'a, V, T> {
    /// The rotation of the secret of these versions, at this time.
    pub fn new(versions: &'a V, trial: &'a T, now: Timestamp) -> Self {
        Self { versions, check: trial, now }
    }

    /// Does a step towards making version `token` the current one, and tells
    /// what was done. A step that was done before finds nothing to do.
    ///
    /// # Errors
    /// Why it was not done; see [the crate's documentation](crate).
    pub async fn step(&self, step: RotationStep, token: &str) -> Result<String, RotationError> {
        let SecretDescription { rotation_enabled: rotates, labels, .. } = self.versions.describe().await?;
        // Secrets Manager calls `testSecret` alone when a rotation is arranged, and may
        // do so before it counts as enabled.
        if !rotates && step != RotationStep::TestSecret {
            return Err(self.not_enabled());
        }
        if !labels.has_version(token) {
            return Err(self.invalid_state(&format!(
                "{token} is no version of it, or its rotation was given up; begin anew with rotate-secret"
            )));
        }
        let is_current = labels.version_has_label(AWSCURRENT, token);
        if step == RotationStep::FinishSecret {
            return self.finish(&labels, token, is_current).await;
        }
        if is_current {
            return Ok("nothing: it is the current version already".into());
        }
        match step {
            RotationStep::CreateSecret => self.create(&labels, token).await,
            _ => {
                self.ensure_pending(&labels, token)?;
                if step == RotationStep::SetSecret {
                    return Ok("nothing: credentials are made in the console of Sophos Central".into());
                }
                self.test(&labels, token, rotates).await
            }
        }
    }

    /// Tests the credential whose turn it is, and changes nothing.
    ///
    /// # Errors
    /// When there is none, or it does not pass.
    pub async fn check(&self) -> Result<String, RotationError> {
        let labels = self.versions.describe().await?.labels;
        let in_force = self.load_active(&labels).await?;
        let Candidate { label, credential, .. } = self.select_candidate(&labels, &in_force).await?;
        self.check_candidate(&credential, &in_force)
            .await
            .map_err(|error| self.check_failed(&credential, error))?;
        Ok(format!("{label} can take over (client id {:?})", credential.credentials.client_id()))
    }

    async fn create(&self, labels: &StagingLabels, token: &str) -> Result<String, RotationError> {
        if labels.version_has_label(AWSPENDING, token) && self.versions.value(token).await?.is_some() {
            return Ok("nothing: the version is pending already".into());
        }
        let in_force = self.load_active(labels).await?;
        let Candidate { label, value, credential } = self.select_candidate(labels, &in_force).await?;
        self.versions.put_value(token, &value, AWSPENDING).await?;
        Ok(format!("took {label} (client id {:?})", credential.credentials.client_id()))
    }

    async fn test(
        &self,
        labels: &StagingLabels,
        token: &str,
        rotates: bool,
    ) -> Result<String, RotationError> {
        let in_force = self.load_active(labels).await?;
        // Where a rotation is only arranged (`RotateImmediately` is false), this step
        // is called alone, for a copy of the current version that Secrets Manager makes
        // and takes away again. `create` makes none like that.
        let value = self.versions.value(token).await?;
        let only_tried = match &value {
            Some(value) => in_force.is_copy_of_current(value),
            None => !rotates,
        };
        if only_tried {
            return Ok("nothing: Secrets Manager only tries whether it can rotate".into());
        }
        if !rotates {
            return Err(self.not_enabled());
        }
        let value = value.ok_or_else(|| self.no_pending_value(token))?;
        self.check_pending(labels, token, &value, &in_force).await?;
        Ok("tested: it gets a token, belongs to the same account, and reads what it must".into())
    }

    /// Tests the credential of the pending version. One that is refused is pending no
    /// more.
    async fn check_pending(
        &self,
        labels: &StagingLabels,
        token: &str,
        value: &SecretString,
        in_force: &ActiveCredentials,
    ) -> Result<StoredCredential, RotationError> {
        let candidate = match self.parse_version(token, value) {
            Ok(candidate) => candidate,
            Err(malformed) => {
                self.abandon_pending(token).await?;
                return Err(malformed);
            }
        };
        let Err(error) = self.check_candidate(&candidate, in_force).await else { return Ok(candidate) };
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
        Ok(format!("in force: client id {:?}", credential.credentials.client_id()))
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
            // What only tries the function ends with its test.
            self.abandon_pending(token).await?;
            return Err(self.invalid_state(&format!(
                "version {token} is a copy of the current one; begin anew with rotate-secret"
            )));
        }
        // Tested here as well: that `testSecret` succeeded is no proof for this value.
        let credential = self.check_pending(labels, token, value, &before).await?;
        // While it is known what was in force: it must not come back.
        let staged = self.load_staged(labels).await;
        for used in [&before.current, &before.previous].into_iter().flatten() {
            self.unstage(&staged, used).await?;
        }
        self.versions.move_staging_label(AWSCURRENT, labels.version_with(AWSCURRENT), Some(token)).await?;
        Ok(credential)
    }

    /// Leaves nothing pending.
    async fn abandon_pending(&self, token: &str) -> Result<(), SecretError> {
        self.versions.move_staging_label(AWSPENDING, Some(token), None).await
    }

    /// Puts a refused credential behind all others that are staged.
    async fn quarantine(
        &self,
        labels: &StagingLabels,
        refused: &StoredCredential,
    ) -> Result<(), SecretError> {
        let staged = self.load_staged(labels).await;
        let alike = staged.iter().filter(|(.., staged)| is_same_credential(staged, refused));
        let mut alike: Vec<_> = alike.map(|(label, version, _)| (*label, *version)).collect();
        let last = labels.staged().last().copied();
        if let Some(kept) =
            alike.iter().position(|one| StagingLabels::is_rejected(one.0) && Some(*one) == last)
        {
            alike.remove(kept);
        } else if let Some((was, version)) = alike.first() {
            // First the new label: a version without any is lost.
            let behind = labels.next_rejected_label();
            self.versions.move_staging_label(&behind, None, Some(version)).await?;
            tracing::error!(
                secret_name = self.versions.secret(),
                client_id = refused.credentials.client_id(),
                was,
                label = behind,
                "a staged credential was refused; its turn comes again after all others"
            );
        }
        for (label, version) in alike {
            self.versions.move_staging_label(label, Some(version), None).await?;
        }
        Ok(())
    }

    /// Takes the labels off by which a credential is staged.
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

    /// What is staged, but for what cannot be read: that is passed over wherever
    /// it matters.
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

    /// The first that can take over.
    async fn select_candidate(
        &self,
        labels: &StagingLabels,
        in_force: &ActiveCredentials,
    ) -> Result<Candidate, RotationError> {
        let pool = in_force.candidate_filter(self.now);
        let mut passed_over = Vec::new();
        for (label, version) in labels.staged() {
            let reason = match self.versions.value(version).await {
                Ok(Some(value)) => match StoredCredential::from_json(&value) {
                    Ok(credential) => match pool.check(&credential) {
                        Ok(()) => return Ok(Candidate { label: label.to_owned(), value, credential }),
                        Err(unfit) => unfit.to_string(),
                    },
                    Err(malformed) => malformed,
                },
                Ok(None) => "it has no value".into(),
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
            passed_over.push(format!("{label:?}: {reason}"));
        }
        Err(RotationError::NoStagedVersion {
            secret: self.versions.secret().to_owned(),
            skipped: passed_over,
        })
    }

    async fn check_candidate(
        &self,
        candidate: &StoredCredential,
        in_force: &ActiveCredentials,
    ) -> Result<(), CredentialCheckError> {
        let pool = in_force.candidate_filter(self.now);
        pool.check(candidate).map_err(|unfit| CredentialCheckError::Rejected(unfit.to_string()))?;
        let purposes = pool.required_purposes(candidate);
        if let Some(role) = candidate.role.filter(|role| role.is_overprivileged_for(&purposes)) {
            let secret = self.versions.secret();
            tracing::warn!(event = "credential_overprivileged", secret_name = secret, %role, "the new credential may do more than it is used for");
        }
        for purpose in pool.dropped_purposes(candidate) {
            let secret = self.versions.secret();
            tracing::warn!(event = "purpose_dropped", secret_name = secret, %purpose, "the new credential does not serve this, and the current one does");
        }
        self.check.check(candidate, pool.current, &purposes).await
    }

    /// The credential that the value of a version is.
    fn parse_version(&self, token: &str, value: &SecretString) -> Result<StoredCredential, RotationError> {
        StoredCredential::from_json(value)
            .map_err(|told| self.invalid_state(&format!("version {token} {told}")))
    }

    async fn load_active(&self, labels: &StagingLabels) -> Result<ActiveCredentials, SecretError> {
        let value = async |label: &str| match labels.version_with(label) {
            Some(version) => self.versions.value(version).await,
            None => Ok(None),
        };
        // A rotation is a way to replace one that is malformed.
        let read = |label: &str, value: &SecretString| {
            let read = StoredCredential::from_json(value).inspect_err(|reason| {
                tracing::warn!(secret_name = self.versions.secret(), label, reason, "it is no credential");
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
            "version {token} is not pending ({AWSPENDING}); begin anew with rotate-secret"
        )))
    }

    fn not_enabled(&self) -> RotationError {
        self.invalid_state("rotation is not enabled for it; enable it with rotate-secret")
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
