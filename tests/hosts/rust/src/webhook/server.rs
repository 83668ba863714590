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

/// How long a caller may take to send a request's head.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait when no connection can be taken: too many files are open.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// Serves until it is dropped. There are `at_once` instances at most; requests beyond
/// them wait. Put a proxy with TLS in front.
pub async fn serve(webhook: Arc<Webhook>, listener: TcpListener, at_once: u32) {
    let room = Arc::new(Semaphore::new(at_once as usize));
    loop {
        match listener.accept().await {
            Ok((stream, caller)) => {
                tokio::spawn(serve_connection(Arc::clone(&webhook), Arc::clone(&room), stream, caller.ip()));
            }
            Err(error) => {
                eprintln!("a connection was not taken: {error}");
                tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
            }
        }
    }
}

/// Answers the requests of a connection.
async fn serve_connection(webhook: Arc<Webhook>, room: Arc<Semaphore>, stream: TcpStream, caller: IpAddr) {
    let answer = service_fn(|request| {
        let (webhook, room) = (Arc::clone(&webhook), Arc::clone(&room));
        async move {
            let _place = room.acquire().await?;
            Ok::<_, tokio::sync::AcquireError>(webhook.handle(request, caller).await)
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    // A caller that breaks off is not this server's concern.
    let _ = http.serve_connection(TokioIo::new(stream), answer).await;
}

/// Follows up, again and again, and tells what did not go as it should. Ends when it is
/// dropped.
pub async fn run_follow_up(webhook: Arc<Webhook>, every: Duration) {
    let mut next = tokio::time::interval(every);
    next.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        next.tick().await;
        match webhook.follow_up().await {
            Ok(report) => report.failures.iter().for_each(|failure| eprintln!("in the follow-up: {failure}")),
            Err(error) => eprintln!("the follow-up failed: {error:#}"),
        }
    }
}
