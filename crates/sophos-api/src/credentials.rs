use secrecy::SecretString;

/// A Sophos Central API credential, as an administrator made it in the console.
///
/// The secret is cleared from memory when the last copy goes, and is never
/// printed.
#[derive(Debug, Clone)]
pub struct Credentials {
    client_id: String,
    client_secret: SecretString,
}

impl Credentials {
    /// A credential of this client id and secret.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<SecretString>) -> Self {
        Self { client_id: client_id.into(), client_secret: client_secret.into() }
    }

    /// The client id. Not a secret: it names the credential in the console.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    pub(crate) fn client_secret(&self) -> &SecretString {
        &self.client_secret
    }
}
