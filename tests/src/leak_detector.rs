use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use local_lambda::{LambdaFunction, LogSink};
use sophos_simulator::CredentialInfo;

/// The prefix of the simulator's tokens.
const TOKEN_PREFIX: &str = "eyJhbGci";

/// Searches every line of the watched functions for secrets and tokens. If it finds one,
/// dropping it fails the test.
#[derive(Debug, Clone, Default)]
pub(crate) struct LeakDetector(Arc<LeakState>);

#[derive(Debug, Default)]
struct LeakState {
    secrets: Mutex<Vec<String>>,
    found: Mutex<Vec<String>>,
}

fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LeakDetector {
    /// Adds a secret to search for.
    pub(crate) fn add_secret(&self, secret: impl Into<String>) {
        let secret = secret.into();
        let mut known = lock(&self.0.secrets);
        if !known.contains(&secret) {
            known.push(secret);
        }
    }

    /// Adds the secrets of these credentials, including their form encoding.
    pub(crate) fn add_credentials(&self, credentials: &[CredentialInfo]) {
        for credential in credentials {
            // An encoding keeps letters.
            let longest = credential.client_secret.split(|c: char| !c.is_ascii_alphanumeric());
            let longest = longest.max_by_key(|part| part.len()).unwrap_or_default();
            if longest.len() >= 8 {
                self.add_secret(longest);
            }
        }
    }

    /// Watches the output of the function.
    pub(crate) fn watch(&self, function: LambdaFunction) -> LambdaFunction {
        function.log_to(self.sink())
    }

    /// The sink that watches lines.
    pub(crate) fn sink(&self) -> LogSink {
        // Weak, so that a process that outlives the test does not keep the state alive.
        let shared = Arc::downgrade(&self.0);
        LogSink::callback(move |line| {
            if let Some(shared) = shared.upgrade() {
                shared.check_line(line);
            }
        })
    }
}

impl LeakState {
    fn check_line(&self, line: &str) {
        if line.contains(TOKEN_PREFIX) || lock(&self.secrets).iter().any(|secret| line.contains(secret)) {
            lock(&self.found).push(line.to_owned());
        }
    }
}

impl Drop for LeakState {
    fn drop(&mut self) {
        let found = lock(&self.found);
        assert!(
            found.is_empty() || thread::panicking(),
            "{} lines contain a secret or a token, the first: {}",
            found.len(),
            found[0]
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detects_leak(line: &str) -> bool {
        let leaks = LeakDetector::default();
        leaks.add_secret("hush-hush-hush");
        let LogSink::Callback(sink) = leaks.sink() else { panic!("a closure") };
        sink(line);
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(leaks))).is_err()
    }

    #[test]
    fn leak_detector_panics_when_a_line_shows_a_secret() {
        assert!(!detects_leak("exported 7 rows"));
        assert!(detects_leak("the secret hush-hush-hush is wrong"));
        assert!(detects_leak("authorization: Bearer eyJhbGciOi"));
    }
}
