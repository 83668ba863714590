//! A credential source over the grants of a plan.

use std::{future::ready, time::Duration};

use serde_json::Value;
use sophos_api::{AccessToken, Auth, BoxFuture, CredentialSource, Credentials, NoCredential};

use crate::hosts::SessionPlan;

#[derive(Debug)]
pub(super) struct PlannedGrants {
    initial: Result<Auth, NoCredential>,
    after_refusal: Result<Auth, NoCredential>,
}

impl PlannedGrants {
    pub(super) fn new(plan: &SessionPlan) -> Self {
        // The other hosts use the same text.
        let read = |grant: &Value, occasion: &str| {
            parse_auth(grant)
                .ok_or_else(|| NoCredential::new(format!("the plan has no grant when one is {occasion}")))
        };
        Self {
            initial: read(&plan.initial_grant, "needed"),
            after_refusal: read(&plan.grant_after_refusal, "rejected"),
        }
    }
}

impl CredentialSource for PlannedGrants {
    fn current(&self) -> BoxFuture<'_, Result<Auth, NoCredential>> {
        Box::pin(ready(self.initial.clone()))
    }

    fn replace_rejected<'a>(&'a self, refused: &'a Auth) -> BoxFuture<'a, Result<Auth, NoCredential>> {
        let other = self.after_refusal.clone().and_then(|other| match other == *refused {
            true => Err(NoCredential::new("the host returned the rejected grant again")),
            false => Ok(other),
        });
        Box::pin(ready(other))
    }
}

fn parse_auth(grant: &Value) -> Option<Auth> {
    let text = |name: &str| grant["val"][name].as_str();
    match grant["tag"].as_str()? {
        "client" => Some(Credentials::new(text("id")?, text("secret")?).into()),
        "token" => {
            let token = AccessToken::new(text("value")?);
            let life = grant["val"]["expires-in"].as_u64().map(Duration::from_secs);
            Some(life.map_or(token.clone(), |life| token.with_expires_in(life)).into())
        }
        "host-managed" => Some(Auth::HostManaged),
        _ => None,
    }
}
