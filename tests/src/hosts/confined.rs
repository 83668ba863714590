//! A host that offers a component exactly the listed interfaces.

use std::{io, process::Stdio};

use serde::Deserialize;
use serde_json::json;
use tokio::{io::AsyncWriteExt, process::Command};

use super::{Language, components_dir};
use crate::package_dir;

/// The results of a component under several offers.
#[derive(Debug, Deserialize)]
pub struct ConfinedResult {
    /// The imports by interface, sorted.
    pub imports: Vec<String>,
    /// The result of each offer.
    pub offers: Vec<OfferResult>,
}

/// The result of one offer. Its functions only record their calls.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum OfferResult {
    /// The component needs an import that is not offered.
    Missing {
        /// The host's error.
        missing: String,
    },
    /// The component was instantiated, and a call failed: `session.whoami`, or
    /// `decisions.check-policy` with an invalid policy.
    Instantiated {
        /// The failure's reason, or the called function if it has none.
        reason: String,
        /// The failure's message.
        message: String,
        /// The imports that it called, as `interface.function`.
        called: Vec<String>,
    },
}

/// Instantiates a world once with each list of interfaces.
///
/// # Errors
/// If the host does not start or fails.
pub async fn run_confined(world: &str, offers: &[Vec<&str>]) -> io::Result<ConfinedResult> {
    let components = components_dir()?;
    let program = Language::Python.program()?.unwrap_or_default();
    let script = package_dir().join("../crates/sophos-component/examples/python/import_check.py");
    let mut host = Command::new(program)
        .arg("-B")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let request = json!({"component": components.join(world).with_extension("wasm"), "offers": offers});
    if let Some(mut input) = host.stdin.take() {
        input.write_all(format!("{request}\n").as_bytes()).await?;
    }
    let output = host.wait_with_output().await?;
    Ok(serde_json::from_slice(&output.stdout)?)
}
