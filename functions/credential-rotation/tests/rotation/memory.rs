//! A secret in memory that keeps to the rules of Secrets Manager, and a test of
//! credentials that knows how each comes out.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::pin,
    sync::{Mutex, MutexGuard},
    task::{Context, Poll, Waker},
};

use credential_rotation::{Rotation, RotationError, Step, Trial, TrialError, Versions};
use jiff::Timestamp;
use sophos_api::{Owner, models::IdType};
use sophos_secrets::{
    CURRENT, Described, ExposeSecret, PENDING, PREVIOUS, Purpose, SecretString, SourceError, StoredCredential,
};

pub(crate) const SECRET: &str = "sophos/credentials/acme";
pub(crate) const STEPS: [Step; 4] =
    [Step::CreateSecret, Step::SetSecret, Step::TestSecret, Step::FinishSecret];

/// What is in memory waits for nothing.
pub(crate) fn now<V>(future: impl Future<Output = V>) -> V {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("there is nothing to wait for"),
    }
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// A credential of this client id, with more members.
pub(crate) fn json(client_id: &str, more: &str) -> String {
    format!(r#"{{"client_id":"{client_id}","client_secret":"hush-{client_id}"{more}}}"#)
}

#[derive(Default)]
struct Version {
    value: Option<String>,
    /// Reads for which the value is not visible yet.
    hidden: u8,
    labels: BTreeSet<String>,
}

/// When the process dies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Death {
    /// Calls before the one in which it dies.
    pub(crate) after: usize,
    /// Whether that one is still carried out.
    pub(crate) carried_out: bool,
}

#[derive(Default)]
struct State {
    versions: BTreeMap<String, Version>,
    rotates: bool,
    /// Reads for which each value that is stored stays invisible.
    lag: u8,
    death: Option<Death>,
    dead: bool,
}

pub(crate) struct Memory(Mutex<State>);

impl Memory {
    /// A secret with this current value, and staged ones with these labels.
    pub(crate) fn new(current: &str, staged: &[(&str, &str)]) -> Self {
        let mut state = State { rotates: true, ..State::default() };
        let first = Version { value: Some(current.into()), labels: [CURRENT.to_owned()].into(), hidden: 0 };
        state.versions.insert("first".into(), first);
        for (at, (label, value)) in staged.iter().enumerate() {
            let version =
                Version { value: Some((*value).into()), labels: [(*label).to_owned()].into(), hidden: 0 };
            state.versions.insert(format!("staged-{at}"), version);
        }
        Self(Mutex::new(state))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no panic while it was held")
    }

    pub(crate) fn rotates(&self, rotates: bool) {
        self.state().rotates = rotates;
    }

    /// Hides each value that a step stores from so many reads.
    pub(crate) fn lags(&self, reads: u8) {
        self.state().lag = reads;
    }

    pub(crate) fn will_die(&self, death: Option<Death>) {
        let mut state = self.state();
        state.death = death;
        state.dead = false;
    }

    /// What `RotateSecret` does: the version to go on with. That is the one of a
    /// rotation that has not ended, else the one that is named.
    pub(crate) fn begin(&self, token: &str) -> String {
        let mut state = self.state();
        let pending = state.holder(PENDING).filter(|pending| state.holder(CURRENT).as_ref() != Some(pending));
        pending.unwrap_or_else(|| {
            state.versions.entry(token.into()).or_default();
            state.label(PENDING, Some(token));
            token.into()
        })
    }

    pub(crate) fn store(&self, token: &str, value: &str, label: &str) {
        let mut state = self.state();
        state.versions.entry(token.into()).or_default().value = Some(value.into());
        state.label(label, Some(token));
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
        let one = |(version, held): (&String, &Version)| {
            held.labels.iter().map(|label| (label.clone(), version.clone())).collect::<Vec<_>>()
        };
        state.versions.iter().flat_map(one).collect()
    }

    /// The client ids of what is staged, each with its labels.
    pub(crate) fn staged(&self) -> Vec<(String, String)> {
        let labels = self.labels();
        let staged = labels.into_keys().filter(|label| label.starts_with("STAGED"));
        staged.map(|label| (self.client_id(&label).unwrap_or_default(), label)).collect()
    }
}

impl State {
    fn holder(&self, label: &str) -> Option<String> {
        self.versions.iter().find(|(_, version)| version.labels.contains(label)).map(|(id, _)| id.clone())
    }

    /// Puts a label there and nowhere else. What is left without any is gone.
    fn label(&mut self, label: &str, to: Option<&str>) {
        for version in self.versions.values_mut() {
            version.labels.remove(label);
        }
        if let Some(version) = to.and_then(|to| self.versions.get_mut(to)) {
            version.labels.insert(label.into());
        }
        self.versions.retain(|_, version| !version.labels.is_empty());
    }

    /// Does something, unless the process dies.
    fn call<V>(&mut self, deed: impl FnOnce(&mut Self) -> Result<V, SourceError>) -> Result<V, SourceError> {
        let died = || Err(SourceError::new(SECRET, "the process is dead"));
        if self.dead {
            return died();
        }
        match &mut self.death {
            Some(Death { after: 0, carried_out }) => {
                let carried_out = *carried_out;
                self.dead = true;
                if carried_out {
                    let _ = deed(self);
                }
                died()
            }
            Some(death) => {
                death.after -= 1;
                deed(self)
            }
            None => deed(self),
        }
    }
}

fn refused<V>(why: &str) -> Result<V, SourceError> {
    Err(SourceError::new(SECRET, format!("Secrets Manager refuses: {why}")))
}

impl Versions for Memory {
    fn secret(&self) -> &str {
        SECRET
    }

    async fn describe(&self) -> Result<Described, SourceError> {
        self.state().call(|state| {
            let labels = state.versions.iter().map(|(id, version)| (id.clone(), version.labels.clone()));
            Ok(Described::new(state.rotates, labels.collect()))
        })
    }

    async fn value(&self, version: &str) -> Result<Option<SecretString>, SourceError> {
        self.state().call(|state| {
            let Some(version) = state.versions.get_mut(version) else { return Ok(None) };
            if version.hidden > 0 {
                version.hidden -= 1;
                return Ok(None);
            }
            Ok(version.value.clone().map(SecretString::from))
        })
    }

    async fn put(&self, version: &str, value: &SecretString, label: &str) -> Result<(), SourceError> {
        self.state().call(|state| {
            let lag = state.lag;
            let entry = state.versions.entry(version.into()).or_default();
            if entry.value.is_none() {
                entry.hidden = lag;
            }
            match &entry.value {
                Some(known) if known != value.expose_secret() => return refused("ResourceExistsException"),
                Some(_) => return Ok(()),
                None => entry.value = Some(value.expose_secret().into()),
            }
            state.label(label, Some(version));
            Ok(())
        })
    }

    async fn move_label(&self, label: &str, from: Option<&str>, to: Option<&str>) -> Result<(), SourceError> {
        self.state().call(|state| {
            let holder = state.holder(label);
            if holder.as_deref() != from {
                return refused("the label is on another version");
            }
            if to.is_some_and(|to| !state.versions.contains_key(to)) {
                return refused("there is no such version");
            }
            if label == CURRENT {
                if to.is_none() {
                    return refused("there must be a current version");
                }
                // In one step, so that the old version is never without a label.
                state.label(PREVIOUS, holder.as_deref());
            }
            state.label(label, to);
            Ok(())
        })
    }
}

/// How the test of a credential comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Good,
    /// Good after it could not be tested so many times.
    Busy(u8),
    Unfit,
    OwnerUnknown,
}

/// Tests credentials by their client ids.
pub(crate) struct Verdicts(
    Mutex<BTreeMap<String, Verdict>>,
    Mutex<Vec<(String, Vec<Purpose>)>>,
    Mutex<BTreeSet<String>>,
);

impl Verdicts {
    pub(crate) fn new(verdicts: &[(&str, Verdict)]) -> Self {
        let verdicts = verdicts.iter().map(|(id, verdict)| ((*id).to_owned(), *verdict)).collect();
        Self(Mutex::new(verdicts), Mutex::default(), Mutex::default())
    }

    /// Whether a test of this client id succeeded.
    pub(crate) fn passed(&self, client_id: &str) -> bool {
        self.2.lock().expect("no panic").contains(client_id)
    }

    /// The client ids that were tested, and for what.
    pub(crate) fn tested(&self) -> Vec<(String, Vec<Purpose>)> {
        self.1.lock().expect("no panic").clone()
    }
}

impl Trial for Verdicts {
    async fn run(
        &self,
        candidate: &StoredCredential,
        _: Option<&StoredCredential>,
        purposes: &[Purpose],
    ) -> Result<(), TrialError> {
        let id = candidate.credentials.client_id().to_owned();
        self.1.lock().expect("no panic").push((id.clone(), purposes.to_vec()));
        let mut verdicts = self.0.lock().expect("no panic");
        let verdict = verdicts.get_mut(&id).expect("a verdict for each that is tested");
        match *verdict {
            Verdict::Good | Verdict::Busy(0) => {
                self.2.lock().expect("no panic").insert(id);
                Ok(())
            }
            Verdict::Busy(times) => {
                *verdict = Verdict::Busy(times - 1);
                Err(TrialError::Passing("busy".into()))
            }
            Verdict::Unfit => Err(TrialError::Unfit("refused".into())),
            Verdict::OwnerUnknown => Err(TrialError::OwnerUnknown(Owner::new(IdType::Partner, "ab"))),
        }
    }
}

pub(crate) fn step(
    memory: &Memory,
    trial: &Verdicts,
    step: Step,
    token: &str,
) -> Result<String, RotationError> {
    now(Rotation::new(memory, trial, time("2026-11-23T10:00:00Z")).step(step, token))
}
