//! The policy in a file.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sophos_isolation::policy::{Policy, PolicyError};

use crate::{
    context::Context,
    exit::{Exit, Failure},
};

/// Reads a policy. `--dry-run` forces a dry run.
///
/// # Errors
/// When the file cannot be read, or the policy is invalid.
pub(super) fn read(path: &Path, context: &Context) -> Result<Policy, Failure> {
    let text = read_text(path)?;
    let policy = Policy::parse_lenient(&text)?;
    warn_of_issues(&policy, context);
    Ok(if context.globals.dry_run { policy.with_dry_run() } else { policy })
}

fn read_text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| {
        let message = format!("reading the policy {} failed: {error}", path.display());
        match error.kind() {
            io::ErrorKind::NotFound => Failure::new(Exit::NotFound, message),
            _ => Failure::other(message),
        }
    })
}

/// Warns of disabled sources, and of entries without effect.
fn warn_of_issues(policy: &Policy, context: &Context) {
    for disabled in policy.disabled() {
        context.warn(&format!("an error disables the source \"{}\": {disabled}", disabled.name()));
    }
    for warning in policy.warnings() {
        context.warn(&warning.to_string());
    }
}

/// A policy that follows its file.
#[derive(Debug)]
pub(super) struct PolicyFile {
    path: PathBuf,
    is_dry_run: bool,
    state: Mutex<PolicyState>,
}

#[derive(Debug)]
struct PolicyState {
    text: String,
    policy: Arc<Policy>,
}

/// The policy, and the messages about a change of its file.
pub(super) type CurrentPolicy = (Arc<Policy>, Vec<String>);

impl PolicyFile {
    /// Reads a policy for the first time.
    ///
    /// # Errors
    /// As for [`read`].
    pub(super) fn open(path: &Path, context: &Context) -> Result<Self, Failure> {
        let text = read_text(path)?;
        let policy = Arc::new(read(path, context)?);
        let state = Mutex::new(PolicyState { text, policy });
        Ok(Self { path: path.to_owned(), is_dry_run: context.globals.dry_run, state })
    }

    fn state(&self) -> MutexGuard<'_, PolicyState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the current policy. While a changed file is invalid or unreadable, the
    /// policy before stays in force. A deleted or emptied file ends it.
    pub(super) fn current(&self) -> CurrentPolicy {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                let message = format!("reading the policy failed: {error}; the policy before stays in force");
                return (Arc::clone(&self.state().policy), vec![message]);
            }
        };
        let mut state = self.state();
        if state.text == text {
            return (Arc::clone(&state.policy), Vec::new());
        }
        let mut messages = Vec::new();
        match parse(&text) {
            Ok(policy) => {
                let dry_run = |policy: Policy| if self.is_dry_run { policy.with_dry_run() } else { policy };
                messages.push(match policy.is_absent() {
                    true => "the policy is gone: nothing is isolated; releases continue".to_owned(),
                    false => "read the changed policy".to_owned(),
                });
                let disabled = policy.disabled().iter();
                messages.extend(
                    disabled.map(|source| format!("an error disables \"{}\": {source}", source.name())),
                );
                state.policy = Arc::new(dry_run(policy));
            }
            Err(error) => messages.push(format!("{error}\nthe policy before stays in force")),
        }
        state.text = text;
        (Arc::clone(&state.policy), messages)
    }
}

fn parse(text: &str) -> Result<Policy, PolicyError> {
    if text.trim().is_empty() { Ok(Policy::absent()) } else { Policy::parse_lenient(text) }
}

#[cfg(test)]
mod tests {
    use sophos_isolation::policy::Mode;

    use super::*;
    use crate::global_args::GlobalArgs;

    const ENFORCE: &str = "version = 1\nmode = \"enforce\"\n";

    fn context(dry_run: bool) -> Context {
        Context::new(GlobalArgs { dry_run, ..GlobalArgs::default() }).expect("a context")
    }

    #[test]
    fn policy_file_follows_changes_and_keeps_the_last_valid() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("policy.toml");
        let missing = PolicyFile::open(&path, &context(false)).expect_err("no file");
        assert_eq!(missing.exit, Exit::NotFound);
        fs::write(&path, ENFORCE).expect("a file");
        let file = PolicyFile::open(&path, &context(false)).expect("a policy");
        let (policy, messages) = file.current();
        assert_eq!((policy.mode(), messages.len()), (Mode::Enforce, 0));
        fs::write(&path, "version = 1\nmode = \"enfroce\"\n").expect("a file");
        let (policy, messages) = file.current();
        assert_eq!(policy.mode(), Mode::Enforce);
        assert!(messages[0].contains("line 2") && messages[0].contains("stays in force"), "{messages:?}");
        assert_eq!(file.current().1, [""; 0], "once");
        fs::write(&path, "version = 1\nmode = \"dry_run\"\n").expect("a file");
        assert_eq!(file.current().0.mode(), Mode::DryRun);
        fs::remove_file(&path).expect("removed");
        assert!(file.current().0.is_absent());
    }

    #[test]
    fn dry_run_option_overrides_the_policy() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("policy.toml");
        fs::write(&path, ENFORCE).expect("a file");
        assert_eq!(read(&path, &context(true)).expect("a policy").mode(), Mode::DryRun);
        let file = PolicyFile::open(&path, &context(true)).expect("a policy");
        fs::write(&path, format!("{ENFORCE}# changed\n")).expect("a file");
        assert_eq!(file.current().0.mode(), Mode::DryRun);
    }
}
