//! `sophos credentials list`.

use jiff::Timestamp;
use serde::Serialize;
use sophos_secrets::{
    InspectedCredential, Purpose,
    audit::{AuditSettings, CredentialStatus, Severity, audit},
};

use super::ListArgs;
use crate::{
    context::Context,
    exit::{Exit, Failure},
    pack::values::counted,
};

/// The columns of the table.
const COLUMNS: [&str; 7] = ["name", "owner", "role", "used_for", "expires_at", "days_to_expiry", "staged"];

/// A stored credential, as it is shown.
#[derive(Debug, Serialize)]
struct CredentialRecord {
    client_id: Option<String>,
    /// The expected owner, such as `partner 11f104c5-…`.
    owner: Option<String>,
    role: Option<sophos_secrets::Role>,
    used_for: Vec<Purpose>,
    stored_at: Option<String>,
    last_used: Option<String>,
    /// The staging labels, in the order of rotation.
    staged_versions: Vec<String>,
    rotation_in_progress: bool,
    #[serde(flatten)]
    status: CredentialStatus,
}

impl CredentialRecord {
    fn new(inspected: &InspectedCredential, status: CredentialStatus) -> Self {
        let stored = inspected.credential.as_ref().ok();
        let metadata = inspected.metadata.as_ref();
        let day = |time: Timestamp| time.strftime("%F").to_string();
        Self {
            client_id: stored.map(|stored| stored.credentials.client_id().to_owned()),
            owner: stored.and_then(|stored| Some(stored.credentials.owner()?.to_string())),
            role: stored.and_then(|stored| stored.role),
            used_for: stored.map(|stored| stored.used_for.clone()).unwrap_or_default(),
            stored_at: metadata.and_then(|metadata| metadata.stored_at).map(|time| time.to_string()),
            last_used: metadata.and_then(|metadata| metadata.last_used).map(day),
            staged_versions: metadata
                .map(|metadata| metadata.staged.iter().map(|staged| staged.label.clone()).collect())
                .unwrap_or_default(),
            rotation_in_progress: metadata.is_some_and(|metadata| metadata.rotation_in_progress),
            status,
        }
    }
}

/// Runs the command.
pub(super) async fn run(args: &ListArgs, context: &Context) -> Result<(), Failure> {
    let location = args.location.select(|name| std::env::var(name).ok())?;
    let settings = AuditSettings { unused_days: args.unused_days, default_purposes: vec![Purpose::Export] };
    let (mut total, mut unusable) = (0, 0);
    let mut records = context.records(&COLUMNS);
    for inspected in location.inspect().await? {
        let status = audit(&inspected, &settings, Timestamp::now());
        total += 1;
        unusable += u64::from(status.unusable);
        if status.severity != Severity::Info {
            for problem in &status.problems {
                context.warn(&format!("{}: {problem}", status.name));
            }
        }
        records.write(&CredentialRecord::new(&inspected, status))?;
    }
    records.finish()?;
    context.note(&counted(total, "credential"));
    match unusable {
        0 => Ok(()),
        unusable => {
            let exit = if unusable == total { Exit::Authentication } else { Exit::Partial };
            let message = format!("{unusable} of {} cannot be used", counted(total, "credential"));
            Err(Failure::new(exit, message)
                .hint("create a new one in Sophos Central, and `sophos credentials stage` it"))
        }
    }
}
