//! The credentials at work, each with a client of its own that is kept from one
//! invocation to the next.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use lambda_runtime::Error;
use sophos_api::{Owner, TenantId};
use sophos_api_reqwest::ReqwestTransport;
use sophos_export::{Exporter, Store};
use sophos_secrets::{CredentialStore, SourceError};

use crate::{assignment::nearness, config::Config};

pub(crate) type ExporterOf = Exporter<ReqwestTransport>;

pub(crate) struct Fleet {
    credentials: Arc<dyn CredentialStore>,
    transport: ReqwestTransport,
    store: Store,
    /// Where the rate budget is spent together.
    shared: Option<Store>,
    exporters: Mutex<HashMap<String, Arc<ExporterOf>>>,
}

/// A credential that can be worked with.
pub(crate) struct Usable {
    pub(crate) name: String,
    /// Whom it says that it serves.
    owner: Option<Owner>,
}

impl Usable {
    /// The tenant that it says is all that it serves.
    pub(crate) fn own_tenant(&self) -> Option<TenantId> {
        self.owner.as_ref()?.tenant()
    }
}

impl Fleet {
    pub(crate) async fn open(config: &Config) -> Result<Self, Error> {
        let store = Store::open(&config.location)?;
        let shared = config.sophos.shared_store()?;
        Ok(Self {
            credentials: config.sophos.credentials.open().await,
            transport: ReqwestTransport::new()?,
            // Workers of a queue are many.
            shared: shared.or_else(|| config.queues.as_ref().map(|_| store.clone())),
            store,
            exporters: Mutex::default(),
        })
    }

    pub(crate) fn transport(&self) -> &ReqwestTransport {
        &self.transport
    }

    /// All credentials that there are, the nearest to its tenants first, and what
    /// is wrong with the others.
    pub(crate) async fn credentials(&self) -> Result<(Vec<Usable>, Vec<SourceError>), SourceError> {
        let (mut usable, mut wrong) = (Vec::new(), Vec::new());
        for listed in self.credentials.list().await? {
            match listed.credential {
                Ok(stored) => {
                    usable.push(Usable { name: listed.name, owner: stored.credentials.owner().cloned() });
                }
                Err(error) => wrong.push(error),
            }
        }
        usable.sort_by_cached_key(|one| (nearness(one.owner.as_ref()), one.name.clone()));
        Ok((usable, wrong))
    }

    /// What exports with this credential.
    pub(crate) fn exporter(&self, config: &Config, credential: &str) -> Arc<ExporterOf> {
        let mut exporters = self.exporters.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(exporter) = exporters.get(credential) {
            return Arc::clone(exporter);
        }
        let client =
            config.sophos.client(&self.transport, &self.credentials, credential, self.shared.as_ref());
        let exporter = Arc::new(Exporter::new(client, self.store.clone(), config.settings.clone()));
        exporters.insert(credential.to_owned(), Arc::clone(&exporter));
        exporter
    }
}
