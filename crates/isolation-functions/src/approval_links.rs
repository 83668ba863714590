//! The approval links, signed with the current key.

use sophos_isolation::{ApprovalLinks, policy::Policy};
use sophos_secrets::{SecretError, SecretStore};

/// Loads the approval links for a URL; `None` without a URL or a secret in the
/// policy. The secret store caches the secret like those of senders.
///
/// The `previous` links stay in use while the secret cannot be read, so a failure of
/// its store stops no isolation and no release.
///
/// # Errors
/// When the secret cannot be read and no previous links exist.
pub(crate) async fn load_approval_links(
    secrets: &impl SecretStore,
    url: Option<&str>,
    policy: &Policy,
    previous: Option<&ApprovalLinks>,
) -> Result<Option<ApprovalLinks>, SecretError> {
    let (Some(url), Some(secret)) = (url, &policy.approval().secret) else { return Ok(None) };
    match (secrets.load(secret).await, previous) {
        (Ok(stages), _) => Ok(Some(ApprovalLinks::new(url, stages.current))),
        (Err(error), Some(previous)) => {
            tracing::error!(
                event = "secret_unreadable",
                secret_name = secret,
                %error,
                "failed to read the key of approval links; the previous key stays in use"
            );
            Ok(Some(previous.clone()))
        }
        (Err(error), None) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use sophos_isolation::DecisionId;
    use sophos_secrets::FileSecrets;

    use super::*;

    const URL: Option<&str> = Some("https://hooks.example");

    fn policy(approve: &str) -> Policy {
        Policy::parse(&format!("version = 1\n[approve]\n{approve}")).expect("a policy")
    }

    fn link(links: &Option<ApprovalLinks>) -> Option<String> {
        let id = DecisionId::from_event_id("scripts", "a");
        links.as_ref().map(|links| links.link(&id, 1_790_000_000).expose().to_owned())
    }

    #[tokio::test]
    async fn load_approval_links_follows_key_and_policy() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secrets.toml");
        let store = |key: &str| {
            fs::write(&path, format!("[secrets.k]\ncurrent = \"{key}\"\n")).expect("a file");
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a mode");
            }
        };
        let secrets = FileSecrets::new(&path);
        let with_key = policy("secret = \"k\"");
        let of = async |policy: &Policy, before: Option<&ApprovalLinks>| {
            load_approval_links(&secrets, URL, policy, before).await.expect("links")
        };
        // No file is needed while the policy names no secret.
        assert_eq!(link(&of(&policy(""), None).await), None);
        assert_eq!(link(&load_approval_links(&secrets, None, &with_key, None).await.expect("none")), None);
        load_approval_links(&secrets, URL, &with_key, None).await.expect_err("there is no file");
        store("first");
        let first = of(&with_key, None).await;
        store("second");
        let second = of(&with_key, first.as_ref()).await;
        assert!(link(&first).is_some() && link(&first) != link(&second));
        assert!(!first.as_ref().expect("links").is_same(second.as_ref().expect("links")));
        fs::remove_file(&path).expect("a file");
        assert_eq!(link(&of(&with_key, second.as_ref()).await), link(&second));
        assert_eq!(link(&of(&policy(""), second.as_ref()).await), None);
    }
}
