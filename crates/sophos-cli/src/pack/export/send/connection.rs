//! The connection to a receiver of syslog, and the confirmation that it has all messages.

use std::{fmt, io, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufWriter},
    net::{TcpStream, UdpSocket, lookup_host},
    time::timeout,
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

use super::destination::{Destination, Protocol};
use crate::exit::Failure;

/// The time limit for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The time limit for a write, and for the receiver's close.
const RECEIVER_TIMEOUT: Duration = Duration::from_secs(30);

/// The time after the last message in which a receiver that has closed already resets the
/// connection. Its close would else count as a confirmation.
const EARLY_CLOSE_WAIT: Duration = Duration::from_millis(100);

/// The bytes of messages that are sent at once.
const BUFFER_LEN: usize = 64 << 10;

/// A connection with or without TLS.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

enum Link {
    Datagrams(UdpSocket),
    Stream(BufWriter<Box<dyn Stream>>),
}

/// A connection that is opened with the first message after each confirmation.
pub(super) struct Connection {
    destination: Destination,
    tls: Option<TlsConnector>,
    link: Option<Link>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("destination", &self.destination).finish_non_exhaustive()
    }
}

impl Connection {
    /// A destination with [`Protocol::Tls`] needs a connector.
    pub(super) fn new(destination: Destination, tls: Option<TlsConnector>) -> Self {
        Self { destination, tls, link: None }
    }

    /// Sends a message: as a datagram, or with its length before it. It may wait in a
    /// buffer until the confirmation.
    ///
    /// # Errors
    /// When the receiver cannot be reached or does not read.
    pub(super) async fn send(&mut self, message: &[u8]) -> Result<(), Failure> {
        let sent = self.try_send(message).await;
        sent.map_err(|error| self.failure("sending messages", &error))
    }

    async fn try_send(&mut self, message: &[u8]) -> io::Result<()> {
        let link = match self.link.take() {
            Some(link) => link,
            None => within(CONNECT_TIMEOUT, self.connect()).await?,
        };
        match self.link.insert(link) {
            Link::Datagrams(socket) => socket.send(message).await.map(drop),
            Link::Stream(stream) => {
                let length = format!("{} ", message.len());
                within(RECEIVER_TIMEOUT, async {
                    stream.write_all(length.as_bytes()).await?;
                    stream.write_all(message).await
                })
                .await
            }
        }
    }

    async fn connect(&self) -> io::Result<Link> {
        let Destination { protocol, host, port } = &self.destination;
        let address = (host.as_str(), *port);
        if *protocol == Protocol::Udp {
            let to = lookup_host(address).await?.next();
            let to = to.ok_or_else(|| io::Error::other("the host has no address"))?;
            let socket = UdpSocket::bind(if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }).await?;
            socket.connect(to).await?;
            return Ok(Link::Datagrams(socket));
        }
        let stream = TcpStream::connect(address).await?;
        let stream: Box<dyn Stream> = match &self.tls {
            Some(connector) => {
                let name = ServerName::try_from(host.clone()).map_err(io::Error::other)?;
                Box::new(connector.connect(name, stream).await?)
            }
            None => Box::new(stream),
        };
        Ok(Link::Stream(BufWriter::with_capacity(BUFFER_LEN, stream)))
    }

    /// Confirms that the receiver has all messages since the last confirmation. A stream
    /// is ended, and the receiver must close it without an error. Of datagrams, only the
    /// rejection by the receiver's host is known.
    ///
    /// # Errors
    /// When the receiver may lack messages.
    pub(super) async fn confirm(&mut self) -> Result<(), Failure> {
        let confirmed = match self.link.take() {
            None => Ok(()),
            Some(Link::Datagrams(socket)) => socket.take_error().and_then(|error| error.map_or(Ok(()), Err)),
            Some(Link::Stream(stream)) => close(stream).await,
        };
        confirmed.map_err(|error| self.failure("closing the connection", &error))
    }

    fn failure(&self, action: &str, error: &io::Error) -> Failure {
        let remedy = if self.destination.protocol == Protocol::Udp {
            "check that the receiver listens there"
        } else {
            "check that the receiver listens there, and reads messages with their length before them (RFC 6587)"
        };
        Failure::other(format!("{action} to {} failed: {error}", self.destination))
            .hint(format!("{remedy}; the next run sends unconfirmed rows again"))
    }
}

/// Ends a stream, and waits until the receiver has closed it.
async fn close(mut stream: BufWriter<Box<dyn Stream>>) -> io::Result<()> {
    within(RECEIVER_TIMEOUT, stream.flush()).await?;
    match timeout(EARLY_CLOSE_WAIT, read_to_end(stream.get_mut())).await {
        // It does not send, and has not closed.
        Err(_) => {}
        Ok(Ok(())) => return Err(io::Error::other("the receiver closed it early")),
        Ok(Err(error)) => return Err(error),
    }
    within(RECEIVER_TIMEOUT, async {
        stream.shutdown().await?;
        match read_to_end(stream.get_mut()).await {
            // Many receivers end TCP without the end of TLS.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
            ended => ended,
        }
    })
    .await
}

/// Reads until the receiver closes. A receiver of syslog sends nothing.
async fn read_to_end(stream: &mut Box<dyn Stream>) -> io::Result<()> {
    let mut ignored = [0; 256];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(())
}

/// The result of an action within a time limit.
async fn within<T>(limit: Duration, action: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let timed_out =
        || io::Error::new(io::ErrorKind::TimedOut, format!("no progress in {} s", limit.as_secs()));
    timeout(limit, action).await.map_err(|_| timed_out())?
}
