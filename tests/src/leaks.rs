use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use local_lambda::{Function, Sink};
use sophos_simulator::CredentialInfo;

/// How each token of the simulator begins.
const TOKEN: &str = "eyJhbGci";

/// Reads every line that the watched functions write, for secrets and tokens. A
/// test in which there was one fails when this is dropped.
#[derive(Debug, Clone, Default)]
pub(crate) struct Leaks(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    known: Mutex<Vec<String>>,
    found: Mutex<Vec<String>>,
}

fn lock<V>(mutex: &Mutex<V>) -> MutexGuard<'_, V> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Leaks {
    /// Looks for this secret from now on.
    pub(crate) fn know(&self, secret: impl Into<String>) {
        let secret = secret.into();
        let mut known = lock(&self.0.known);
        if !known.contains(&secret) {
            known.push(secret);
        }
    }

    /// Looks for the secrets of these credentials, also as a form encodes them.
    pub(crate) fn know_all(&self, credentials: &[CredentialInfo]) {
        for credential in credentials {
            // Whatever an encoding does to the signs in it, letters stay.
            let longest = credential.client_secret.split(|c: char| !c.is_ascii_alphanumeric());
            let longest = longest.max_by_key(|part| part.len()).unwrap_or_default();
            if longest.len() >= 8 {
                self.know(longest);
            }
        }
    }

    /// The function, with what it writes watched.
    pub(crate) fn watch(&self, function: Function) -> Function {
        function.log_to(self.sink())
    }

    /// Where the lines of anything else are watched.
    pub(crate) fn sink(&self) -> Sink {
        // Weak, so that a process that outlives the test does not keep it alive.
        let shared = Arc::downgrade(&self.0);
        Sink::call(move |line| {
            if let Some(shared) = shared.upgrade() {
                shared.see(line);
            }
        })
    }
}

impl Shared {
    fn see(&self, line: &str) {
        if line.contains(TOKEN) || lock(&self.known).iter().any(|secret| line.contains(secret)) {
            lock(&self.found).push(line.to_owned());
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let found = lock(&self.found);
        assert!(
            found.is_empty() || thread::panicking(),
            "{} lines show a secret or a token, the first: {}",
            found.len(),
            found[0]
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fails(line: &str) -> bool {
        let leaks = Leaks::default();
        leaks.know("hush-hush-hush");
        let Sink::Call(sink) = leaks.sink() else { panic!("a closure") };
        sink(line);
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(leaks))).is_err()
    }

    #[test]
    fn what_shows_a_secret_fails_the_test() {
        assert!(!fails("exported 7 rows"));
        assert!(fails("the secret hush-hush-hush is wrong"));
        assert!(fails("authorization: Bearer eyJhbGciOi"));
    }
}
