use std::collections::BTreeMap;

use sophos_api::Owner;
use sophos_secrets::{ListedCredential, Purpose, PurposeSelection};

/// Which credentials serve which tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CredentialSelection {
    /// The one for all tenants that have none of their own.
    pub(crate) default: String,
    /// Those of single tenants, by the tenant's id.
    pub(crate) per_tenant: BTreeMap<String, String>,
}

impl CredentialSelection {
    /// Chooses among those that are listed at a place. One that cannot be read is
    /// left out, with a record, and so is one that is not used for isolation.
    ///
    /// # Errors
    /// When there is none, or more than one that says of no tenant that it
    /// serves it alone.
    pub(crate) fn from_listed(listed: Vec<ListedCredential>, place: &str) -> Result<Self, String> {
        let serving = PurposeSelection::new(listed, Purpose::Isolation);
        let (mut all, mut own) = (Vec::new(), BTreeMap::new());
        for (name, stored) in &serving.usable {
            match stored.credentials.owner().and_then(Owner::tenant_id) {
                Some(tenant) => {
                    own.insert(tenant.as_str().to_ascii_lowercase(), name.clone());
                }
                None => all.push(name.clone()),
            }
        }
        for error in &serving.errors {
            tracing::error!(event = "credential_skipped", %error, "skipped a credential");
        }
        if all.len() > 1 {
            return Err(format!(
                "isolation works with one credential beside those of single tenants, and {place} finds {}: {}; \
                 set SOPHOS_SECRET to one, or name something else in the used_for of the others",
                all.len(),
                all.join(", ")
            ));
        }
        if let Some(all) = all.pop().or_else(|| own.values().next().cloned()) {
            return Ok(Self { default: all, per_tenant: own });
        }
        let wrong = serving.errors.last().map(ToString::to_string);
        let told: Vec<_> = wrong.into_iter().chain(serving.advice()).collect();
        if told.is_empty() {
            Err(format!("{place} holds no credential; store one"))
        } else {
            Err(told.join("; "))
        }
    }
}

#[cfg(test)]
mod tests {
    use sophos_api::BoxFuture;
    use sophos_secrets::{CredentialStore, FileCredentials};

    use super::*;

    /// What a file with these tables lists.
    fn listed(tables: &str) -> Vec<ListedCredential> {
        use std::{
            os::unix::fs::PermissionsExt,
            task::{Context, Poll, Waker},
        };

        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("credentials.toml");
        std::fs::write(&path, tables).expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("its mode");
        let store = FileCredentials::new(path);
        let mut list: BoxFuture<'_, _> = store.list();
        match list.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(listed) => listed.expect("a list"),
            Poll::Pending => unreachable!("a file has nothing to wait for"),
        }
    }

    fn table(name: &str, member: &str) -> String {
        format!("[credentials.{name}]\nclient_id = \"{name}\"\nclient_secret = \"hush\"\n{member}\n")
    }

    fn selection(tables: &[String]) -> Result<(String, Vec<(String, String)>), String> {
        let chosen = CredentialSelection::from_listed(listed(&tables.concat()), "the file");
        chosen.map(|chosen| (chosen.default, chosen.per_tenant.into_iter().collect()))
    }

    #[test]
    fn selection_prefers_the_credential_of_the_tenant() {
        let own = table("acme", "tenant_id = \"AB\"");
        let expected = vec![("ab".to_owned(), "acme".to_owned())];
        let partner = table("partner", "partner_id = \"cd\"");
        assert_eq!(selection(&[own.clone(), partner.clone()]), Ok(("partner".into(), expected.clone())));
        assert_eq!(selection(&[own.clone(), table("unknown", "")]), Ok(("unknown".into(), expected.clone())));
        assert_eq!(selection(&[own]), Ok(("acme".into(), expected)));
        assert_eq!(selection(std::slice::from_ref(&partner)), Ok(("partner".into(), vec![])));
        let error = selection(&[partner, table("other", "")]).expect_err("two");
        assert!(error.contains("other, partner") && error.contains("SOPHOS_SECRET"), "{error}");
        let wrong = table("wrong", "tenant_id = \"\"");
        assert!(selection(&[wrong]).expect_err("none is good").contains("wrong"), "the reason is told");
    }

    #[test]
    fn selection_skips_credentials_for_other_purposes() {
        let export = |name, owner: &str| table(name, &format!("{owner}\nused_for = [\"export\"]"));
        let both = table("both", "used_for = [\"export\", \"isolation\"]");
        // Neither counts as a second one, nor serves its tenant.
        let others = [export("partner", "partner_id = \"cd\""), export("acme", "tenant_id = \"ab\"")];
        let found = selection(&[others[0].clone(), others[1].clone(), both]);
        assert_eq!(found, Ok(("both".into(), vec![])));
        let isolation = table("acme", "tenant_id = \"ab\"\nused_for = [\"isolation\"]");
        let found = selection(&[others[0].clone(), isolation]);
        assert_eq!(found, Ok(("acme".into(), vec![("ab".to_owned(), "acme".to_owned())])));

        let error = selection(&others[..1]).expect_err("none is left");
        assert_eq!(
            error,
            "partner is not used for isolation: add \"isolation\" to its used_for, or store another credential"
        );
        let wrong = table("wrong", "tenant_id = \"\"");
        let error = selection(&[others[0].clone(), others[1].clone(), wrong]).expect_err("none is left");
        assert!(error.contains("tenant_id is invalid"), "{error}");
        assert!(error.contains("acme, partner are not used for isolation"), "{error}");
    }
}
