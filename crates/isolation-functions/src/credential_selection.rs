use std::collections::BTreeMap;

use sophos_api::Owner;
use sophos_secrets::{ListedCredential, Purpose, PurposeSelection};

use crate::WorkerError;

/// The credentials of the isolation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CredentialSelection {
    /// The credential of all tenants without their own.
    pub(crate) default: String,
    /// The credentials of single tenants, by the tenant's id.
    pub(crate) per_tenant: BTreeMap<String, String>,
}

impl CredentialSelection {
    /// Selects among the credentials at a location. It skips those that cannot be
    /// read, with a log record, and those for other purposes.
    ///
    /// # Errors
    /// When no credential is left, or several without a tenant of their own.
    pub(crate) fn from_listed(listed: Vec<ListedCredential>, location: &str) -> Result<Self, WorkerError> {
        let selection = PurposeSelection::new(listed, Purpose::Isolation);
        let (mut shared, mut per_tenant) = (Vec::new(), BTreeMap::new());
        for (name, stored) in &selection.usable {
            match stored.credentials.owner().and_then(Owner::tenant_id) {
                Some(tenant) => {
                    per_tenant.insert(tenant.as_str().to_ascii_lowercase(), name.clone());
                }
                None => shared.push(name.clone()),
            }
        }
        for error in &selection.errors {
            tracing::error!(event = "credential_skipped", %error, "skipped a credential");
        }
        if shared.len() > 1 {
            return Err(WorkerError::NoCredential(format!(
                "selecting a credential failed: {location} has {} for several tenants ({}); set SOPHOS_SECRET to \
                 one, or set another purpose in the used_for of the others",
                shared.len(),
                shared.join(", ")
            )));
        }
        if let Some(default) = shared.pop().or_else(|| per_tenant.values().next().cloned()) {
            return Ok(Self { default, per_tenant });
        }
        let error = selection.errors.last().map(ToString::to_string);
        let causes: Vec<_> = error.into_iter().chain(selection.advice()).collect();
        Err(WorkerError::NoCredential(match causes.as_slice() {
            [] => format!("missing credential: {location} has none; store one"),
            _ => causes.join("; "),
        }))
    }
}

#[cfg(test)]
mod tests {
    use sophos_api::BoxFuture;
    use sophos_secrets::{CredentialStore, FileCredentials};

    use super::*;

    /// Lists the credentials of a file with these tables.
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
        let selected = CredentialSelection::from_listed(listed(&tables.concat()), "the file");
        selected
            .map(|selected| (selected.default, selected.per_tenant.into_iter().collect()))
            .map_err(|error| error.to_string())
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
        assert!(selection(&[wrong]).expect_err("none is good").contains("wrong"), "the error has the reason");
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
