//! The grants of a plan as a source of credentials.

use std::{future::ready, time::Duration};

use serde_json::Value;
use sophos_api::{AccessToken, Authority, BoxFuture, CredentialSource, Credentials, NoCredential};

use crate::hosts::Plan;

#[derive(Debug)]
pub(super) struct Grants {
    needed: Result<Authority, NoCredential>,
    refused: Result<Authority, NoCredential>,
}

impl Grants {
    pub(super) fn of(plan: &Plan) -> Self {
        // As the other hosts say it.
        let read = |grant: &Value, occasion: &str| {
            authority(grant)
                .ok_or_else(|| NoCredential::new(format!("the plan has no grant when one is {occasion}")))
        };
        Self { needed: read(&plan.needed, "needed"), refused: read(&plan.refused, "refused") }
    }
}

impl CredentialSource for Grants {
    fn current(&self) -> BoxFuture<'_, Result<Authority, NoCredential>> {
        Box::pin(ready(self.needed.clone()))
    }

    fn after_refusal<'a>(&'a self, refused: &'a Authority) -> BoxFuture<'a, Result<Authority, NoCredential>> {
        let other = self.refused.clone().and_then(|other| match other == *refused {
            true => Err(NoCredential::new("the host gave the same again")),
            false => Ok(other),
        });
        Box::pin(ready(other))
    }
}

fn authority(grant: &Value) -> Option<Authority> {
    let text = |name: &str| grant["val"][name].as_str();
    match grant["tag"].as_str()? {
        "client" => Some(Credentials::new(text("id")?, text("secret")?).into()),
        "token" => {
            let token = AccessToken::new(text("value")?);
            let life = grant["val"]["expires-in"].as_u64().map(Duration::from_secs);
            Some(life.map_or(token.clone(), |life| token.good_for(life)).into())
        }
        "ambient" => Some(Authority::Ambient),
        _ => None,
    }
}
