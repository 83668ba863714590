//! The client of the pack's commands, and what Ctrl-C does to them.

use sophos_api::TenantId;

use crate::{
    connect::{CliClient, Session},
    context::Context,
    exit::Failure,
};

/// Connects with the selected credential. Sends nothing yet.
///
/// # Errors
/// When the configuration is invalid or the credential cannot be read.
pub(super) async fn connect(context: &Context) -> Result<CliClient, Failure> {
    Ok(context.session().await?.client.clone())
}

/// The tenant of `--tenant` or of the profile; `None` for all tenants of the credential.
///
/// # Errors
/// When the tenant does not exist, or several have the name.
pub(super) async fn selected_tenant(
    session: &Session,
    context: &Context,
) -> Result<Option<TenantId>, Failure> {
    let chosen = context.globals.tenant.as_ref().or(session.profile.tenant.as_ref());
    match chosen.filter(|_| !context.globals.all_tenants) {
        Some(chosen) => Ok(Some(session.find_tenant(context, chosen).await?.id().clone())),
        None => Ok(None),
    }
}

/// Ends the wait for signals when it is dropped.
#[derive(Debug)]
pub(super) struct InterruptGuard(tokio::task::JoinHandle<()>);

impl Drop for InterruptGuard {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Has the first Ctrl-C, or SIGTERM, call `stop` instead of ending the process. The second
/// Ctrl-C ends it.
pub(super) fn on_interrupt(
    context: &Context,
    note: &'static str,
    stop: impl FnOnce() + Send + 'static,
) -> InterruptGuard {
    context.ends_itself.store(true, std::sync::atomic::Ordering::Relaxed);
    let is_quiet = context.globals.quiet;
    InterruptGuard(tokio::spawn(async move {
        wait_for_signal().await;
        if !is_quiet {
            eprintln!("{note}");
        }
        stop();
    }))
}

#[cfg(unix)]
async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};

    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn wait_for_signal() {
    let _ = tokio::signal::ctrl_c().await;
}
