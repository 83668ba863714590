//! The keyring of the system.

use keyring_core::Entry;
use secrecy::{ExposeSecret, SecretString};

use crate::exit::{Exit, Failure};

/// The service that the keyring shows.
const SERVICE: &str = "sophos";

/// Reads the secret of a client id.
///
/// # Errors
/// When the keyring is not available or has no secret.
pub(crate) fn get(client_id: &str) -> Result<SecretString, Failure> {
    let client_id = client_id.to_owned();
    on_thread(move || match entry(&client_id)?.get_password() {
        Ok(secret) => Ok(SecretString::from(secret)),
        Err(keyring_core::Error::NoEntry) => {
            let message = format!("the keyring has no secret for the client id {client_id}");
            Err(Failure::new(Exit::Authentication, message).hint("run `sophos config init` to store it"))
        }
        Err(error) => Err(unavailable(&error.to_string())),
    })
}

/// Stores the secret of a client id.
///
/// # Errors
/// When the keyring is not available.
pub(crate) fn set(client_id: &str, secret: &SecretString) -> Result<(), Failure> {
    let (client_id, secret) = (client_id.to_owned(), secret.clone());
    on_thread(move || {
        let stored = entry(&client_id)?.set_password(secret.expose_secret());
        stored.map_err(|error| unavailable(&error.to_string()))
    })
}

/// Runs a task on a thread of its own: the Secret Service needs another runtime.
fn on_thread<R: Send + 'static>(
    task: impl FnOnce() -> Result<R, Failure> + Send + 'static,
) -> Result<R, Failure> {
    std::thread::spawn(task).join().unwrap_or_else(|_| Err(unavailable("unexpected panic")))
}

fn entry(client_id: &str) -> Result<Entry, Failure> {
    open_store()?;
    Entry::new(SERVICE, client_id).map_err(|error| unavailable(&error.to_string()))
}

fn unavailable(error: &str) -> Failure {
    Failure::new(Exit::Authentication, format!("using the keyring failed: {error}")).hint(
        "unlock it, or keep the secret elsewhere: SOPHOS_CLIENT_SECRET, or `secret = \"file:PATH\"` in the profile",
    )
}

#[cfg(target_os = "linux")]
fn open_store() -> Result<(), Failure> {
    let store =
        zbus_secret_service_keyring_store::Store::new().map_err(|error| unavailable(&error.to_string()))?;
    keyring_core::set_default_store(store);
    Ok(())
}

#[cfg(target_os = "macos")]
fn open_store() -> Result<(), Failure> {
    let store = apple_native_keyring_store::keychain::Store::new()
        .map_err(|error| unavailable(&error.to_string()))?;
    keyring_core::set_default_store(store);
    Ok(())
}

#[cfg(windows)]
fn open_store() -> Result<(), Failure> {
    let store =
        windows_native_keyring_store::Store::new().map_err(|error| unavailable(&error.to_string()))?;
    keyring_core::set_default_store(store);
    Ok(())
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
fn open_store() -> Result<(), Failure> {
    Err(unavailable("this system has none that is supported"))
}
