use sophos_secrets::{SecretDescription, SecretError, SecretString, SecretVersions};

/// The versions of one secret.
pub trait Versions: Sync {
    /// The secret's name or ARN.
    fn secret(&self) -> &str;

    /// Reads which versions there are, and their labels.
    ///
    /// # Errors
    /// When there is no such secret, or it cannot be read.
    fn describe(&self) -> impl Future<Output = Result<SecretDescription, SecretError>> + Send;

    /// Reads a version; `None` when it has no value.
    ///
    /// # Errors
    /// When it cannot be read.
    fn value(&self, version: &str) -> impl Future<Output = Result<Option<SecretString>, SecretError>> + Send;

    /// Stores a value as this version, with this label alone.
    ///
    /// # Errors
    /// When it cannot be stored, or there is another value already.
    fn put_value(
        &self,
        version: &str,
        value: &SecretString,
        label: &str,
    ) -> impl Future<Output = Result<(), SecretError>> + Send;

    /// Moves a label from the version that has it to another, or takes it off.
    ///
    /// # Errors
    /// When it is not where it is said to be, or cannot be moved.
    fn move_staging_label(
        &self,
        label: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> impl Future<Output = Result<(), SecretError>> + Send;
}

impl Versions for SecretVersions {
    fn secret(&self) -> &str {
        self.id()
    }

    fn describe(&self) -> impl Future<Output = Result<SecretDescription, SecretError>> + Send {
        Self::describe(self)
    }

    fn value(&self, version: &str) -> impl Future<Output = Result<Option<SecretString>, SecretError>> + Send {
        Self::fetch_value(self, version)
    }

    fn put_value(
        &self,
        version: &str,
        value: &SecretString,
        label: &str,
    ) -> impl Future<Output = Result<(), SecretError>> + Send {
        Self::put_value(self, version, value, label)
    }

    fn move_staging_label(
        &self,
        label: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> impl Future<Output = Result<(), SecretError>> + Send {
        Self::move_label(self, label, from, to)
    }
}
