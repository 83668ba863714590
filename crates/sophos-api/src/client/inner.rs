//! The parts that all handles of a client share.

use std::time::Duration;

use crate::{
    client::PlatformCache,
    send::{RequestCounters, SendContext, Sender},
    session::{RequestContext, Session},
    transport::Transport,
};

pub(crate) struct ClientInner<T> {
    pub(crate) sender: Sender<T>,
    pub(crate) session: Session,
    pub(crate) platforms: PlatformCache,
    pub(crate) refuse_moved_tenants: bool,
}

impl<T: Transport> ClientInner<T> {
    /// The context of requests with this deadline and these counters.
    pub(crate) fn context<'a>(
        &'a self,
        deadline: Option<Duration>,
        tenant: Option<&'a RequestCounters>,
    ) -> RequestContext<'a, T> {
        RequestContext::new(&self.session, SendContext::new(&self.sender, deadline, tenant))
    }
}
