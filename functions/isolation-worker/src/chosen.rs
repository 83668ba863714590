use std::collections::BTreeMap;

use sophos_api::Owner;
use sophos_secrets::Listed;

/// Which credentials serve which tenants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// The one for all tenants that have none of their own.
    pub(crate) all: String,
    /// Those of single tenants, by the tenant's id.
    pub(crate) own: BTreeMap<String, String>,
}

impl Chosen {
    /// Chooses among those that are listed at a place. One that cannot be read is
    /// left out, with a record.
    ///
    /// # Errors
    /// When there is none, or more than one that says of no tenant that it
    /// serves it alone.
    pub(crate) fn of(listed: &[Listed], place: &str) -> Result<Self, String> {
        let (mut all, mut own, mut wrong) = (Vec::new(), BTreeMap::new(), None);
        for one in listed {
            match &one.credential {
                Ok(stored) => match stored.credentials.owner().and_then(Owner::tenant) {
                    Some(tenant) => {
                        own.insert(tenant.as_str().to_ascii_lowercase(), one.name.clone());
                    }
                    None => all.push(one.name.clone()),
                },
                Err(error) => {
                    tracing::error!(%error, "a credential was left out");
                    wrong = Some(error);
                }
            }
        }
        if all.len() > 1 {
            return Err(format!(
                "isolation works with one credential beside those of single tenants, and {place} finds {}: {}; \
                 set SOPHOS_SECRET to one",
                all.len(),
                all.join(", ")
            ));
        }
        let all = all.pop().or_else(|| own.values().next().cloned());
        match (all, wrong) {
            (Some(all), _) => Ok(Self { all, own }),
            (None, Some(error)) => Err(error.to_string()),
            (None, None) => Err(format!("{place} holds no credential; store one")),
        }
    }
}

#[cfg(test)]
mod tests {
    use sophos_api::BoxFuture;
    use sophos_secrets::{CredentialStore, FileCredentials};

    use super::*;

    /// What a file with these tables lists.
    fn listed(tables: &str) -> Vec<Listed> {
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

    fn chosen(tables: &[String]) -> Result<(String, Vec<(String, String)>), String> {
        let chosen = Chosen::of(&listed(&tables.concat()), "the file");
        chosen.map(|chosen| (chosen.all, chosen.own.into_iter().collect()))
    }

    #[test]
    fn a_tenant_with_a_credential_of_its_own_is_served_by_it() {
        let own = table("acme", "tenant_id = \"AB\"");
        let expected = vec![("ab".to_owned(), "acme".to_owned())];
        let partner = table("partner", "partner_id = \"cd\"");
        assert_eq!(chosen(&[own.clone(), partner.clone()]), Ok(("partner".into(), expected.clone())));
        assert_eq!(chosen(&[own.clone(), table("unknown", "")]), Ok(("unknown".into(), expected.clone())));
        assert_eq!(chosen(&[own]), Ok(("acme".into(), expected)));
        assert_eq!(chosen(std::slice::from_ref(&partner)), Ok(("partner".into(), vec![])));
        let error = chosen(&[partner, table("other", "")]).expect_err("two");
        assert!(error.contains("other, partner") && error.contains("SOPHOS_SECRET"), "{error}");
        let wrong = table("wrong", "tenant_id = \"\"");
        assert!(chosen(&[wrong]).expect_err("none is good").contains("wrong"), "the reason is told");
    }
}
