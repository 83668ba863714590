use sophos_secrets::{SecretDescription, SecretError, SecretString, SecretVersions};

/// The versions of one secret.
pub trait Versions: Sync {
    /// The secret's name or ARN.
    fn secret(&self) -> &str;

    /// Reads the labels of the versions.
    ///
    /// # Errors
    /// When the secret does not exist or cannot be read.
    fn describe(&self) -> impl Future<Output = Result<SecretDescription, SecretError>> + Send;

    /// Reads the value of a version; `None` if it has no value.
    ///
    /// # Errors
    /// When the value cannot be read.
    fn value(&self, version: &str) -> impl Future<Output = Result<Option<SecretString>, SecretError>> + Send;

    /// Stores a value as this version with a single label.
    ///
    /// # Errors
    /// When the value cannot be stored, or the version has another value.
    fn put_value(
        &self,
        version: &str,
        value: &SecretString,
        label: &str,
    ) -> impl Future<Output = Result<(), SecretError>> + Send;

    /// Moves a label from version `from` to version `to`; `None` adds or removes it.
    ///
    /// # Errors
    /// When the label is not on `from`, or cannot be moved.
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
