//! The HTTP server around the webhook.

use std::{net::IpAddr, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::MissedTickBehavior,
};

use super::Webhook;

/// The maximum time to receive a request's headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// The delay after a failed accept, such as with too many open files.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// Serves until it is dropped. At most `max_concurrent` instances run; further requests
/// wait. Put a proxy with TLS in front.
pub async fn serve(webhook: Arc<Webhook>, listener: TcpListener, max_concurrent: u32) {
    let permits = Arc::new(Semaphore::new(max_concurrent as usize));
    loop {
        match listener.accept().await {
            Ok((stream, caller)) => {
                tokio::spawn(serve_connection(
                    Arc::clone(&webhook),
                    Arc::clone(&permits),
                    stream,
                    caller.ip(),
                ));
            }
            Err(error) => {
                eprintln!("accepting a connection failed: {error}");
                tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
            }
        }
    }
}

/// Handles the requests of a connection.
async fn serve_connection(webhook: Arc<Webhook>, permits: Arc<Semaphore>, stream: TcpStream, caller: IpAddr) {
    let service = service_fn(|request| {
        let (webhook, permits) = (Arc::clone(&webhook), Arc::clone(&permits));
        async move {
            let _permit = permits.acquire().await?;
            Ok::<_, tokio::sync::AcquireError>(webhook.handle(request, caller).await)
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    // A lost connection needs no action.
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
}

/// Follows up at every interval until it is dropped, and writes errors to standard
/// error.
pub async fn run_follow_up(webhook: Arc<Webhook>, interval: Duration) {
    let mut next = tokio::time::interval(interval);
    next.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        next.tick().await;
        match webhook.follow_up().await {
            Ok(report) => report.failures.iter().for_each(|failure| eprintln!("follow-up: {failure}")),
            Err(error) => eprintln!("the follow-up failed: {error:#}"),
        }
    }
}
