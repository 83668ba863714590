//! Credentials that an administrator creates in the console and stores for the stack.

use std::{io, slice};

use aws_sdk_secretsmanager::types::Tag;
use serde_json::{Value, json};
use sophos_simulator::{CredentialConfig, CredentialInfo, CredentialKind, Role};

use super::SmokeTest;
use crate::pipeline_env::secret_value;

/// The tag by which the stack finds secrets, if it does not use a prefix.
const SECRET_TAG: &str = "sophos-central";

impl SmokeTest {
    /// Stores the first credential.
    ///
    /// # Errors
    /// As for [`run_output_command`](Self::run_output_command).
    pub async fn store_credential(&self) -> io::Result<()> {
        let secret = secret_for_all_uses(&self.credential);
        self.run_output_command("StoreFirstCredentialCommand", Some(("credential.json", &secret)))
            .await
            .map(drop)
    }

    /// Creates another credential in the console, and stages it.
    ///
    /// # Errors
    /// When the simulator rejects it, and as for
    /// [`run_output_command`](Self::run_output_command).
    pub async fn stage_credential(&self) -> io::Result<CredentialInfo> {
        let next =
            self.create_credential(CredentialConfig::new(CredentialKind::Partner, Role::SuperAdmin))?;
        self.run_output_command("StageCredentialCommand", Some(("next.json", &secret_for_all_uses(&next))))
            .await?;
        Ok(next)
    }

    /// Creates another credential in the console, and stores it in a secret with this name
    /// and the stack's key. Adds the tag if it has a value.
    ///
    /// # Errors
    /// When the simulator or Secrets Manager rejects it.
    pub async fn store_credential_as(
        &self,
        config: CredentialConfig,
        name: &str,
        tag: Option<&str>,
    ) -> io::Result<CredentialInfo> {
        let made = self.create_credential(config)?;
        let create = self.account.moto().secrets().create_secret().name(name);
        let create =
            create.secret_string(secret_for_all_uses(&made)).kms_key_id(self.stack.output("KeyArn")?);
        let tags = tag.map(|value| vec![Tag::builder().key(SECRET_TAG).value(value).build()]);
        create.set_tags(tags).send().await.map_err(io::Error::other)?;
        Ok(made)
    }

    fn create_credential(&self, config: CredentialConfig) -> io::Result<CredentialInfo> {
        let made = self.simulator.add_credential(config).map_err(io::Error::other)?;
        self.account.watch_for_secrets(slice::from_ref(&made));
        Ok(made)
    }
}

fn secret_for_all_uses(credential: &CredentialInfo) -> String {
    let mut secret: Value = serde_json::from_str(&secret_value(credential)).unwrap_or_default();
    secret["used_for"] = json!(["export", "isolation"]);
    secret.to_string()
}
