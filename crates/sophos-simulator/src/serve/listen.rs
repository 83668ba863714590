//! Ports that accept plain HTTP and TLS.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::central::Central;
use crate::routes::HostKind;
use crate::serve::dispatch;

/// The first byte of a TLS handshake.
const TLS_HANDSHAKE: u8 = 0x16;

/// The application on a port.
#[derive(Clone)]
pub(crate) enum App {
    /// The identity or the global host, or the host of the region with this number.
    Host(Arc<Central>, HostKind, usize),
    Control(Router),
}

/// Accepts connections until it is dropped. Dropping closes its connections.
pub(crate) async fn serve(listener: TcpListener, tls: TlsAcceptor, app: App) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve_connection(stream, tls.clone(), app.clone()));
                }
                // Most likely too many open files: some will close.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_connection(stream: TcpStream, tls: TlsAcceptor, app: App) {
    let _ = stream.set_nodelay(true);
    let mut first = [0u8];
    match stream.peek(&mut first).await {
        Ok(1) if first[0] == TLS_HANDSHAKE => {
            if let Ok(stream) = tls.accept(stream).await {
                serve_http(stream, app).await;
            }
        }
        Ok(1) => serve_http(stream, app).await,
        _ => {}
    }
}

async fn serve_http(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, app: App) {
    let io = TokioIo::new(stream);
    let mut http = http1::Builder::new();
    http.pipeline_flush(true);
    // Connection errors concern the client only.
    match app {
        App::Host(central, kind, region) => {
            // The date comes from the simulator's clock.
            http.auto_date_header(false);
            let service =
                service_fn(move |request| dispatch::handle(Arc::clone(&central), kind, region, request));
            let _ = http.serve_connection(io, service).await;
        }
        App::Control(router) => {
            let service = TowerToHyperService::new(router);
            let _ = http.serve_connection(io, service).await;
        }
    }
}
