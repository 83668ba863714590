//! The platform of a tenant, and the cache of it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde::{Deserialize, Serialize, de::IgnoredAny};

use crate::{
    error::Error,
    fusion::{GraphqlKind, GraphqlOperation},
    models::tenant_id::TenantId,
    operation::RequestTarget,
    session::{RequestContext, single_flight::SingleFlight},
    sync::lock,
    transport::Transport,
};

/// The longest time for which a client keeps the platform of a tenant.
pub const MAX_PLATFORM_AGE: Duration = Duration::from_secs(15 * 60);

/// The most tenants in the cache of one client.
const MAX_CACHED_TENANTS: usize = 50_000;

/// The platform that holds the cases and detections of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Platform {
    /// Sophos Central: the tenant has not moved. The operations of `cases/v1` and
    /// `detections/v1` return its objects.
    Central,
    /// Sophos Fusion: the operations of [`fusion`](crate::fusion) return its objects.
    Fusion,
}

/// The platforms of the tenants of one client.
#[derive(Default)]
pub(crate) struct PlatformCache(Mutex<HashMap<TenantId, Arc<CachedPlatform>>>);

#[derive(Default)]
struct CachedPlatform {
    /// The platform, and the time at which it expires.
    known: Mutex<Option<(Platform, Duration)>>,
    lookup: SingleFlight,
}

impl CachedPlatform {
    fn get(&self, now: Duration) -> Option<Platform> {
        lock(&self.known).filter(|(_, expiry)| now < *expiry).map(|(platform, _)| platform)
    }
}

impl PlatformCache {
    /// The platform of a tenant. Of all callers that wait for the same one, one sends
    /// the request.
    pub(crate) async fn get<T: Transport>(
        &self,
        id: &TenantId,
        context: &RequestContext<'_, T>,
        target: &RequestTarget,
    ) -> Result<Platform, Error> {
        let cached = self.entry(id, context.now());
        let request = async {
            let types = context.send(&ProbeCaseTypes {}, target).await?.types;
            let platform = if types.is_empty() { Platform::Central } else { Platform::Fusion };
            *lock(&cached.known) = Some((platform, context.now() + MAX_PLATFORM_AGE));
            Ok(platform)
        };
        cached.lookup.run(|| cached.get(context.now()), context.deadline_reached(), request).await
    }

    fn entry(&self, id: &TenantId, now: Duration) -> Arc<CachedPlatform> {
        let mut tenants = lock(&self.0);
        if let Some(cached) = tenants.get(id) {
            return Arc::clone(cached);
        }
        if tenants.len() >= MAX_CACHED_TENANTS {
            tenants.retain(|_, cached| cached.get(now).is_some());
        }
        if tenants.len() >= MAX_CACHED_TENANTS {
            tenants.clear();
        }
        Arc::clone(tenants.entry(id.clone()).or_default())
    }
}

/// Reads the case types. A tenant that has not moved has none.
#[derive(Debug, Serialize)]
struct ProbeCaseTypes {}

/// The list is required: a response without it tells nothing about the tenant.
#[derive(Deserialize)]
struct ProbedCaseTypes {
    types: Vec<IgnoredAny>,
}

impl GraphqlOperation for ProbeCaseTypes {
    type Response = ProbedCaseTypes;
    const KIND: GraphqlKind = GraphqlKind::Query;
    const FIELD: &'static str = "caseTypes";
    const ARGUMENT: &'static str = "arguments";
    const DOCUMENT: &'static str = "query ProbeCaseTypes($arguments: CaseTypesArguments!) \
        { caseTypes(arguments: $arguments) { types { id } } }";
}
