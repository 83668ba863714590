use jiff::Timestamp;
use sophos_secrets::{
    CURRENT, Described, ExposeSecret, Labels, PENDING, PREVIOUS, SecretString, SourceError, StoredCredential,
};

use crate::{
    Step, Trial, TrialError, Versions,
    pool::{Pool, same},
};

/// The rotation of one secret.
#[derive(Debug, Clone, Copy)]
pub struct Rotation<'a, V, T> {
    versions: &'a V,
    trial: &'a T,
    now: Timestamp,
}

/// Why a step of a rotation failed. The credential that was in force still is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RotationError {
    /// The secret could not be read or changed. The step may be repeated.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The step does not fit the state of the secret.
    #[error("{secret}: {problem}")]
    State {
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
         --version-stages STAGED", in_brackets(.passed_over)
    )]
    NoneStaged {
        /// The secret.
        secret: String,
        /// Those that were passed over, each with the reason.
        passed_over: Vec<String>,
    },
    /// The credential whose turn it was did not pass its test.
    #[error("{secret}: the credential with the client id {client_id:?}: {error}")]
    Trial {
        /// The secret.
        secret: String,
        /// The credential.
        client_id: String,
        /// What the test showed.
        error: TrialError,
    },
}

fn in_brackets(reasons: &[String]) -> String {
    if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join("; ")) }
}

/// What is in force, and what was before.
struct InForce {
    /// The text of the current version, also of one that is no credential.
    value: Option<SecretString>,
    current: Option<StoredCredential>,
    previous: Option<StoredCredential>,
}

impl InForce {
    fn pool(&self, now: Timestamp) -> Pool<'_> {
        Pool { current: self.current.as_ref(), previous: self.previous.as_ref(), now }
    }

    /// Whether this is a copy of the current version.
    fn is_copied_in(&self, value: &SecretString) -> bool {
        self.value.as_ref().is_some_and(|current| current.expose_secret() == value.expose_secret())
    }
}

/// A staged credential, with its label and its version.
type StagedAs<'l> = (&'l str, &'l str, StoredCredential);

/// A staged credential whose turn it is.
struct Candidate {
    label: String,
    value: SecretString,
    credential: StoredCredential,
}

impl<'a, V: Versions, T: Trial> Rotation<'a, V, T> {
    /// The rotation of the secret of these versions, at this time.
    pub fn new(versions: &'a V, trial: &'a T, now: Timestamp) -> Self {
        Self { versions, trial, now }
    }

    /// Does a step towards making version `token` the current one, and tells
    /// what was done. A step that was done before finds nothing to do.
    ///
    /// # Errors
    /// Why it was not done; see [the crate's documentation](crate).
    pub async fn step(&self, step: Step, token: &str) -> Result<String, RotationError> {
        let Described { rotates, labels, .. } = self.versions.describe().await?;
        // Secrets Manager calls `testSecret` alone when a rotation is arranged, and may
        // do so before it counts as enabled.
        if !rotates && step != Step::TestSecret {
            return Err(self.not_enabled());
        }
        if !labels.knows(token) {
            return Err(self.state(&format!(
                "{token} is no version of it, or its rotation was given up; begin anew with rotate-secret"
            )));
        }
        let is_current = labels.is_on(CURRENT, token);
        if step == Step::FinishSecret {
            return self.finish(&labels, token, is_current).await;
        }
        if is_current {
            return Ok("nothing: it is the current version already".into());
        }
        match step {
            Step::CreateSecret => self.create(&labels, token).await,
            _ => {
                self.must_be_pending(&labels, token)?;
                if step == Step::SetSecret {
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
        let in_force = self.in_force(&labels).await?;
        let Candidate { label, credential, .. } = self.choose(&labels, &in_force).await?;
        self.try_out(&credential, &in_force).await.map_err(|error| self.failed(&credential, error))?;
        Ok(format!("{label} can take over (client id {:?})", credential.credentials.client_id()))
    }

    async fn create(&self, labels: &Labels, token: &str) -> Result<String, RotationError> {
        if labels.is_on(PENDING, token) && self.versions.value(token).await?.is_some() {
            return Ok("nothing: the version is pending already".into());
        }
        let in_force = self.in_force(labels).await?;
        let Candidate { label, value, credential } = self.choose(labels, &in_force).await?;
        self.versions.put(token, &value, PENDING).await?;
        Ok(format!("took {label} (client id {:?})", credential.credentials.client_id()))
    }

    async fn test(&self, labels: &Labels, token: &str, rotates: bool) -> Result<String, RotationError> {
        let in_force = self.in_force(labels).await?;
        // Where a rotation is only arranged (`RotateImmediately` is false), this step
        // is called alone, for a copy of the current version that Secrets Manager makes
        // and takes away again. `create` makes none like that.
        let value = self.versions.value(token).await?;
        let only_tried = match &value {
            Some(value) => in_force.is_copied_in(value),
            None => !rotates,
        };
        if only_tried {
            return Ok("nothing: Secrets Manager only tries whether it can rotate".into());
        }
        if !rotates {
            return Err(self.not_enabled());
        }
        let value = value.ok_or_else(|| self.no_pending_value(token))?;
        self.prove(labels, token, &value, &in_force).await?;
        Ok("tested: it gets a token, belongs to the same account, and reads what it must".into())
    }

    /// Tests the credential of the pending version. One that is refused is pending no
    /// more.
    async fn prove(
        &self,
        labels: &Labels,
        token: &str,
        value: &SecretString,
        in_force: &InForce,
    ) -> Result<StoredCredential, RotationError> {
        let candidate = match self.read(token, value) {
            Ok(candidate) => candidate,
            Err(malformed) => {
                self.give_up(token).await?;
                return Err(malformed);
            }
        };
        let Err(error) = self.try_out(&candidate, in_force).await else { return Ok(candidate) };
        match error {
            TrialError::Passing(_) => {}
            TrialError::OwnerUnknown(_) => self.give_up(token).await?,
            TrialError::Unfit(_) => {
                self.set_aside(labels, &candidate).await?;
                self.give_up(token).await?;
            }
        }
        Err(self.failed(&candidate, error))
    }

    async fn finish(&self, labels: &Labels, token: &str, is_current: bool) -> Result<String, RotationError> {
        if !is_current {
            self.must_be_pending(labels, token)?;
        }
        let value = self.versions.value(token).await?;
        let value = value.ok_or_else(|| self.no_pending_value(token))?;
        let credential =
            if is_current { self.read(token, &value)? } else { self.promote(labels, token, &value).await? };
        self.unstage(&self.staged(labels).await, &credential).await?;
        if labels.is_on(PENDING, token) {
            self.give_up(token).await?;
        }
        Ok(format!("in force: client id {:?}", credential.credentials.client_id()))
    }

    /// Makes the pending version the current one.
    async fn promote(
        &self,
        labels: &Labels,
        token: &str,
        value: &SecretString,
    ) -> Result<StoredCredential, RotationError> {
        let before = self.in_force(labels).await?;
        if before.is_copied_in(value) {
            // What only tries the function ends with its test.
            self.give_up(token).await?;
            return Err(self.state(&format!(
                "version {token} is a copy of the current one; begin anew with rotate-secret"
            )));
        }
        // Tested here as well: that `testSecret` succeeded is no proof for this value.
        let credential = self.prove(labels, token, value, &before).await?;
        // While it is known what was in force: it must not come back.
        let staged = self.staged(labels).await;
        for used in [&before.current, &before.previous].into_iter().flatten() {
            self.unstage(&staged, used).await?;
        }
        self.versions.move_label(CURRENT, labels.holder(CURRENT), Some(token)).await?;
        Ok(credential)
    }

    /// Leaves nothing pending.
    async fn give_up(&self, token: &str) -> Result<(), SourceError> {
        self.versions.move_label(PENDING, Some(token), None).await
    }

    /// Puts a refused credential behind all others that are staged.
    async fn set_aside(&self, labels: &Labels, refused: &StoredCredential) -> Result<(), SourceError> {
        let staged = self.staged(labels).await;
        let alike = staged.iter().filter(|(.., staged)| same(staged, refused));
        let mut alike: Vec<_> = alike.map(|(label, version, _)| (*label, *version)).collect();
        let last = labels.staged().last().copied();
        if let Some(kept) = alike.iter().position(|one| Labels::is_refused(one.0) && Some(*one) == last) {
            alike.remove(kept);
        } else if let Some((was, version)) = alike.first() {
            // First the new label: a version without any is lost.
            let behind = labels.next_refused();
            self.versions.move_label(&behind, None, Some(version)).await?;
            tracing::error!(
                secret = self.versions.secret(),
                client_id = refused.credentials.client_id(),
                was,
                label = behind,
                "a staged credential was refused; its turn comes again after all others"
            );
        }
        for (label, version) in alike {
            self.versions.move_label(label, Some(version), None).await?;
        }
        Ok(())
    }

    /// Takes the labels off by which a credential is staged.
    async fn unstage(&self, staged: &[StagedAs<'_>], used: &StoredCredential) -> Result<(), SourceError> {
        for (label, version, _) in staged.iter().filter(|(.., staged)| same(staged, used)) {
            self.versions.move_label(label, Some(version), None).await?;
        }
        Ok(())
    }

    /// What is staged, but for what cannot be read: that is passed over wherever
    /// it matters.
    async fn staged<'l>(&self, labels: &'l Labels) -> Vec<StagedAs<'l>> {
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
    async fn choose(&self, labels: &Labels, in_force: &InForce) -> Result<Candidate, RotationError> {
        let pool = in_force.pool(self.now);
        let mut passed_over = Vec::new();
        for (label, version) in labels.staged() {
            let reason = match self.versions.value(version).await {
                Ok(Some(value)) => match StoredCredential::from_json(&value) {
                    Ok(credential) => match pool.judge(&credential) {
                        Ok(()) => return Ok(Candidate { label: label.to_owned(), value, credential }),
                        Err(unfit) => unfit.to_string(),
                    },
                    Err(malformed) => malformed,
                },
                Ok(None) => "it has no value".into(),
                Err(error) => error.to_string(),
            };
            let secret = self.versions.secret();
            tracing::warn!(secret, label, reason, "a staged credential is passed over");
            passed_over.push(format!("{label:?}: {reason}"));
        }
        Err(RotationError::NoneStaged { secret: self.versions.secret().to_owned(), passed_over })
    }

    async fn try_out(&self, candidate: &StoredCredential, in_force: &InForce) -> Result<(), TrialError> {
        let pool = in_force.pool(self.now);
        pool.judge(candidate).map_err(|unfit| TrialError::Unfit(unfit.to_string()))?;
        let purposes = pool.purposes(candidate);
        if let Some(role) = candidate.role.filter(|role| role.is_wider_than(&purposes)) {
            let secret = self.versions.secret();
            tracing::warn!(secret, %role, "the new credential may do more than it is used for");
        }
        for purpose in pool.given_up(candidate) {
            let secret = self.versions.secret();
            tracing::warn!(secret, %purpose, "the new credential does not serve this, and the current one does");
        }
        self.trial.run(candidate, pool.current, &purposes).await
    }

    /// The credential that the value of a version is.
    fn read(&self, token: &str, value: &SecretString) -> Result<StoredCredential, RotationError> {
        StoredCredential::from_json(value).map_err(|told| self.state(&format!("version {token} {told}")))
    }

    async fn in_force(&self, labels: &Labels) -> Result<InForce, SourceError> {
        let value = async |label: &str| match labels.holder(label) {
            Some(version) => self.versions.value(version).await,
            None => Ok(None),
        };
        // A rotation is a way to replace one that is malformed.
        let read = |label: &str, value: &SecretString| {
            let read = StoredCredential::from_json(value).inspect_err(|reason| {
                tracing::warn!(secret = self.versions.secret(), label, reason, "it is no credential");
            });
            read.ok()
        };
        let (current, previous) = (value(CURRENT).await?, value(PREVIOUS).await?);
        Ok(InForce {
            current: current.as_ref().and_then(|value| read(CURRENT, value)),
            previous: previous.as_ref().and_then(|value| read(PREVIOUS, value)),
            value: current,
        })
    }

    fn must_be_pending(&self, labels: &Labels, token: &str) -> Result<(), RotationError> {
        if labels.is_on(PENDING, token) {
            return Ok(());
        }
        Err(self.state(&format!("version {token} is not pending ({PENDING}); begin anew with rotate-secret")))
    }

    fn not_enabled(&self) -> RotationError {
        self.state("rotation is not enabled for it; enable it with rotate-secret")
    }

    fn no_pending_value(&self, token: &str) -> RotationError {
        RotationError::NoPendingValue { secret: self.versions.secret().to_owned(), version: token.to_owned() }
    }

    fn state(&self, problem: &str) -> RotationError {
        RotationError::State { secret: self.versions.secret().to_owned(), problem: problem.to_owned() }
    }

    fn failed(&self, candidate: &StoredCredential, error: TrialError) -> RotationError {
        let client_id = candidate.credentials.client_id().to_owned();
        RotationError::Trial { secret: self.versions.secret().to_owned(), client_id, error }
    }
}
