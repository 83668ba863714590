//! A secret in memory with the rules of Secrets Manager, and a scripted test of
//! credentials.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::pin,
    sync::{Mutex, MutexGuard},
    task::{Context, Poll, Waker},
};

use credential_rotation::{
    CredentialCheck, CredentialCheckError, Rotation, RotationError, RotationStep, Versions,
};
use jiff::Timestamp;
use sophos_api::{Owner, models::IdType};
use sophos_secrets::{
    AWSCURRENT, AWSPENDING, AWSPREVIOUS, ExposeSecret, Purpose, SecretDescription, SecretError, SecretString,
    StoredCredential,
};

pub(crate) const SECRET: &str = "sophos/credentials/acme";
pub(crate) const STEPS: [RotationStep; 4] = [
    RotationStep::CreateSecret,
    RotationStep::SetSecret,
    RotationStep::TestSecret,
    RotationStep::FinishSecret,
];

/// Polls a future of the memory, which is ready at once.
pub(crate) fn block_on_ready<V>(future: impl Future<Output = V>) -> V {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("there is nothing to wait for"),
    }
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// The JSON of a credential with this client id and more members.
pub(crate) fn json(client_id: &str, more: &str) -> String {
    format!(r#"{{"client_id":"{client_id}","client_secret":"hush-{client_id}"{more}}}"#)
}

#[derive(Default)]
struct Version {
    value: Option<String>,
    /// The number of reads for which the value is not visible yet.
    hidden_reads: u8,
    labels: BTreeSet<String>,
}

/// The point of a crash.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crash {
    /// The number of calls before the crash.
    pub(crate) calls_before: usize,
    /// Whether the last call is carried out.
    pub(crate) is_applied: bool,
}

#[derive(Default)]
struct SecretState {
    versions: BTreeMap<String, Version>,
    rotation_enabled: bool,
    /// The number of reads for which each stored value is invisible.
    visibility_lag: u8,
    crash: Option<Crash>,
    crashed: bool,
}

pub(crate) struct MemorySecret(Mutex<SecretState>);

impl MemorySecret {
    /// A secret with this current value, and staged ones with these labels.
    pub(crate) fn new(current: &str, staged: &[(&str, &str)]) -> Self {
        let mut state = SecretState { rotation_enabled: true, ..SecretState::default() };
        let first =
            Version { value: Some(current.into()), labels: [AWSCURRENT.to_owned()].into(), hidden_reads: 0 };
        state.versions.insert("first".into(), first);
        for (at, (label, value)) in staged.iter().enumerate() {
            let version = Version {
                value: Some((*value).into()),
                labels: [(*label).to_owned()].into(),
                hidden_reads: 0,
            };
            state.versions.insert(format!("staged-{at}"), version);
        }
        Self(Mutex::new(state))
    }

    fn state(&self) -> MutexGuard<'_, SecretState> {
        self.0.lock().expect("no panic while it was held")
    }

    pub(crate) fn set_rotation_enabled(&self, rotates: bool) {
        self.state().rotation_enabled = rotates;
    }

    /// Hides each stored value for this many reads.
    pub(crate) fn set_visibility_lag(&self, reads: u8) {
        self.state().visibility_lag = reads;
    }

    pub(crate) fn set_crash(&self, death: Option<Crash>) {
        let mut state = self.state();
        state.crash = death;
        state.crashed = false;
    }

    /// Acts as `RotateSecret`: returns the version of an unfinished rotation, or else the
    /// given one.
    pub(crate) fn begin(&self, token: &str) -> String {
        let mut state = self.state();
        let pending =
            state.holder(AWSPENDING).filter(|pending| state.holder(AWSCURRENT).as_ref() != Some(pending));
        pending.unwrap_or_else(|| {
            state.versions.entry(token.into()).or_default();
            state.move_label(AWSPENDING, Some(token));
            token.into()
        })
    }

    pub(crate) fn store(&self, token: &str, value: &str, label: &str) {
        let mut state = self.state();
        state.versions.entry(token.into()).or_default().value = Some(value.into());
        state.move_label(label, Some(token));
    }

    /// The client id of the version with this label.
    pub(crate) fn client_id(&self, label: &str) -> Option<String> {
        let state = self.state();
        let value = state.versions[&state.holder(label)?].value.clone()?;
        let stored = StoredCredential::from_json(&SecretString::from(value)).ok()?;
        Some(stored.credentials.client_id().to_owned())
    }

    /// Every label, and the version that has it.
    pub(crate) fn labels(&self) -> BTreeMap<String, String> {
        let state = self.state();
        let one = |(id, version): (&String, &Version)| {
            version.labels.iter().map(|label| (label.clone(), id.clone())).collect::<Vec<_>>()
        };
        state.versions.iter().flat_map(one).collect()
    }

    /// The client ids of the staged credentials, each with its labels.
    pub(crate) fn staged(&self) -> Vec<(String, String)> {
        let labels = self.labels();
        let staged = labels.into_keys().filter(|label| label.starts_with("STAGED"));
        staged.map(|label| (self.client_id(&label).unwrap_or_default(), label)).collect()
    }
}

impl SecretState {
    fn holder(&self, label: &str) -> Option<String> {
        self.versions.iter().find(|(_, version)| version.labels.contains(label)).map(|(id, _)| id.clone())
    }

    /// Moves a label to a version. A version without a label is deleted.
    fn move_label(&mut self, label: &str, to: Option<&str>) {
        for version in self.versions.values_mut() {
            version.labels.remove(label);
        }
        if let Some(version) = to.and_then(|to| self.versions.get_mut(to)) {
            version.labels.insert(label.into());
        }
        self.versions.retain(|_, version| !version.labels.is_empty());
    }

    /// Runs an action, unless the process crashes.
    fn call<V>(&mut self, deed: impl FnOnce(&mut Self) -> Result<V, SecretError>) -> Result<V, SecretError> {
        let died = || Err(SecretError::new(SECRET, "the process is dead"));
        if self.crashed {
            return died();
        }
        match &mut self.crash {
            Some(Crash { calls_before: 0, is_applied: carried_out }) => {
                let carried_out = *carried_out;
                self.crashed = true;
                if carried_out {
                    let _ = deed(self);
                }
                died()
            }
            Some(death) => {
                death.calls_before -= 1;
                deed(self)
            }
            None => deed(self),
        }
    }
}

fn secrets_manager_error<V>(why: &str) -> Result<V, SecretError> {
    Err(SecretError::new(SECRET, format!("Secrets Manager refuses: {why}")))
}

impl Versions for MemorySecret {
    fn secret(&self) -> &str {
        SECRET
    }

    async fn describe(&self) -> Result<SecretDescription, SecretError> {
        self.state().call(|state| {
            let labels = state.versions.iter().map(|(id, version)| (id.clone(), version.labels.clone()));
            Ok(SecretDescription::new(state.rotation_enabled, labels.collect()))
        })
    }

    async fn value(&self, version: &str) -> Result<Option<SecretString>, SecretError> {
        self.state().call(|state| {
            let Some(version) = state.versions.get_mut(version) else { return Ok(None) };
            if version.hidden_reads > 0 {
                version.hidden_reads -= 1;
                return Ok(None);
            }
            Ok(version.value.clone().map(SecretString::from))
        })
    }

    async fn put_value(&self, version: &str, value: &SecretString, label: &str) -> Result<(), SecretError> {
        self.state().call(|state| {
            let lag = state.visibility_lag;
            let entry = state.versions.entry(version.into()).or_default();
            if entry.value.is_none() {
                entry.hidden_reads = lag;
            }
            match &entry.value {
                Some(known) if known != value.expose_secret() => {
                    return secrets_manager_error("ResourceExistsException");
                }
                Some(_) => return Ok(()),
                None => entry.value = Some(value.expose_secret().into()),
            }
            state.move_label(label, Some(version));
            Ok(())
        })
    }

    async fn move_staging_label(
        &self,
        label: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<(), SecretError> {
        self.state().call(|state| {
            let holder = state.holder(label);
            if holder.as_deref() != from {
                return secrets_manager_error("the label is on another version");
            }
            if to.is_some_and(|to| !state.versions.contains_key(to)) {
                return secrets_manager_error("there is no such version");
            }
            if label == AWSCURRENT {
                if to.is_none() {
                    return secrets_manager_error("there must be a current version");
                }
                // In one step, so that the old version always has a label.
                state.move_label(AWSPREVIOUS, holder.as_deref());
            }
            state.move_label(label, to);
            Ok(())
        })
    }
}

/// The scripted result of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CheckVerdict {
    Passes,
    /// Passes after this many transient failures.
    Busy(u8),
    Rejected,
    OwnerUnknown,
}

/// Tests credentials by their client ids.
pub(crate) struct ScriptedCheck(
    Mutex<BTreeMap<String, CheckVerdict>>,
    Mutex<Vec<(String, Vec<Purpose>)>>,
    Mutex<BTreeSet<String>>,
);

impl ScriptedCheck {
    pub(crate) fn new(verdicts: &[(&str, CheckVerdict)]) -> Self {
        let verdicts = verdicts.iter().map(|(id, verdict)| ((*id).to_owned(), *verdict)).collect();
        Self(Mutex::new(verdicts), Mutex::default(), Mutex::default())
    }

    /// Whether a test of this client id succeeded.
    pub(crate) fn passed(&self, client_id: &str) -> bool {
        self.2.lock().expect("no panic").contains(client_id)
    }

    /// The tested client ids, each with the purposes.
    pub(crate) fn tested(&self) -> Vec<(String, Vec<Purpose>)> {
        self.1.lock().expect("no panic").clone()
    }
}

impl CredentialCheck for ScriptedCheck {
    async fn check(
        &self,
        candidate: &StoredCredential,
        _: Option<&StoredCredential>,
        purposes: &[Purpose],
    ) -> Result<(), CredentialCheckError> {
        let id = candidate.credentials.client_id().to_owned();
        self.1.lock().expect("no panic").push((id.clone(), purposes.to_vec()));
        let mut verdicts = self.0.lock().expect("no panic");
        let verdict = verdicts.get_mut(&id).expect("a verdict for each that is tested");
        match *verdict {
            CheckVerdict::Passes | CheckVerdict::Busy(0) => {
                self.2.lock().expect("no panic").insert(id);
                Ok(())
            }
            CheckVerdict::Busy(times) => {
                *verdict = CheckVerdict::Busy(times - 1);
                Err(CredentialCheckError::Transient("busy".into()))
            }
            CheckVerdict::Rejected => Err(CredentialCheckError::Rejected("refused".into())),
            CheckVerdict::OwnerUnknown => {
                Err(CredentialCheckError::OwnerUnknown(Owner::new(IdType::Partner, "ab")))
            }
        }
    }
}

pub(crate) fn run_step(
    memory: &MemorySecret,
    trial: &ScriptedCheck,
    step: RotationStep,
    token: &str,
) -> Result<String, RotationError> {
    block_on_ready(Rotation::new(memory, trial, time("2026-11-23T10:00:00Z")).step(step, token))
}
