use std::{error::Error, fmt, sync::Arc};

/// A failure of a part that the caller provides: a
/// [`KeySource`](crate::webhook::KeySource), a [`Queue`](crate::webhook::Queue) or an
/// [`OutcomePublisher`](crate::OutcomePublisher).
///
/// It displays as its cause, which must contain no secret: the text reaches logs.
#[derive(Clone)]
pub struct BackendError(Arc<dyn Error + Send + Sync>);

impl BackendError {
    /// Creates an error from its cause, an error or a text.
    ///
    /// ```
    /// use sophos_isolation::BackendError;
    ///
    /// let error = BackendError::new("reading secret \"scripts\" failed: access denied; allow it");
    /// assert!(error.to_string().contains("scripts"));
    /// let error = BackendError::new(std::io::Error::other("connection reset"));
    /// assert_eq!(error.to_string(), "connection reset");
    /// ```
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(cause.into().into())
    }

    /// Returns the cause.
    pub fn get_ref(&self) -> &(dyn Error + Send + Sync + 'static) {
        &*self.0
    }
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BackendError").field(&self.0).finish()
    }
}

impl Error for BackendError {
    // The cause displays as this error, so the chain continues after it.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}
