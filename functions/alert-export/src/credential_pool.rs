//! The credentials for export, each with a client that is kept across invocations.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use lambda_runtime::Error;
use lambda_support::{InvocationError, assumed_role};
use sophos_api::{Owner, ReqwestTransport, TenantId};
use sophos_export::{Announcer, Exporter, LedgerExporter, Store};
use sophos_secrets::{CredentialStore, Purpose, PurposeSelection, SecretError};

use crate::{assignment::specificity, config::Config, event_bus::EventBus};

pub(crate) type LambdaExporter = Exporter<ReqwestTransport>;

pub(crate) struct CredentialPool {
    credentials: Arc<dyn CredentialStore>,
    transport: ReqwestTransport,
    store: Store,
    /// The store through which workers share the rate limit.
    rate_limit_store: Option<Store>,
    announcer: Option<Arc<dyn Announcer>>,
    /// The exporter of the ledger of isolation.
    ledger: Option<LedgerExporter>,
    exporters: Mutex<HashMap<String, Arc<LambdaExporter>>>,
}

/// A usable credential.
pub(crate) struct UsableCredential {
    pub(crate) name: String,
    /// The owner in its metadata.
    owner: Option<Owner>,
}

/// The credentials for export.
pub(crate) struct ExportCredentials {
    /// The usable credentials, the most specific first.
    pub(crate) usable: Vec<UsableCredential>,
    pub(crate) excluded: ExcludedCredentials,
}

/// The credentials that are not usable.
pub(crate) struct ExcludedCredentials {
    /// The errors of invalid credentials.
    pub(crate) invalid: Vec<SecretError>,
    /// The skipped credentials for other purposes, with a remedy.
    advice: Option<String>,
    /// The location of all credentials.
    location: String,
}

impl ExcludedCredentials {
    /// The error of an invocation without a result: the first failure of a usable
    /// credential, or the lack of one.
    pub(crate) fn failure(&self, first_failure: Option<&String>) -> InvocationError {
        if let Some(failure) = first_failure {
            return InvocationError::new("ExportFailed", failure);
        }
        let mut message = match self.invalid.first() {
            Some(error) => error.to_string(),
            None => format!("no credential for export in {}; store one", self.location),
        };
        if let Some(advice) = &self.advice {
            message.push_str("; ");
            message.push_str(advice);
        }
        InvocationError::no_credential(message)
    }
}

impl UsableCredential {
    /// The tenant that owns the credential.
    pub(crate) fn own_tenant(&self) -> Option<TenantId> {
        self.owner.as_ref()?.tenant_id()
    }
}

impl CredentialPool {
    pub(crate) async fn open(config: &Config) -> Result<Self, Error> {
        let store = match &config.role {
            Some(role) => {
                Store::open_with_credentials(&config.location, assumed_role::credentials(role).await)?
            }
            None => Store::open(&config.location)?,
        };
        let announcer: Option<Arc<dyn Announcer>> = match &config.event_bus {
            Some(bus) => Some(Arc::new(EventBus::connect(bus, &config.location).await)),
            None => None,
        };
        let shared = config.sophos.open_rate_limit_store()?;
        let ledger = match &config.ledger {
            Some(location) => {
                let ledger = Store::open(location)?;
                let exporter = LedgerExporter::new(ledger, store.clone(), config.settings.clone());
                Some(match &announcer {
                    Some(announcer) => exporter.with_announcer(Arc::clone(announcer)),
                    None => exporter,
                })
            }
            None => None,
        };
        Ok(Self {
            credentials: config.sophos.credentials.open().await,
            transport: config.sophos.transport()?,
            // The workers of a queue share the rate limit by default.
            rate_limit_store: shared.or_else(|| config.queue.as_ref().map(|_| store.clone())),
            store,
            announcer,
            ledger,
            exporters: Mutex::default(),
        })
    }

    pub(crate) fn transport(&self) -> &ReqwestTransport {
        &self.transport
    }

    /// The store of the export.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// The exporter of the ledger of isolation, if its location is configured.
    pub(crate) fn ledger(&self) -> Option<&LedgerExporter> {
        self.ledger.as_ref()
    }

    /// Lists the credentials for export before `deadline`, in time since the Unix epoch.
    ///
    /// # Errors
    /// When the credentials cannot be listed in time.
    pub(crate) async fn list_credentials(
        &self,
        deadline: Duration,
    ) -> Result<ExportCredentials, InvocationError> {
        let listed = lambda_support::list_credentials(&*self.credentials, deadline).await;
        let listed = listed.map_err(InvocationError::no_credential)?;
        let selection = PurposeSelection::new(listed, Purpose::Export);
        let excluded = ExcludedCredentials {
            advice: selection.advice(),
            invalid: selection.errors,
            location: format!("{:?}", self.credentials),
        };
        let usable = selection.usable.into_iter();
        let usable = usable
            .map(|(name, stored)| UsableCredential { name, owner: stored.credentials.owner().cloned() });
        let mut usable: Vec<_> = usable.collect();
        usable.sort_by_cached_key(|credential| {
            (specificity(credential.owner.as_ref()), credential.name.clone())
        });
        Ok(ExportCredentials { usable, excluded })
    }

    /// The exporter of a credential.
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
        let mut exporter = Exporter::new(client, self.store.clone(), config.settings.clone());
        if let Some(announcer) = &self.announcer {
            exporter = exporter.with_announcer(Arc::clone(announcer));
        }
        let exporter = Arc::new(exporter);
        exporters.insert(credential.to_owned(), Arc::clone(&exporter));
        exporter
    }
}
