use std::collections::HashMap;

use aws_sdk_secretsmanager::{Client, primitives::DateTime};
use jiff::Timestamp;

use super::{
    fetch::{describe_read_error, read_error, secret_text},
    listing::SecretEntry,
};
use crate::{SecretError, SecretString};

/// The maximum number of secrets in a batch.
pub(crate) const MAX_BATCH_SIZE: usize = 20;

/// The current version of a secret.
pub(crate) struct CurrentVersion {
    pub(crate) version: String,
    pub(crate) stored_at: Option<Timestamp>,
    pub(crate) value: Result<SecretString, SecretError>,
}

/// Reads the current versions of at most [`MAX_BATCH_SIZE`] secrets in one request.
/// Returns the version or the error of each.
pub(crate) async fn fetch_batch(
    client: &Client,
    location: &str,
    batch: &[&SecretEntry],
) -> Result<Vec<Result<CurrentVersion, SecretError>>, SecretError> {
    let ids = batch.iter().map(|found| found.arn.clone()).collect();
    let response = client.batch_get_secret_value().set_secret_id_list(Some(ids)).send().await;
    let response = response.map_err(|error| read_error(location, &error))?;
    let mut values: HashMap<_, _> = (response.secret_values.unwrap_or_default().into_iter())
        .filter_map(|value| Some((value.arn.clone()?, value)))
        .collect();
    let read = |found: &&SecretEntry| {
        let Some(value) = values.remove(&found.arn) else {
            let errors = response.errors.iter().flatten();
            let errors = errors.filter(|error| error.secret_id() == Some(&found.arn));
            let reason = errors
                .filter_map(|error| Some(describe_read_error(error.error_code()?, error.message())))
                .next();
            let reason = reason.unwrap_or_else(|| "the secret has no current version; store one".into());
            return Err(SecretError::new(&found.name, reason));
        };
        Ok(CurrentVersion {
            version: value.version_id.unwrap_or_default(),
            stored_at: value.created_date.as_ref().and_then(timestamp),
            value: secret_text(&found.name, value.secret_string),
        })
    };
    Ok(batch.iter().map(read).collect())
}

/// Converts a time of the SDK, to the second.
pub(crate) fn timestamp(time: &DateTime) -> Option<Timestamp> {
    Timestamp::from_second(time.secs()).ok()
}
