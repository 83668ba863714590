//! A host that offers a component what is on a list, and nothing else.

use std::{io, path::Path, process::Stdio};

use serde::Deserialize;
use serde_json::json;
use tokio::{io::AsyncWriteExt, process::Command};

use super::{Language, components_dir};

/// What became of a component under each of several offers.
#[derive(Debug, Deserialize)]
pub struct ConfinedResult {
    /// All that it imports, by interface, in order.
    pub imports: Vec<String>,
    /// What came of each offer.
    pub offers: Vec<OfferResult>,
}

/// What came of an offer, in which nothing does anything.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum OfferResult {
    /// The component asks for something that is not offered.
    Missing {
        /// What, in the host's words.
        missing: String,
    },
    /// It is there, and somebody asked it a question that it cannot answer: who it
    /// is, or whether something is a policy that is none.
    Instantiated {
        /// The case of the failure's reason; of a failure without one, the question.
        reason: String,
        /// The failure's message.
        message: String,
        /// What it called for that, as `interface.function`.
        called: Vec<String>,
    },
}

/// Offers a world these interfaces.
///
/// # Errors
/// When the host cannot be started or fails.
pub async fn run_confined(world: &str, offers: &[Vec<&str>]) -> io::Result<ConfinedResult> {
    let components = components_dir()?;
    let program = Language::Python.program()?.unwrap_or_default();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("hosts/python/import_check.py");
    let mut host = Command::new(program)
        .arg("-B")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let wanted = json!({"component": components.join(world).with_extension("wasm"), "offers": offers});
    if let Some(mut input) = host.stdin.take() {
        input.write_all(format!("{wanted}\n").as_bytes()).await?;
    }
    let told = host.wait_with_output().await?;
    Ok(serde_json::from_slice(&told.stdout)?)
}
