//! `sophos credentials stage`.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    io::{IsTerminal, Read},
};

use dialoguer::{Input, Password, theme::SimpleTheme};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sophos_secrets::{
    AWSCURRENT, AWSPREVIOUS, ExposeSecret, SecretDescription, SecretString, SecretVersions, StoredCredential,
    staged::CandidateFilter,
};

use super::{StageArgs, check::Tester, location::secrets_manager};
use crate::{
    confirm::{Change, confirm},
    context::Context,
    exit::{Exit, Failure},
};

/// Runs the command.
pub(super) async fn run(args: &StageArgs, context: &Context) -> Result<(), Failure> {
    let versions = SecretVersions::new(secrets_manager().await, &args.secret);
    let description = versions.describe().await?;
    let current = load(&versions, &description, AWSCURRENT).await?;
    let previous = load(&versions, &description, AWSPREVIOUS).await?;
    let text = credential_json(args, current.as_ref(), read_input(args)?)?;
    let candidate = StoredCredential::from_json(&text)
        .map_err(|error| Failure::usage(format!("invalid credential: {error}")))?;

    let filter =
        CandidateFilter { current: current.as_ref(), previous: previous.as_ref(), now: Timestamp::now() };
    if let Err(rejected) = filter.check(&candidate) {
        let message = format!("a rotation would not take this credential: {rejected}");
        return Err(Failure::usage(message).hint("create a new credential in Sophos Central, and stage that"));
    }
    for purpose in filter.dropped_purposes(&candidate) {
        context.warn(&format!("the current credential is used for {purpose}, and the new one would not be"));
    }
    if !args.no_test {
        let purposes = filter.required_purposes(&candidate);
        Tester::new(context)?.test(&candidate, current.as_ref(), &purposes).await.map_err(|error| {
            Failure::new(Exit::Authentication, error.to_string())
                .hint("nothing was stored; --no-test stores it without a test")
        })?;
        context.note("Sophos Central accepts the credential");
    }
    let label = description.labels.next_staged_label();
    let (client_id, secret) = (candidate.credentials.client_id(), args.secret.clone());
    if context.globals.dry_run {
        context.note(&format!("would stage the client id {client_id} in {secret} as {label}"));
        return Ok(());
    }
    let action = format!("stage the client id {client_id} as {label} in");
    confirm(context, &Change { action, noun: "secret".into(), objects: vec![secret] })?;
    let version = version_id();
    versions.put_value(&version, &text, &label).await?;
    let mut record = context.record();
    record.write(&json!({
        "secret": args.secret,
        "label": label,
        "version": version,
        "client_id": client_id,
        "expires_at": candidate.expiry().map(|time| time.to_string()),
    }))?;
    record.finish()?;
    context.note("the next rotation takes it; `aws secretsmanager rotate-secret` starts one");
    Ok(())
}

/// Loads a version of the secret; `None` if it is missing or invalid.
async fn load(
    versions: &SecretVersions,
    description: &SecretDescription,
    label: &str,
) -> Result<Option<StoredCredential>, Failure> {
    let Some(version) = description.labels.version_with(label) else { return Ok(None) };
    let value = versions.fetch_value(version).await?;
    Ok(value.and_then(|value| StoredCredential::from_json(&value).ok()))
}

/// A client id and its secret, or a whole credential as JSON.
enum StageInput {
    Credential { client_id: String, client_secret: SecretString },
    Document(SecretString),
}

/// Reads the new credential from standard input, or from prompts at a terminal.
fn read_input(args: &StageArgs) -> Result<StageInput, Failure> {
    let mut stdin = std::io::stdin();
    let asking_failed = |error: dialoguer::Error| Failure::other(format!("asking failed: {error}"));
    if stdin.is_terminal() {
        let client_id = match &args.client_id {
            Some(id) => id.clone(),
            None => Input::with_theme(&SimpleTheme)
                .with_prompt("Client id of the new credential")
                .interact_text()
                .map_err(asking_failed)?,
        };
        let secret = Password::with_theme(&SimpleTheme).with_prompt("Client secret (hidden)");
        let client_secret = SecretString::from(secret.interact().map_err(asking_failed)?);
        return Ok(StageInput::Credential { client_id, client_secret });
    }
    let mut text = String::new();
    let read = stdin.read_to_string(&mut text);
    let text = SecretString::from(text);
    read.map_err(|error| Failure::other(format!("reading standard input failed: {error}")))?;
    let trimmed = text.expose_secret().trim();
    if trimmed.is_empty() {
        return Err(Failure::usage("standard input holds no credential")
            .hint("pipe the client secret, or the whole credential as JSON"));
    }
    let trimmed = SecretString::from(trimmed.to_owned());
    match &args.client_id {
        Some(client_id) => {
            Ok(StageInput::Credential { client_id: client_id.clone(), client_secret: trimmed })
        }
        None => Ok(StageInput::Document(trimmed)),
    }
}

/// The stored form of the new credential. What is not given comes from the current one.
fn credential_json(
    args: &StageArgs,
    current: Option<&StoredCredential>,
    input: StageInput,
) -> Result<SecretString, Failure> {
    let (client_id, client_secret) = match input {
        StageInput::Document(text) => {
            let has_options = args.role.is_some()
                || !args.used_for.is_empty()
                || args.created_at.is_some()
                || args.expires_at.is_some();
            if has_options {
                return Err(Failure::usage(
                    "missing --client-id: without it, standard input is the whole credential",
                )
                .hint("add --client-id, or put role, used_for and the dates into the JSON"));
            }
            return Ok(text);
        }
        StageInput::Credential { client_id, client_secret } => (client_id, client_secret),
    };
    let mut document = Map::new();
    document.insert("client_id".into(), client_id.trim().into());
    document.insert("client_secret".into(), client_secret.expose_secret().into());
    if let Some(owner) = current.and_then(|current| current.credentials.owner()) {
        document.insert(format!("{}_id", owner.id_type), owner.id.as_str().into());
    }
    let role = args.role.clone().map(Value::from);
    if let Some(role) = role.or_else(|| current.and_then(|current| Some(json!(current.role?)))) {
        document.insert("role".into(), role);
    }
    let today = || Timestamp::now().strftime("%F").to_string();
    let created_at = args.created_at.map_or_else(today, |date| date.to_string());
    document.insert("created_at".into(), created_at.into());
    if let Some(date) = args.expires_at {
        document.insert("expires_at".into(), date.to_string().into());
    }
    let used_for = match args.used_for.as_slice() {
        [] => current.map(|current| current.used_for.clone()).unwrap_or_default(),
        given => given.to_vec(),
    };
    if !used_for.is_empty() {
        document.insert("used_for".into(), json!(used_for));
    }
    Ok(SecretString::from(Value::from(document).to_string()))
}

/// A unique id of a version, in the form of Secrets Manager.
fn version_id() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> StageArgs {
        StageArgs {
            secret: "acme".into(),
            client_id: Some("new-id".into()),
            role: None,
            used_for: Vec::new(),
            created_at: None,
            expires_at: None,
            no_test: true,
        }
    }

    fn input() -> StageInput {
        StageInput::Credential { client_id: " new-id ".into(), client_secret: "hush".to_owned().into() }
    }

    fn current() -> StoredCredential {
        let text = r#"{"client_id":"old","client_secret":"old-hush","partner_id":"ab-12","role":"read_only","used_for":["export"]}"#;
        StoredCredential::from_json(&text.to_owned().into()).expect("a credential")
    }

    #[test]
    fn new_credential_inherits_owner_role_and_purposes() {
        let text = credential_json(&args(), Some(&current()), input()).expect("JSON");
        let stored = StoredCredential::from_json(&text).expect("the stored form");
        assert_eq!(stored.credentials.client_id(), "new-id");
        assert_eq!(stored.credentials.owner(), current().credentials.owner());
        assert_eq!((stored.role, stored.used_for), (current().role, current().used_for));
        assert!(stored.created_at.is_some());
        let args = StageArgs {
            role: Some("management".into()),
            used_for: vec![sophos_secrets::Purpose::Isolation],
            expires_at: Some("2029-11-01".parse().expect("a date")),
            ..args()
        };
        let text = credential_json(&args, Some(&current()), input()).expect("JSON");
        let stored = StoredCredential::from_json(&text).expect("the stored form");
        assert_eq!(stored.role, Some(sophos_secrets::Role::Management));
        assert_eq!(stored.used_for, [sophos_secrets::Purpose::Isolation]);
        assert_eq!(stored.expiry().map(|time| time.to_string()).as_deref(), Some("2029-11-01T00:00:00Z"));
        assert!(credential_json(&args, None, input()).is_ok(), "without a current credential");
    }

    #[test]
    fn whole_credential_excludes_other_options() {
        let document = || StageInput::Document("{}".to_owned().into());
        assert!(credential_json(&StageArgs { client_id: None, ..args() }, None, document()).is_ok());
        let args = StageArgs { client_id: None, role: Some("read_only".into()), ..args() };
        let failure = credential_json(&args, None, document()).expect_err("both");
        assert_eq!(failure.exit, Exit::Usage);
    }

    #[test]
    fn version_id_has_the_length_of_secrets_manager() {
        assert_eq!(version_id().len(), 32);
        assert_ne!(version_id(), version_id());
    }
}
