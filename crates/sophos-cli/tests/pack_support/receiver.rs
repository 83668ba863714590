//! Receivers of syslog on loopback.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, UdpSocket},
    task::JoinHandle,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer,
        server::WebPkiClientVerifier,
    },
};

/// The messages of a receiver, which ends with the test.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    messages: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Receiver {
    /// Receives datagrams.
    pub(crate) async fn udp() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a socket");
        let address = socket.local_addr().expect("an address");
        let messages = Arc::<Mutex<Vec<String>>>::default();
        let received = Arc::clone(&messages);
        let task = tokio::spawn(async move {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(length) = socket.recv(&mut buffer).await {
                push(&received, buffer[..length].to_vec());
            }
        });
        Self { address, messages, task }
    }

    /// Receives messages with their length before them, on one connection after the other.
    /// Closes each after `max_messages`, whatever follows.
    pub(crate) async fn tcp(max_messages: usize, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let address = listener.local_addr().expect("an address");
        let messages = Arc::<Mutex<Vec<String>>>::default();
        let received = Arc::clone(&messages);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A sender may end the connection at any point.
                let _ = match &tls {
                    None => receive(BufReader::new(stream), max_messages, &received).await,
                    Some(acceptor) => match acceptor.accept(stream).await {
                        Ok(stream) => {
                            let mut stream = BufReader::new(stream);
                            let ended = receive(&mut stream, max_messages, &received).await;
                            let _ = stream.shutdown().await;
                            ended
                        }
                        Err(error) => Err(error),
                    },
                };
            }
        });
        Self { address, messages, task }
    }

    /// The messages so far.
    pub(crate) fn messages(&self) -> Vec<String> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }
}

fn push(messages: &Mutex<Vec<String>>, message: Vec<u8>) {
    let message = String::from_utf8(message).expect("UTF-8");
    messages.lock().unwrap_or_else(PoisonError::into_inner).push(message);
}

async fn receive(
    mut stream: impl AsyncRead + AsyncBufReadExt + Unpin,
    max_messages: usize,
    messages: &Mutex<Vec<String>>,
) -> io::Result<()> {
    for _ in 0..max_messages {
        let mut length = Vec::new();
        if stream.read_until(b' ', &mut length).await? == 0 {
            break;
        }
        let length = String::from_utf8(length).expect("digits");
        let mut message = vec![0; length.trim_end().parse().expect("a length")];
        stream.read_exact(&mut message).await?;
        push(messages, message);
    }
    Ok(())
}

/// Certificates as PEM, and a server that requires one of the client.
pub(crate) struct Certificates {
    pub(crate) authority: String,
    pub(crate) client: String,
    pub(crate) client_key: String,
    pub(crate) acceptor: TlsAcceptor,
}

impl Certificates {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().expect("a key");
        let authority = params.self_signed(&key).expect("a certificate");
        let issuer = Issuer::new(params, key);
        let sign = |name: &str| {
            let key = KeyPair::generate().expect("a key");
            let params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
            (params.signed_by(&key, &issuer).expect("a certificate"), key)
        };
        let ((server, server_key), (client, client_key)) = (sign("127.0.0.1"), sign("client"));
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).expect("a certificate");
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider));
        let server_key = PrivateKeyDer::try_from(server_key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_client_cert_verifier(verifier.build().expect("a verifier"))
            .with_single_cert(vec![server.der().clone()], server_key)
            .expect("a configuration");
        Self {
            authority: authority.pem(),
            client: client.pem(),
            client_key: client_key.serialize_pem(),
            acceptor: TlsAcceptor::from(Arc::new(config)),
        }
    }
}
