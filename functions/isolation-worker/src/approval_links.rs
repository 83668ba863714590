//! Links by which a person approves, signed with the key as it is now.

use sophos_isolation::{ApprovalLinks, policy::Policy};
use sophos_secrets::SecretStore;

/// The links for this address by this policy; `None` where there is no address or
/// the policy names no secret. The secret is read each time: its source keeps what
/// it read for as long as the secrets of senders.
///
/// `before` are the links that were made last. They stay while the secret cannot be
/// read, so that a failure of its store stops no isolation and no release.
///
/// # Errors
/// When the secret cannot be read, and there are none before.
pub(crate) async fn load_approval_links(
    secrets: &impl SecretStore,
    url: Option<&str>,
    policy: &Policy,
    previous: Option<&ApprovalLinks>,
) -> Result<Option<ApprovalLinks>, String> {
    let (Some(url), Some(secret)) = (url, &policy.approval().secret) else { return Ok(None) };
    match (secrets.load(secret).await, previous) {
        (Ok(stages), _) => Ok(Some(ApprovalLinks::new(url, stages.current))),
        (Err(error), Some(before)) => {
            let event = "secret_unreadable";
            tracing::error!(event, secret, %error, "failed to read the key of approval links; the last one is used");
            Ok(Some(before.clone()))
        }
        (Err(error), None) => Err(error.to_string()),
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
