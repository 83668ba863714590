//! Sending of the operations of the credential's own account.

use std::time::Duration;

#[cfg(feature = "catalog")]
use serde::de::DeserializeOwned;

#[cfg(feature = "catalog")]
use crate::catalog::DescribedRequest;
use crate::{
    client::{ApiClient, Client},
    error::{Error, ErrorKind},
    hosts::Hosts,
    models::IdType,
    operation::{ApiHost, Operation, RequestTarget, RequiredAccess, Route, ScopeHeader},
    scrub::Scrubber,
    send::{Exchange, exchange_of},
    transport::Transport,
};

impl<T: Transport> ApiClient for Client<T> {
    type Transport = T;

    fn as_client(&self) -> &Self {
        self
    }

    fn with_earlier_deadline(&self, deadline: Duration) -> Self {
        self.with_deadline(self.deadline.map_or(deadline, |own| own.min(deadline)))
    }

    async fn send<O: Operation>(&self, operation: &O) -> Result<O::Response, Error> {
        // The target takes requests.
        operation.validate().map_err(|error| error.with_operation(O::ROUTE.to_string()))?;
        let mut exchange = exchange_of(operation);
        self.execute(&mut exchange).await?;
        exchange.into_response()
    }

    #[cfg(feature = "catalog")]
    async fn send_described<R: DeserializeOwned + Send>(
        &self,
        request: &DescribedRequest,
    ) -> Result<R, Error> {
        let mut exchange = request.exchange();
        self.execute(&mut exchange).await?;
        exchange.into_response()
    }
}

impl<T: Transport> Client<T> {
    async fn execute(&self, exchange: &mut dyn Exchange) -> Result<(), Error> {
        let target = self.target(exchange.route()).await?;
        self.context(None).execute(exchange, &target).await
    }

    /// The host and the id of an operation of the credential's own account.
    async fn target(&self, route: &Route) -> Result<RequestTarget, Error> {
        let reject =
            |kind, why: &str| Err(Error::new(kind).with_operation(route.to_string()).with_message(why));
        if route.host == ApiHost::Identity {
            return reject(ErrorKind::Invalid, "the client requests tokens by itself");
        }
        if route.host == ApiHost::Fusion {
            let base = self.fusion_host().map_err(|error| error.with_operation(route.to_string()))?;
            return Ok(RequestTarget::with_id(base, self.identity().await?.id));
        }
        let scope = route.scope;
        if scope.is_tenant() && (scope == ScopeHeader::Tenant || route.host != ApiHost::Global) {
            return reject(ErrorKind::Invalid, "send it through a TenantClient");
        }
        let identity = self.identity().await?;
        let access = RequiredAccess::new(route).with_credential(Some(identity.id_type.clone()));
        if access.is_wrong_credential() {
            return Err(Error::new(ErrorKind::WrongCredentialType)
                .with_operation(route.to_string())
                .with_access(access));
        }
        match scope {
            ScopeHeader::None | ScopeHeader::TenantOrOwner => Ok(RequestTarget::new(identity.global)),
            ScopeHeader::TenantOrPartner if identity.id_type == IdType::Partner => {
                Ok(RequestTarget::with_id(identity.global, identity.id).scoped(ScopeHeader::Partner))
            }
            ScopeHeader::TenantOrPartner => reject(ErrorKind::Invalid, "send it through a TenantClient"),
            _ => Ok(RequestTarget::with_id(identity.global, identity.id)),
        }
    }

    /// Sends an operation for the partner itself to the host of a data region, such as
    /// `eu01`. It is for regional operations whose scope is
    /// [`ScopeHeader::TenantOrPartner`], such as exports of a firewall's configuration.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for any other operation,
    /// [`ErrorKind::WrongCredentialType`] without a partner's credential. See
    /// [`ErrorKind`] for the others.
    pub async fn send_in_region<O: Operation>(
        &self,
        operation: &O,
        region: &str,
    ) -> Result<O::Response, Error> {
        let describe = |error: Error| error.with_operation(O::ROUTE.to_string());
        if O::ROUTE.scope != ScopeHeader::TenantOrPartner || O::ROUTE.host != ApiHost::DataRegion {
            let why = "the operation has no partner scope in a data region";
            return Err(describe(Error::invalid(why)));
        }
        operation.validate().map_err(describe)?;
        let base = self.hosts().tenant_base_url(None, Some(region)).map_err(describe)?;
        let identity = self.identity().await?;
        if identity.id_type != IdType::Partner {
            let mut access = RequiredAccess::new(&O::ROUTE).with_credential(Some(identity.id_type));
            const PARTNER: &[IdType] = &[IdType::Partner];
            access.callers = PARTNER;
            return Err(describe(Error::new(ErrorKind::WrongCredentialType).with_access(access)));
        }
        let target = RequestTarget::with_id(base, identity.id).scoped(ScopeHeader::Partner);
        self.context(None).send(operation, &target).await
    }

    pub(crate) fn hosts(&self) -> &Hosts {
        &self.inner.sender.hosts
    }

    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.deadline
    }

    pub(crate) fn scrubber(&self) -> &Scrubber {
        &self.inner.sender.scrubber
    }

    /// A random wait between half of an interval and all of it.
    pub(crate) fn spread(&self, interval: Duration) -> Duration {
        interval.mul_f64(0.5 + self.inner.sender.jitter.fraction(self.inner.sender.transport.now()) / 2.0)
    }
}
