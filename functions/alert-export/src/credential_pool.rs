//! The credentials at work, each with a client of its own that is kept from one
//! invocation to the next.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use lambda_runtime::Error;
use lambda_support::InvocationError;
use sophos_api::{Owner, ReqwestTransport, TenantId};
use sophos_export::{Exporter, Store};
use sophos_secrets::{CredentialStore, Purpose, PurposeSelection, SecretError};

use crate::{assignment::specificity, config::Config};

pub(crate) type LambdaExporter = Exporter<ReqwestTransport>;

pub(crate) struct CredentialPool {
    credentials: Arc<dyn CredentialStore>,
    transport: ReqwestTransport,
    store: Store,
    /// Where the rate budget is spent together.
    rate_limit_store: Option<Store>,
    exporters: Mutex<HashMap<String, Arc<LambdaExporter>>>,
}

/// A credential that can be worked with.
pub(crate) struct UsableCredential {
    pub(crate) name: String,
    /// Whom it says that it serves.
    owner: Option<Owner>,
}

/// What credentials there are for export.
pub(crate) struct ExportCredentials {
    /// Those that can be worked with, the nearest to its tenants first.
    pub(crate) usable: Vec<UsableCredential>,
    pub(crate) excluded: ExcludedCredentials,
}

/// The credentials that cannot be worked with.
pub(crate) struct ExcludedCredentials {
    /// What is wrong with those that are none.
    pub(crate) invalid: Vec<SecretError>,
    /// Which ones are there for something else, and what to do if one was meant.
    advice: Option<String>,
    /// Where they all are.
    location: String,
}

impl ExcludedCredentials {
    /// Why nothing came of the usable ones: what failed with the first of them, or
    /// that there is none.
    pub(crate) fn failure(&self, failed: Option<&String>) -> InvocationError {
        if let Some(failed) = failed {
            return InvocationError::new("ExportFailed", failed);
        }
        let mut told = match self.invalid.first() {
            Some(error) => error.to_string(),
            None => format!("no credential reaches this; {} is where they are", self.location),
        };
        if let Some(passed_over) = &self.advice {
            told.push_str("; ");
            told.push_str(passed_over);
        }
        InvocationError::no_credential(told)
    }
}

impl UsableCredential {
    /// The tenant that it says is all that it serves.
    pub(crate) fn own_tenant(&self) -> Option<TenantId> {
        self.owner.as_ref()?.tenant_id()
    }
}

impl CredentialPool {
    pub(crate) async fn open(config: &Config) -> Result<Self, Error> {
        let store = Store::open(&config.location)?;
        let shared = config.sophos.open_rate_limit_store()?;
        Ok(Self {
            credentials: config.sophos.credentials.open().await,
            transport: config.sophos.transport()?,
            // Workers of a queue are many.
            rate_limit_store: shared.or_else(|| config.queue.as_ref().map(|_| store.clone())),
            store,
            exporters: Mutex::default(),
        })
    }

    pub(crate) fn transport(&self) -> &ReqwestTransport {
        &self.transport
    }

    /// Where the export goes.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// All credentials for export that there are.
    ///
    /// # Errors
    /// When the place where they are cannot be read by `stop_at`, in time since the
    /// Unix epoch.
    pub(crate) async fn list_credentials(
        &self,
        stop_at: Duration,
    ) -> Result<ExportCredentials, InvocationError> {
        let listed = lambda_support::list_credentials(&*self.credentials, stop_at).await;
        let listed = listed.map_err(InvocationError::no_credential)?;
        let serving = PurposeSelection::new(listed, Purpose::Export);
        let others = ExcludedCredentials {
            advice: serving.advice(),
            invalid: serving.errors,
            location: format!("{:?}", self.credentials),
        };
        let usable = serving.usable.into_iter();
        let usable = usable
            .map(|(name, stored)| UsableCredential { name, owner: stored.credentials.owner().cloned() });
        let mut usable: Vec<_> = usable.collect();
        usable.sort_by_cached_key(|one| (specificity(one.owner.as_ref()), one.name.clone()));
        Ok(ExportCredentials { usable, excluded: others })
    }

    /// What exports with this credential.
    pub(crate) fn exporter(&self, config: &Config, credential: &str) -> Arc<LambdaExporter> {
        let mut exporters = self.exporters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(exporter) = exporters.get(credential) {
            return Arc::clone(exporter);
        }
        let client = config.sophos.client(
            &self.transport,
            &self.credentials,
            credential,
            self.rate_limit_store.as_ref(),
        );
        let exporter = Arc::new(Exporter::new(client, self.store.clone(), config.settings.clone()));
        exporters.insert(credential.to_owned(), Arc::clone(&exporter));
        exporter
    }
}
